"""Own results: objects that Heatproof exported are no annotations, wherever they lie.

Contours of a network among the readers' annotations would score the network against itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from pipeline.contracts import Executor
from pipeline.errors import CaseError
from pipeline.guards.reading import ANY_SIZE, guarded, open_file
from pipeline.loaders.dataset import read_elements
from pipeline.records import AnnotationItem, Notice
from pipeline.records.names import PRODUCT

EXPORTED: Final = frozenset({"dicom_seg", "dicom_sr", "gsps"})
"""Formats of annotations that `heatproof export` writes, too."""


def without_results(
    items: Sequence[AnnotationItem], executor: Executor
) -> tuple[list[AnnotationItem], tuple[Notice, ...]]:
    """The items that are not results of Heatproof, and a warning with the number of files of the others."""
    paths = dict.fromkeys(path for item in items if item.format in EXPORTED for path in paths_of(item))
    answers = executor.stream(is_result, paths, on_failure=_is_none)
    own = {path for path, answer in zip(paths, answers, strict=True) if answer}
    if not own:
        return list(items), ()
    text = (
        f"{len(own):,} files among the annotations are results that Heatproof exported, not readers' "
        "annotations, and were left out: no network is scored against its own contours. Keep exports in a "
        "folder of their own."
    )
    return [item for item in items if own.isdisjoint(paths_of(item))], (
        Notice("warning", "annotations", text),
    )


def paths_of(item: AnnotationItem) -> Iterator[Path]:
    """The files that an annotation is read from."""
    if "path" in item.payload:
        yield Path(str(item.payload["path"]))
    paths = item.payload.get("paths", ())
    yield from map(Path, paths if isinstance(paths, tuple) else ())


def is_result(path: Path) -> bool:
    """Whether a DICOM file was exported by Heatproof; what reviewers drew is an annotation."""
    with open_file(path, most_bytes=ANY_SIZE) as file, guarded("not_dicom", "is no DICOM file"):
        header, _ = read_elements(file, ["Manufacturer"])
        return str(header.get("Manufacturer") or "") == PRODUCT


def _is_none(_path: Path, _error: CaseError) -> bool:
    """A file that cannot be read is named by whoever reads the annotation."""
    return False
