"""Pictures: images with their annotations for the validation page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pipeline.errors import CaseError
from pipeline.loaders import decode
from pipeline.records import Box, Intensity, Mask, Reference
from pipeline.store.atomic import write_bytes
from pipeline.store.edges import mask_outlines
from pipeline.validation.case import ValidationTask, read_task


@dataclass(frozen=True, slots=True)
class Picture:
    """Outlines and boxes of one image for the page; its JPEG is on disk."""

    case_id: str
    rows: int
    columns: int
    references: tuple[dict[str, Any], ...]
    """Per annotation: finding, reader, kind, outlines and boxes, as in an audit's case.json."""


def draw_picture(task: ValidationTask, *, folder: Path) -> Picture:
    """Write the JPEG of an image to `folder`, and return its outlines. Raises CaseError."""
    case = task.case
    image = decode(case.source, case_id=case.case_id)
    write_bytes(folder / f"{case.case_id}.jpg", _jpeg(image.pixels))
    references, refused = read_task(task)
    rows, columns = image.shape
    shapes = [_shape(reference) for reference in references]
    shapes += [
        _entry(entry.finding, entry.reader, "box", [], entry.boxes) for entry in refused if entry.boxes
    ]
    return Picture(case.case_id, rows, columns, tuple(shapes))


def no_picture(_task: ValidationTask, _error: CaseError) -> None:
    """None, because an image that cannot be decoded has no picture."""


def _jpeg(pixels: Intensity) -> bytes:
    """A reduced greyscale JPEG of the image."""
    rows, columns = pixels.shape
    factor = min(1.0, LONGEST_PX / max(rows, columns))
    size = (max(1, round(columns * factor)), max(1, round(rows * factor)))
    small = cv2.resize(np.rint(pixels * 255).astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()


def _shape(reference: Reference) -> dict[str, Any]:
    outlines = [line for mask in reference.masks for line in _outlines(mask)]
    pixels = tuple(Box(point.x - 0.5, point.y - 0.5, 1, 1) for point in reference.points)
    boxes = (*reference.boxes, *pixels)
    return _entry(reference.finding, reference.reader, reference.kind, outlines, boxes)


def _entry(
    finding: str, reader: str, kind: str, outlines: list[Any], boxes: tuple[Box, ...]
) -> dict[str, Any]:
    corners = [[box.x, box.y, box.width, box.height] for box in boxes]
    return {
        "finding": finding,
        "reader": reader,
        "kind": kind,
        "outlines": outlines,
        "boxes": [[round(value, DECIMALS) for value in box] for box in corners if np.isfinite(box).all()],
    }


def _outlines(mask: Mask) -> Iterator[list[list[float]]]:
    """Polygons (x, y) along the mask's edge, simplified to the accuracy of the picture."""
    for points in mask_outlines(mask):
        coarse = cv2.approxPolyDP(points, COARSE * max(mask.shape), closed=True)
        kept = coarse if len(coarse) > 2 else points[:, None]  # noqa: PLR2004  a line or point has no area
        yield [[round(float(x), DECIMALS), round(float(y), DECIMALS)] for x, y in kept[:, 0]]


LONGEST_PX = 640
"""Longer side of a picture on the page, in pixels."""


JPEG_QUALITY = 82


DECIMALS = 1
"""Decimals of coordinates, in pixels of the full image."""


COARSE = 1 / 600
"""Largest error of a simplified outline, as a share of the image's longer side."""
