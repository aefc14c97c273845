"""Segment masks: layers of a .seg.nrrd file → the lesions of one finding."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.annotations.grey_levels import SOURCES
from pipeline.annotations.masks import Instances, split_instances
from pipeline.errors import CaseError
from pipeline.records import Mask, Notice, Shape

Pairs: TypeAlias = tuple[tuple[int, int | None], ...]
"""Layer and value of each segment; None is any value but 0."""

SEGMENT_PARTS = Notice(
    "guess",
    SOURCES,
    "Segments of .seg.nrrd files have several connected parts; each part is read as a lesion.",
    pin={"instances": "half"},
)
UNNAMED_SEGMENTS = Notice(
    "guess",
    SOURCES,
    "Files .seg.nrrd hold several segments, some with names that say nothing, such as Segment_1; these are "
    "read as lesions of the source's finding. If they are something else, give them its name in 3D Slicer.",
)
UNDESCRIBED = Notice(
    "warning",
    SOURCES,
    "Files .seg.nrrd hold values that none of their segments has; these pixels are not read.",
)


def segment_masks(
    layers: NDArray[np.generic],
    segments: Pairs,
    *,
    described: Pairs,
    instances: Instances,
    unnamed: bool = False,
) -> tuple[tuple[Mask, ...], tuple[Notice, ...]]:
    """The lesions in `segments` of (layers, rows, columns), and what was decided; `described`: all segments.

    `unnamed`: the names of some of `segments` say nothing, so that they are taken for the source's finding.
    Raises CaseError "not_a_mask" if a segment is in a layer that the file does not have.
    """
    if any(not 0 <= layer < len(layers) for layer, _ in described):
        raise CaseError(
            "not_a_mask", "The mask's header names a segment in a layer that the file lacks; save it again."
        )
    drawn = [_pixels(layers[layer], value) for layer, value in segments]
    if instances == "whole":
        drawn = [np.logical_or.reduce(drawn)]
    split = instances in {"auto", "half", "components"}
    rule: Literal["components", "half"] = "components" if instances == "components" else "half"
    parts = [split_instances(mask, rule) if split else (mask,) * bool(mask.any()) for mask in drawn]
    notices = [SEGMENT_PARTS] * (instances == "auto" and any(len(own) > 1 for own in parts))
    notices += [UNNAMED_SEGMENTS] * (unnamed and len(described) > 1)
    known = np.zeros(layers.shape, np.bool_)
    for layer, value in described:
        known[layer] |= _pixels(layers[layer], value)
    notices += [UNDESCRIBED] * bool((~known & (layers != 0)).any())
    return tuple(mask for own in parts for mask in own), tuple(notices)


def _pixels(layer: NDArray[np.generic], value: int | None) -> Mask:
    return np.asarray(layer != 0 if value is None else layer == value)


def in_extent(layers: NDArray[np.generic], offset: tuple[int, int], shape: Shape) -> NDArray[np.generic]:
    """Layers (layers, rows, columns) that cover part of the image, on its grid of `shape`, 0 elsewhere.

    `offset`: the column and row of their first pixel. Raises CaseError "mask_size" if they leave the image.
    """
    left, top = offset
    count, rows, columns = layers.shape
    check_extent(offset, (rows, columns), shape)
    placed = np.zeros((count, *shape), layers.dtype)
    placed[:, top : top + rows, left : left + columns] = layers
    return placed


def check_extent(offset: tuple[int, int], stored: Shape, shape: Shape) -> None:
    """Raise CaseError "mask_size" if a grid of the size `stored` at `offset` leaves the image of `shape`."""
    left, top = offset
    rows, columns = stored
    if min(left, top) < 0 or top + rows > shape[0] or left + columns > shape[1]:
        raise CaseError(
            "mask_size",
            f"By its extent, the mask covers {rows} rows from row {top} and {columns} columns from column "
            f"{left}, but its image has {shape[0]} rows and {shape[1]} columns; save it on the grid of its "
            "image.",
        )
