"""Sources: the original files of a run's images, found by its crosswalk and checked by their hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import CaseError, ConfigError
from pipeline.exports.headers import completed
from pipeline.guards.reading import ANY_SIZE, open_file
from pipeline.loaders.dataset import parse_dataset, read_bytes, read_elements, refusing
from pipeline.run_files.outputs import CROSSWALK
from pipeline.run_files.tables import read_rows

NEEDED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "Rows", "Columns")
"""Elements without which nothing can refer to an image, or join its study."""
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of the study folder, and the cases that are its frames."""

    path: Path
    sha256: str
    case_ids: Mapping[int, str]
    """Frame, counted from 0 → case id."""


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
    for row in read_rows(run / CROSSWALK):
        if row["kind"] == "image":
            cases.setdefault(row["file"], {})[int(row["frame"])] = row["pseudonym"]
            hashes[row["file"]] = row["sha256"]
    if cases and not any((studies / name).exists() for name in cases):
        raise ConfigError(
            f"--studies: {studies} holds none of the {len(cases)} files of the run; give the folder that was "
            "audited"
        )
    return tuple(SourceFile(studies / name, hashes[name], cases[name]) for name in cases)


def header_of(file: SourceFile) -> Any:
    """The file's data set without its pixels.

    Raises CaseError: those of reading, "file_changed" since the run, "not_dicom", or "no_identity" if it
    lacks what a reference needs.
    """
    data = read_bytes(file.path)
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
    with suppress(CaseError), open_file(file.path, most_bytes=ANY_SIZE) as opened:
        return str(read_elements(opened, ["StudyInstanceUID"])[0].get("StudyInstanceUID") or "")
    return ""
