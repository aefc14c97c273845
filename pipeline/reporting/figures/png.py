"""PNG: a figure as pixels."""

from __future__ import annotations

from io import BytesIO
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from pipeline import __version__
from pipeline.reporting.figures.lettering import Lettering, writable
from pipeline.reporting.figures.primitives import (
    POINTS_PER_INCH,
    RGB,
    Area,
    Dot,
    Drawing,
    Frame,
    Line,
    Picture,
    Words,
    rgb_of,
)
from pipeline.reporting.figures.strokes import Coverage, disc, stroke
from pipeline.reporting.figures.style import HALO, HALO_OPACITY, HALO_WIDTH, PAPER

ANCHORS = {"start": "ls", "middle": "ms", "end": "rs"}
FINER = 4
"""Times by which letters are drawn larger: at whole pixels their distances would be rounded."""


def as_png(drawing: Drawing, *, dpi: float, lettering: Lettering) -> bytes:
    """The content of a PNG file with title and resolution."""
    info = PngInfo()
    for key, text in (
        ("Title", drawing.title),
        ("Description", drawing.description),
        ("Software", f"Heatproof {__version__}"),
    ):
        info.add_itxt(key, writable(text))
    buffer = BytesIO()
    pixels = pixels_of(drawing, dpi=dpi, lettering=lettering)
    Image.fromarray(pixels).save(buffer, "PNG", dpi=(dpi, dpi), pnginfo=info)
    return buffer.getvalue()


def pixels_of(drawing: Drawing, *, dpi: float, lettering: Lettering) -> RGB:
    """The figure's pixels, (rows, columns, 3)."""
    scale = dpi / POINTS_PER_INCH
    canvas = np.empty((round(drawing.height * scale), round(drawing.width * scale), 3), np.uint8)
    canvas[:] = rgb_of(PAPER)
    for item in drawing.items:
        match item:
            case Picture():
                _part(canvas, item.frame, scale)[:] = item.pixels
            case Area():
                _part(canvas, item.frame, scale)[:] = rgb_of(item.colour)
            case Line():
                _line(canvas, item, scale)
            case Dot():
                _dot(canvas, item, scale)
            case Words():
                _words(canvas, item, scale, lettering)
    return canvas


def _part(canvas: RGB, frame: Frame, scale: float) -> RGB:
    """The pixels of a rectangle, whose edges lie between pixels."""
    left, top = round(frame.x * scale), round(frame.y * scale)
    right, bottom = round((frame.x + frame.width) * scale), round((frame.y + frame.height) * scale)
    return canvas[top:bottom, left:right]


def _clipped(canvas: RGB, clip: Frame | None, scale: float) -> tuple[RGB, NDArray[np.float64]]:
    """The pixels that may be drawn on, and the (x, y) of their corner."""
    if clip is None:
        return canvas, np.zeros(2)
    corner = np.array([round(clip.x * scale), round(clip.y * scale)], np.float64)
    return _part(canvas, clip, scale), corner


def _line(canvas: RGB, line: Line, scale: float) -> None:
    part, corner = _clipped(canvas, line.clip, scale)
    points = line.points * scale - corner
    dashes = [length * scale for length in line.dashes]
    for colour, opacity, width in _coats(line.colour, line.width, HALO_WIDTH * 2, halo=line.halo):
        coverage = np.zeros(part.shape[:2], np.float32)
        stroke(coverage, points, width=width * scale, closed=line.closed, dashes=dashes)
        _paint(part, coverage * np.float32(opacity), colour)


def _dot(canvas: RGB, dot: Dot, scale: float) -> None:
    part, (left, top) = _clipped(canvas, dot.clip, scale)
    for colour, opacity, radius in _coats(dot.colour, dot.radius, HALO_WIDTH, halo=dot.halo):
        coverage = np.zeros(part.shape[:2], np.float32)
        disc(coverage, dot.x * scale - left, dot.y * scale - top, radius=radius * scale)
        _paint(part, coverage * np.float32(opacity), colour)


def _coats(colour: str, size: float, wider: float, *, halo: bool) -> list[tuple[str, float, float]]:
    """Colour, opacity and size of the seam, if there is one, and of what lies on it."""
    return [*([(HALO, HALO_OPACITY, size + wider)] if halo else []), (colour, 1.0, size)]


def _words(canvas: RGB, words: Words, scale: float, lettering: Lettering) -> None:
    font, text = lettering.at(words.size * scale * FINER), writable(words.text)
    seam = HALO_WIDTH * scale * FINER if words.halo else 0.0
    left, top, right, bottom = font.getbbox(text, anchor=ANCHORS[words.anchor], stroke_width=seam)
    x, y = words.x * scale, words.y * scale
    corner = floor(x + left / FINER) - 1, floor(y + top / FINER) - 1
    size = ceil((right - left) / FINER) + 3, ceil((bottom - top) / FINER) + 3
    place = (x - corner[0]) * FINER, (y - corner[1]) * FINER
    for colour, opacity, width in [*([(HALO, HALO_OPACITY, seam)] if seam else []), (words.colour, 1.0, 0.0)]:
        sheet = Image.new("L", (size[0] * FINER, size[1] * FINER))
        pen = ImageDraw.Draw(sheet)
        pen.text(place, text, 255, font=font, anchor=ANCHORS[words.anchor], stroke_width=width)
        shares = np.asarray(sheet.reduce(FINER), np.float32) * np.float32(opacity / 255)
        _paint_at(canvas, corner, shares, colour)


def _paint_at(canvas: RGB, corner: tuple[int, int], coverage: Coverage, colour: str) -> None:
    """Paint where the coverage, whose first pixel lies at `corner` (x, y), is on the canvas."""
    x, y = corner
    rows, columns = coverage.shape
    inside = coverage[max(-y, 0) : max(canvas.shape[0] - y, 0), max(-x, 0) : max(canvas.shape[1] - x, 0)]
    _paint(canvas[max(y, 0) : max(y + rows, 0), max(x, 0) : max(x + columns, 0)], inside, colour)


def _paint(pixels: RGB, coverage: Coverage, colour: str) -> None:
    """Lay a colour over the pixels, as opaque as they are covered."""
    rows, columns = np.flatnonzero(coverage.any(axis=1)), np.flatnonzero(coverage.any(axis=0))
    if not rows.size:
        return
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    share = coverage[part][..., None]
    mixed = pixels[part] * (1 - share) + np.array(rgb_of(colour), np.float32) * share
    pixels[part] = np.floor(mixed + 0.5)
