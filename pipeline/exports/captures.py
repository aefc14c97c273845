"""Captures: an image with contours, readers' annotations and a legend below it, as one RGB picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from pipeline.exports.palette import READERS, Colour, colour_of

RGB: TypeAlias = NDArray[np.uint8]
"""(rows, columns, 3)."""
Line: TypeAlias = NDArray[np.floating]
"""(points, 2) as (x, y); (0, 0) is the centre of the first pixel of the image."""

SHORTEST, LONGEST = 1024, 2048
"""Pixels of the longer side: small images are enlarged, so that lines and texts are thin beside lesions."""
NARROWEST: Final = 640
"""Pixels of the width of the legend."""
PAPER, INK, WARNING, HALO = (16, 18, 20), (235, 235, 235), (255, 120, 100), (0, 0, 0)
FRACTION_BITS: Final = 4
"""Of coordinates that OpenCV draws."""
DASH, GAP = 9.0, 10.0
"""Pixels of a dash and of the gap after it."""
POINT_RADIUS: Final = 6
TEXT_PER_WIDTH: Final = 1 / 46
SMALLEST_TEXT, LARGEST_TEXT = 15, 30
LEADING: Final = 1.35
"""Distance of lines, in sizes of the text."""
MIDDLE: Final = 0.6
"""Of small letters below the top of a line, in sizes of the text."""
NOT_FOR_DIAGNOSIS: Final = "NOT FOR DIAGNOSIS"


@dataclass(frozen=True, slots=True)
class Marks:
    """What one method or reader drew, and what the legend says of it."""

    text: str
    colour: Colour
    lines: tuple[Line, ...]
    points: tuple[tuple[float, float], ...] = ()
    is_dashed: bool = False


def method_marks(text: str, lines: Sequence[Line], *, method: int) -> Marks:
    """The contours of a method, by its place in the run's order."""
    return Marks(text, colour_of(method), tuple(lines))


def reader_marks(text: str, lines: Sequence[Line], points: Sequence[tuple[float, float]]) -> Marks:
    """The annotation of a reader, dashed."""
    return Marks(text, READERS, tuple(lines), tuple(points), is_dashed=True)


def capture(
    picture: RGB, marks: Sequence[Marks], texts: Sequence[str], *, pixel_aspect: float, font: bytes
) -> RGB:
    """The picture with the marks drawn over it, and a legend of marks and texts below it.

    `pixel_aspect` is the height of a pixel divided by its width; the capture's pixels are square.
    """
    rows, columns = picture.shape[0] * max(pixel_aspect, 1), picture.shape[1] / min(pixel_aspect, 1)
    longer = max(rows, columns)
    factor = min(max(longer, SHORTEST), LONGEST) / longer
    size = max(round(columns * factor), 1), max(round(rows * factor), 1)
    drawn = np.array(Pictures.fromarray(picture).resize(size, Pictures.Resampling.BICUBIC))
    scale = np.array([size[0] / picture.shape[1], size[1] / picture.shape[0]])
    for mark in marks:
        _draw(drawn, mark, scale)
    legend = _legend(marks, texts, width=max(size[0], NARROWEST), font=font)
    margin = (legend.shape[1] - size[0]) // 2
    framed = np.full((size[1], legend.shape[1], 3), PAPER, np.uint8)
    framed[:, margin : margin + size[0]] = drawn
    return np.concatenate([framed, legend])


def _draw(drawn: RGB, mark: Marks, scale: NDArray[np.float64]) -> None:
    """Draw with a dark seam, so that lines are seen over every grey."""
    for colour, thickness in ((HALO, 4), (mark.colour, 2)):
        for line in mark.lines:
            points = (np.asarray(line, np.float64) + 0.5) * scale - 0.5
            closed = np.concatenate([points, points[:1]])
            for part in _dashes(closed) if mark.is_dashed else (closed,):
                fixed = np.round(part * 2**FRACTION_BITS).astype(np.int32)
                cv2.polylines(
                    drawn, [fixed], isClosed=False, color=colour, thickness=thickness,
                    lineType=cv2.LINE_AA, shift=FRACTION_BITS,
                )  # fmt: skip
        for point in mark.points:
            centre = np.round(((np.array(point) + 0.5) * scale - 0.5) * 2**FRACTION_BITS).astype(int)
            radius = POINT_RADIUS * 2**FRACTION_BITS
            cv2.circle(
                drawn, (int(centre[0]), int(centre[1])), radius, colour, thickness, cv2.LINE_AA, FRACTION_BITS
            )


def _dashes(points: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """The dashes along the line."""
    lengths = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    for start in np.arange(0, along[-1], DASH + GAP):
        end = min(start + DASH, along[-1])
        inner = points[(along > start) & (along < end)]
        ends = [[np.interp(at, along, points[:, axis]) for axis in (0, 1)] for at in (start, end)]
        yield np.concatenate([ends[:1], inner, ends[1:]])


def _legend(marks: Sequence[Marks], texts: Sequence[str], *, width: int, font: bytes) -> RGB:
    """The first text, the marks with a sample of their lines, the other texts and the warning."""
    size = round(min(max(width * TEXT_PER_WIDTH, SMALLEST_TEXT), LARGEST_TEXT))
    letters, leading, margin = _letters(font, size), round(size * LEADING), size // 2
    after_sample = margin + 3 * size
    entries: list[tuple[Marks | None, str, Colour]] = [(None, text, INK) for text in texts]
    entries[1:1] = [(mark, mark.text, INK) for mark in marks]
    entries.append((None, NOT_FOR_DIAGNOSIS, WARNING))
    lines: list[tuple[int, str, Colour]] = []
    samples: list[tuple[int, Marks]] = []
    for mark, text, colour in entries:
        left = margin if mark is None else after_sample
        if mark is not None:
            samples.append((len(lines), mark))
        lines += [(left, line, colour) for line in _wrapped(text, letters, width - left - margin)]
    strip = Pictures.new("RGB", (width, leading * len(lines) + 2 * margin), PAPER)
    pen = ImageDraw.Draw(strip)
    for number, (left, line, colour) in enumerate(lines):
        pen.text((left, margin + number * leading), line, fill=colour, font=letters)
    drawn = np.array(strip)
    for number, mark in samples:
        middle = margin + number * leading + size * MIDDLE
        ends = np.array([[margin, middle], [after_sample - size // 2, middle]])
        _draw(drawn, replace(mark, lines=(ends,), points=()), np.ones(2))
    return drawn


def _letters(font: bytes, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    if not font:
        return ImageFont.load_default(size)
    return ImageFont.truetype(BytesIO(font), size, layout_engine=ImageFont.Layout.BASIC)


def _wrapped(text: str, letters: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    """The text in lines no wider than `width`; a word that is wider is cut."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and letters.getlength(longer) <= width:
            lines[-1] = longer
        else:
            while letters.getlength(word) > width:
                fits = next(n for n in range(len(word) - 1, 0, -1) if letters.getlength(word[:n]) <= width)
                lines.append(word[:fits])
                word = word[fits:]  # noqa: PLW2901  the rest of a long word
            lines.append(word)
    return lines
