"""Truths: contours of the network and annotations of a finished case, as references on the image's grid."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.annotations.outlined import filled
from pipeline.errors import ConfigError
from pipeline.records import Box, Mask, Point, Reference, Shape
from pipeline.reporting.run_folder import Case, RunFolder
from pipeline.run_files.damage import damaged
from pipeline.run_files.scripts import arguments

Outlines = Sequence[Sequence[Sequence[float]]]


def inside(outlines: Outlines, shape: Shape) -> Mask:
    """The pixels inside an odd number of outlines: a contour without its holes."""
    mask = np.zeros(shape, np.bool_)
    for outline in outlines:
        mask ^= filled(np.asarray(outline, np.float64), shape)
    return mask


def network_reference(case: Case, finding: str, method: str) -> Reference:
    """The contours of a method, one mask each; none: the network drew nothing."""
    shape = case["rows"], case["columns"]
    contours = [r for r in case["regions"] if (r["finding"], r["method"]) == (finding, method)]
    masks = (inside(contour["outlines"], shape) for contour in contours)
    return Reference(case["case_id"], finding, "", "mask", masks=tuple(mask for mask in masks if mask.any()))


def annotated_references(run: RunFolder, case: Case) -> list[Reference]:
    """The readers' annotations, with the masks of the case's page. ConfigError if these are damaged."""
    if not case["references"]:
        return []
    path = run.case_folder(case["case_id"]) / "case.js"
    shape = case["rows"], case["columns"]
    try:
        codes = json.loads(arguments(path))[1]["masks"]
        pairs = zip(case["references"], codes, strict=True)
        return [_reference(case["case_id"], entry, list(_masks(code, shape))) for entry, code in pairs]
    except (LookupError, TypeError, ValueError, OverflowError, MemoryError) as error:
        if isinstance(error, ConfigError):
            raise
        raise damaged(path, "masks: are not those of the annotations in case.json") from error


def _reference(case_id: str, entry: dict[str, object], masks: list[Mask]) -> Reference:
    boxes: list[list[float]] = entry["boxes"]  # type: ignore[assignment]  # as in case_shapes
    points: list[list[float]] = entry.get("points", [])  # type: ignore[assignment]
    return Reference(
        case_id,
        str(entry["finding"]),
        str(entry["reader"]),
        "box" if boxes else "point" if points else "mask",
        masks=tuple(masks),
        boxes=tuple(Box(*box) for box in boxes),
        points=tuple(Point(*point) for point in points),
    )


def _masks(codes: Sequence[Sequence[int]], shape: Shape) -> Iterator[Mask]:
    """Masks from codes of case.js: top, left, height, width, then runs, alternately outside and inside."""
    for top, left, height, width, *runs in codes:
        window = slice(top, top + height), slice(left, left + width)
        mask = np.zeros(shape, np.bool_)
        if min(top, left) < 0 or mask[window].shape != (height, width) or sum(runs) > height * width:
            raise ValueError("a mask exceeds its image")
        values = np.zeros(height * width, np.bool_)
        start = 0
        for number, length in enumerate(runs):
            values[start : start + length] = number % 2 == 1
            start += length
        mask[window] = values.reshape(height, width)
        yield mask
