"""Directories: DICOMDIR files, whose images are found without them, compared with what is there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from pipeline.cohort.listing import Refused
from pipeline.contracts import Executor
from pipeline.errors import CaseError
from pipeline.loaders.dicomdir import NAME, named_files
from pipeline.records import Notice

Parts = tuple[str, ...]


def directory_notices(folder: Path, refused: Sequence[Refused], executor: Executor) -> Iterator[Notice]:
    """A warning about files that the DICOMDIRs among the refused files name, and that are not there."""
    paths = [folder / one.relative_path for one in refused if PurePosixPath(one.relative_path).name == NAME]
    paths = [path for path in paths if path.is_file()]  # none of an archive
    if not paths:
        return
    absent = outside = total = 0
    for path, found in zip(paths, executor.stream(named_files, paths, on_failure=_nothing), strict=True):
        for parts in found:
            total += 1
            if _leads_out(parts):
                outside += 1
            elif not _is_there(path.parent, parts):
                absent += 1
    if absent:
        yield Notice(
            "warning",
            "studies",
            f"{absent:,} of {total:,} files that DICOMDIR names are not in the study folder, so images "
            "may be missing; copy the whole medium.",
        )
    if outside:
        yield Notice(
            "warning",
            "studies",
            f"{outside:,} of {total:,} files that DICOMDIR names are outside its folder; they are not read.",
        )


def _nothing(_path: Path, _error: CaseError) -> tuple[Parts, ...]:
    return ()


def _leads_out(parts: Parts) -> bool:
    return any(part in {"", ".", ".."} or set(part) & set("/\\\0") for part in parts)


def _is_there(folder: Path, parts: Parts) -> bool:
    """Whether the file is there, in upper case as in the standard, or in lower case as copies have it."""
    lower = [part.lower() for part in parts]
    return any(os.path.isfile(folder.joinpath(*names)) for names in (parts, lower))  # noqa: PTH113  no OSError
