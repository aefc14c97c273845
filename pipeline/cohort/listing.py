"""Listing: every file of a study folder and of its archives → images, or the reason for skipping it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.contracts import Executor
from pipeline.errors import CaseError, ConfigError
from pipeline.loaders import Foreign, Packed, find_files, format_of_file, read_header, read_study_file
from pipeline.records import ImageSource

KINDS_SHOWN = 4
"""Largest number of kinds of files that are named where a folder holds no image."""
UNKNOWN = "not_dicom"
"""Reason of a file whose format is not read."""
READ = "DICOM, PNG, JPEG, TIFF, NIfTI, NRRD and MetaImage are read, also in ZIP and tar archives"


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that is not audited."""

    relative_path: str
    """Below the study folder, with forward slashes; of a file in an archive, below the archive's path."""
    error: CaseError


@dataclass(frozen=True, slots=True)
class Listing:
    """What a study folder holds."""

    files: int
    """Number of files, those in archives included, the archives not."""
    sources: tuple[ImageSource, ...]
    refused: tuple[Refused, ...]


def refuse_without_images(folder: Path, executor: Executor) -> None:
    """Raise ConfigError if no file below a folder is an image or an archive; stops at the first that is.

    It is cheap where there are images, so that commands call it before what takes long.
    """
    refused: list[Refused] = []
    paths = list(find_files(folder))
    results = executor.stream(partial(read_study_file, root=folder), paths, on_failure=_keep_error)
    for path, found in zip(paths, results, strict=True):
        if not isinstance(found, CaseError):
            return
        refused.append(Refused(path.relative_to(folder).as_posix(), found))
    raise without_images(folder, refused)


def without_images(folder: Path, refused: Sequence[Refused]) -> ConfigError:
    """The error about a folder that holds no image."""
    return ConfigError(f"studies: {folder} holds no image: {describe(folder, refused)}")


def list_studies(folder: Path, executor: Executor) -> Listing:
    """All images below a folder, read from headers only, and all other files with the reason."""
    paths = list(find_files(folder))
    read = partial(read_study_file, root=folder)
    sources: list[ImageSource] = []
    refused: list[Refused] = []
    packed: list[Packed] = []
    archives = 0
    results: Iterator[tuple[ImageSource | Packed, ...] | CaseError]
    results = executor.stream(read, paths, on_failure=_keep_error)
    for path, found in zip(paths, results, strict=True):
        if isinstance(found, CaseError):
            refused.append(Refused(path.relative_to(folder).as_posix(), found))
            continue
        inside = [one for one in found if isinstance(one, Packed)]
        archives += bool(inside)
        packed += inside
        sources += [one for one in found if isinstance(one, ImageSource)]
    for member, opened in _members(folder, packed, executor) if packed else ():
        if isinstance(opened, CaseError):
            where = member.archive.relative_to(folder).as_posix()
            refused.append(Refused(f"{where}/{member.member.name}", opened))
        else:
            sources += opened
    return Listing(len(paths) - archives + len(packed), tuple(sources), tuple(refused))


def _members(
    folder: Path, packed: Sequence[Packed], executor: Executor
) -> Iterator[tuple[Packed, tuple[ImageSource, ...] | CaseError]]:
    read = partial(read_header, root=folder)
    yield from zip(packed, executor.stream(read, packed, on_failure=_keep_error), strict=True)


def _keep_error(_item: object, error: CaseError) -> CaseError:
    return error


def describe(folder: Path, refused: Sequence[Refused]) -> str:
    """What a folder without images holds instead, and what to do about the most frequent kind."""
    if not refused:
        return "it is empty; choose the folder with the images"
    formats, others = _kinds(folder, refused)
    kinds = [f"{count} {found.name} {_files(count)}" for found, count in formats.most_common()]
    kinds += [f"{count} {_files(count)} refused because {message}" for message, count in others.most_common()]
    shown = " and ".join(
        [*kinds[:KINDS_SHOWN], *([f"{len(refused)} files in all"] * (len(kinds) > KINDS_SHOWN))]
    )
    remedy = formats.most_common(1)[0][0].remedy if formats else "choose the folder with the images"
    return f"{shown}; {READ}: {remedy}"


def _kinds(folder: Path, refused: Iterable[Refused]) -> tuple[Counter[Foreign], Counter[str]]:
    """Number of files by format that is not read, and of the others by message without remedy."""
    formats: Counter[Foreign] = Counter()
    others: Counter[str] = Counter()
    for one in refused:
        unknown = one.error.reason == UNKNOWN
        found = format_of_file(folder / one.relative_path) if unknown else None
        if found:
            formats[found] += 1
        else:
            others[one.error.message.split(";")[0]] += 1
    return formats, others


def _files(count: int) -> str:
    return "file" if count == 1 else "files"
