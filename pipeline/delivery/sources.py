"""Sources: the original files of a run's images, found by its crosswalk and checked by their hashes.

A file in an archive is named by the archive's path and its own in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from pipeline.errors import CaseError, ConfigError
from pipeline.exports.headers import completed
from pipeline.guards.reading import ANY_SIZE, open_file
from pipeline.loaders.archives import Packed, members, read_member
from pipeline.loaders.dataset import parse_dataset, read_bytes, read_elements, refusing
from pipeline.loaders.image_files import printable
from pipeline.run_files.outputs import CROSSWALK
from pipeline.run_files.tables import read_rows

NEEDED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Rows", "Columns")
"""Elements without which nothing can refer to an image, or join its study."""
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of the study folder, and the cases that are its frames."""

    path: Path
    """Of the file, or of the archive that holds it."""
    sha256: str
    case_ids: Mapping[int, str]
    """Frame, counted from 0 → case id."""
    sop_instance_uid: str = ""
    packed: Packed | CaseError | None = None
    """The file in its archive, or why it is not found there; None if it is in none."""


def source_files(run: Path, studies: Path) -> tuple[SourceFile, ...]:
    """The files of the run's images below the folder of studies, in the order of the crosswalk.

    Raises ConfigError if the run has no crosswalk, or none of its files is in the folder.
    """
    if not (run / CROSSWALK).is_file():
        raise ConfigError(
            f"{run}: has no {CROSSWALK}, which links its cases to their files; give the run folder as it was "
            "written, or rerun it"
        )
    cases: dict[str, dict[int, str]] = {}
    hashes: dict[str, str] = {}
    uids: dict[str, str] = {}
    for row in read_rows(run / CROSSWALK):
        if row["kind"] == "image":
            cases.setdefault(row["file"], {})[int(row["frame"])] = row["pseudonym"]
            hashes[row["file"]] = row["sha256"]
            uids[row["file"]] = row["sop_instance_uid"]
    places = {name: _place(studies, name) for name in cases}
    if cases and not any(path.exists() for path in places.values()):
        raise ConfigError(
            f"--studies: {studies} holds none of the {len(cases)} files of the run; give the folder that was "
            "audited"
        )
    packed = _in_archives(studies, places)
    return tuple(
        SourceFile(places[name], hashes[name], cases[name], uids[name], packed.get(name)) for name in cases
    )


def content_of(file: SourceFile) -> bytes:
    """The file's bytes. Raises CaseError."""
    if isinstance(file.packed, CaseError):
        raise file.packed
    if file.packed is None:
        return read_bytes(file.path)
    with open_file(file.path, most_bytes=ANY_SIZE) as archive:
        return read_member(archive, file.packed.member)


def _place(studies: Path, name: str) -> Path:
    """The file, or the archive that holds it: the first part of the path that is a file."""
    inner = [parent for parent in PurePosixPath(name).parents if (studies / parent).is_file()]
    return studies / inner[0] if inner else studies / name


def _in_archives(studies: Path, places: Mapping[str, Path]) -> dict[str, Packed | CaseError]:
    """Name below the studies → the file in its archive. Each archive is listed once."""
    found: dict[str, Packed | CaseError] = {}
    for archive in {path: None for name, path in places.items() if path != studies / name}:
        below = archive.relative_to(studies).as_posix()
        wanted = [name for name, path in places.items() if path == archive]
        try:
            inside = {printable(f"{below}/{one.member.name}"): one for one in members(archive)}
        except CaseError as error:
            found |= dict.fromkeys(wanted, error)
            continue
        for name in wanted:
            found[name] = inside.get(name) or CaseError("not_a_file", "its archive no longer holds the file")
    return found


def header_of(file: SourceFile) -> Any:
    """The file's data set without its pixels.

    Raises CaseError: those of reading, "file_changed" since the run, "not_dicom", or "no_identity" if it
    lacks what a reference needs.
    """
    data = content_of(file)
    if file.sha256 and hashlib.sha256(data).hexdigest() != file.sha256:
        raise CaseError("file_changed", "the file is not the one that was audited; give the folder as it was")
    header = parse_dataset(data)
    for name in PIXELS:
        if name in header:
            delattr(header, name)
    missing = [name for name in NEEDED if not header.get(name)]
    if missing:
        raise CaseError(
            "no_identity", f"the header has no {', '.join(missing)}, so that no object can refer to the image"
        )
    with refusing("header_unreadable", "the header's texts cannot be read"):
        return completed(header)


def by_study(files: Iterable[SourceFile]) -> Iterator[tuple[str, list[SourceFile]]]:
    """Study instance UID → its files, in their order; files that cannot be read come last, under ""."""
    found: dict[str, list[SourceFile]] = {}
    for file in files:
        found.setdefault(_study_of(file), []).append(file)
    unread = found.pop("", [])
    yield from found.items()
    if unread:
        yield "", unread


def _study_of(file: SourceFile) -> str:
    with suppress(CaseError), _opened(file) as opened:
        return str(read_elements(opened, ["StudyInstanceUID"])[0].get("StudyInstanceUID") or "")
    return ""


def _opened(file: SourceFile) -> AbstractContextManager[BinaryIO]:
    """The file, of which only the beginning need be read, or a member of an archive in memory."""
    if file.packed is None:
        return open_file(file.path, most_bytes=ANY_SIZE)
    return nullcontext(BytesIO(content_of(file)))
