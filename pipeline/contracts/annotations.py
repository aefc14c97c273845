"""Contracts of annotation formats and of external heatmap formats."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.records import AnnotationItem, Kind, Reference


@dataclass(frozen=True, slots=True)
class AnnotationFormat:
    """An annotation format. `find` runs once per source, `read` once per item, in the workers."""

    find: Callable[..., Iterable[AnnotationItem]]
    """find(path, *, reader, **options): every annotation in a folder or file, without its geometry.

    Options are keyword-only with defaults, and are the keys allowed in the config's `annotations.sources`.
    Raises ConfigError if the whole source cannot be used; errors of single items are raised by `read`.
    """
    read: Callable[..., Reference]
    """read(item, *, case_id, finding, shape): the annotation on the image's grid of `shape`.

    `item.plane` is where the image lies in the patient, if its header says it. What the file does not say
    and was decided is a notice of the reference. Raises CaseError, for example "mask_size" if rows × columns
    differ from the image's. Boxes that it refuses are shown by `heatproof validate` if the item's payload
    holds them under "boxes".
    """
    kind: Kind | None
    """Kind of its annotations; None: every item states its own. The caller checks the coordinates of boxes,
    polygons and points, and fills polygons on the image's grid."""
    opens_files: bool = False
    """Whether `find` opens files; it then takes an executor for that, or None, as its second argument."""


@dataclass(frozen=True, slots=True)
class HeatmapFormat:
    """A file format of heatmaps computed elsewhere."""

    suffixes: tuple[str, ...]
    """File suffixes in lower case, such as ".nii.gz"; empty: recognised by content."""
    read: Callable[[Path, int], NDArray[np.generic]]
    """read(path, plane): the values (rows, columns) of one map in a file; runs in the workers.

    Raises CaseError, for example "heatmap_unreadable" or "heatmap_shape". The caller checks finiteness and
    size.
    """
