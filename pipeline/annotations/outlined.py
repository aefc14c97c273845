"""Outlines: check boxes, polygons and points against their image, and fill polygons on its grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.errors import CaseError
from pipeline.geometry import SLACK_PX
from pipeline.records import Mask, Outline, Reference, Shape

CORNERS = 3
"""Smallest number of corners that encloses an area."""


def checked_outlines(reference: Reference, shape: Shape) -> Reference:
    """The reference with its polygons also as masks of an image of `shape`.

    Raises CaseError: "bad_box", "bad_polygon", "bad_point" (not a number, no area, fewer than three corners),
    "box_outside_image", "polygon_outside_image", "point_outside_image" (by more than `SLACK_PX`).
    """
    for box in reference.boxes:
        if box.width <= 0 or box.height <= 0:
            raise CaseError("bad_box", "A box has no area; correct its width and height.")
        corners = [[box.x, box.y], [box.x + box.width, box.y + box.height]]
        _check(np.array(corners, np.float64), shape, "box")
    for point in reference.points:
        _check(np.array([[point.x, point.y]], np.float64), shape, "point")
    if not reference.polygons:
        return reference
    masks = tuple(checked_and_filled(polygon, shape) for polygon in reference.polygons)
    return replace(reference, masks=masks)


def checked_and_filled(polygon: Outline, shape: Shape) -> Mask:
    """`filled`. Raises CaseError "bad_polygon" or "polygon_outside_image"."""
    if len(polygon) < CORNERS:
        raise CaseError("bad_polygon", "A polygon has fewer than three corners; add corners or remove it.")
    _check(polygon.astype(np.float64), shape, "polygon")
    return filled(polygon, shape)


def filled(polygon: Outline, shape: Shape) -> Mask:
    """Pixels whose centres lie in a polygon of (x, y); if there are none, the pixel nearest its middle."""
    from skimage.draw import polygon2mask  # noqa: PLC0415  # slow import, not needed to check a config

    mask: Mask = polygon2mask(shape, polygon[:, ::-1].astype(np.float64))
    if not mask.any():
        column, row = np.rint(polygon.mean(axis=0)).astype(int)
        mask[min(max(row, 0), shape[0] - 1), min(max(column, 0), shape[1] - 1)] = True
    return mask


def _check(points: np.ndarray[tuple[int, int], np.dtype[np.float64]], shape: Shape, what: str) -> None:
    if not np.isfinite(points).all():
        raise CaseError(f"bad_{what}", f"A {what} has a coordinate that is not a number; correct it.")
    rows, columns = shape
    least, most = -0.5 - SLACK_PX, np.array([columns, rows]) - 0.5 + SLACK_PX
    if (points < least).any() or (points > most).any():
        raise CaseError(
            f"{what}_outside_image",
            f"A {what} exceeds its image of {rows} rows and {columns} columns; "
            "give its coordinates in pixels of the original image, not of a resized one.",
        )
