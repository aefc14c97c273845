"""Pictures: heatmaps and thumbnails as image files."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from pipeline.geometry import place
from pipeline.records import Intensity, Placement, Shape

HEATMAP_EDGE = 320
"""Longer side of a heatmap picture in pixels: many times the grid it shows, and small as a palette PNG."""
THUMBNAIL_EDGE = 288
LEVELS = 256
SOLID_FROM = 0.5
"""Share of the scale from which the overlay is opaque; below, it fades, so weak relevance hides nothing."""


def heatmap_picture(relevance: Intensity, *, view: Sequence[float], shape: Shape, top: float) -> bytes:
    """A PNG over the whole image plane: positive relevance in inferno, transparent where it is 0 or unseen.

    `view` is x, y, width, height of the part that the grid covers, in image coordinates; `shape` is the
    image's; `top` is the relevance at the upper end of the colour scale.
    """
    placed = place(relevance, _placement(relevance.shape, view, shape))
    share = np.clip(placed / top, 0, 1) if top > 0 else np.zeros_like(placed)
    return _palette_png(np.rint(share * (LEVELS - 1)).astype(np.uint8))


def scale_picture() -> bytes:
    """The colour scale of the heatmap pictures from 0 (left) to its upper end: a PNG one pixel high."""
    return _palette_png(np.arange(LEVELS, dtype=np.uint8)[None, :])


def thumbnail(png: bytes) -> bytes:
    """A small JPEG of a grey PNG, its longer side at most `THUMBNAIL_EDGE`."""
    pixels = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    rows, columns = _within(pixels.shape[:2], THUMBNAIL_EDGE)
    small = cv2.resize(pixels, (columns, rows), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 82])[1].tobytes()


def _placement(grid: tuple[int, ...], view: Sequence[float], shape: Shape) -> Placement:
    """From a grid over `view` to the picture, whose pixels divide the image's plane edge to edge."""
    picture = _within(shape, HEATMAP_EDGE)
    left, top, width, height = view
    ratio = (picture[0] / shape[0], picture[1] / shape[1])
    cell = (height / grid[0] * ratio[0], width / grid[1] * ratio[1])
    return Placement(
        model_shape=(grid[0], grid[1]),
        image_shape=picture,
        scale=cell,
        offset=((top + 0.5) * ratio[0] - 0.5 + cell[0] / 2, (left + 0.5) * ratio[1] - 0.5 + cell[1] / 2),
    )


def _within(shape: Sequence[int], edge: int) -> Shape:
    """`shape` shrunk to a longer side of `edge`, proportions kept; a smaller one is left as it is."""
    factor = min(1.0, edge / max(shape))
    return max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor))


def _palette_png(levels: NDArray[np.uint8]) -> bytes:
    ramp = cv2.applyColorMap(np.arange(LEVELS, dtype=np.uint8)[:, None], cv2.COLORMAP_INFERNO)[:, 0, ::-1]
    alpha = np.clip(np.arange(LEVELS) / ((LEVELS - 1) * SOLID_FROM), 0, 1)
    picture = PillowImage.fromarray(levels)
    picture.putpalette(np.ascontiguousarray(ramp).tobytes())
    file = BytesIO()
    picture.save(file, "PNG", transparency=np.rint(alpha * 255).astype(np.uint8).tobytes())
    return file.getvalue()
