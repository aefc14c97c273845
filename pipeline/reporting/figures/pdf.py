"""PDF: a figure as vectors over pixels, by ReportLab, which embeds the font; the extra `pdf` installs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from PIL import Image

from pipeline import __version__
from pipeline.errors import ConfigError
from pipeline.reporting.figures.lettering import Lettering, writable
from pipeline.reporting.figures.primitives import (
    Area,
    Dot,
    Drawing,
    Frame,
    Item,
    Line,
    Picture,
    Words,
    rgb_of,
)
from pipeline.reporting.figures.style import HALO, HALO_OPACITY, HALO_WIDTH

FONT = "Figure"
ROUND = 1
"""Line join of PDF, ISO 32000-1, table 55."""


def as_pdf(drawing: Drawing, *, lettering: Lettering) -> bytes:
    """The content of a PDF file of one page as large as the figure.

    Raises ConfigError if ReportLab is not installed, or cannot embed the font.
    """
    try:
        from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415  # an extra
        from reportlab.pdfbase.ttfonts import TTFError, TTFont  # noqa: PLC0415
        from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigError(
            'PDF needs ReportLab: pip install "heatproof[pdf]", or give --out the ending .svg or .png'
        ) from error
    try:
        pdfmetrics.registerFont(TTFont(FONT, BytesIO(lettering.content)))
    except TTFError as error:
        raise ConfigError(
            "--font: the font cannot be embedded in a PDF; give a TrueType font (.ttf)"
        ) from error
    buffer = BytesIO()
    canvas = Canvas(buffer, pagesize=(drawing.width, drawing.height), invariant=1, pageCompression=1)
    canvas.setTitle(writable(drawing.title))
    canvas.setSubject(writable(drawing.description))
    canvas.setCreator(f"Heatproof {__version__}")
    canvas.setAuthor("")
    page = _Page(canvas, drawing.height)
    for item in drawing.items:
        page.draw(item)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


class _Page:
    """A canvas whose origin is at the bottom left, as PDF's is."""

    def __init__(self, canvas: Any, height: float) -> None:
        self.canvas = canvas
        self.height = height

    def draw(self, item: Item) -> None:
        """Draw one item."""
        match item:
            case Picture():
                self._picture(item)
            case Area():
                self._fill(item.colour)
                self.canvas.rect(*self._corner(item.frame), stroke=0, fill=1)
            case Line():
                self._line(item)
            case Dot():
                self._dot(item)
            case Words():
                self._words(item)

    def _picture(self, picture: Picture) -> None:
        from reportlab.lib.utils import ImageReader  # noqa: PLC0415

        left, bottom, width, height = self._corner(picture.frame)
        self.canvas.drawImage(ImageReader(Image.fromarray(picture.pixels)), left, bottom, width, height)

    def _line(self, line: Line) -> None:
        with self._within(line.clip):
            self.canvas.setLineJoin(ROUND)
            self.canvas.setDash(list(line.dashes), 0)
            path = self.canvas.beginPath()
            (x, y), *others = line.points
            path.moveTo(x, self.height - y)
            for x, y in others:
                path.lineTo(x, self.height - y)
            if line.closed:
                path.close()
            if line.halo:
                self._stroke(HALO, HALO_OPACITY, line.width + 2 * HALO_WIDTH)
                self.canvas.drawPath(path, stroke=1, fill=0)
            self._stroke(line.colour, 1, line.width)
            self.canvas.drawPath(path, stroke=1, fill=0)

    def _dot(self, dot: Dot) -> None:
        with self._within(dot.clip):
            if dot.halo:
                self._fill(HALO, HALO_OPACITY)
                self.canvas.circle(dot.x, self.height - dot.y, dot.radius + HALO_WIDTH, stroke=0, fill=1)
            self._fill(dot.colour)
            self.canvas.circle(dot.x, self.height - dot.y, dot.radius, stroke=0, fill=1)

    def _words(self, words: Words) -> None:
        for seam in (True, False) if words.halo else (False,):
            with self._within(None):
                text = self.canvas.beginText()
                text.setFont(FONT, words.size)
                line = writable(words.text)
                width = self.canvas.stringWidth(line, FONT, words.size)
                left = words.x - {"start": 0, "middle": width / 2, "end": width}[words.anchor]
                text.setTextOrigin(left, self.height - words.y)
                text.setTextRenderMode(1 if seam else 0)  # 1: outlines, ISO 32000-1, table 106
                self._stroke(HALO, HALO_OPACITY, 2 * HALO_WIDTH)
                self._fill(words.colour)
                text.textOut(line)
                self.canvas.drawText(text)

    @contextmanager
    def _within(self, clip: Frame | None) -> Iterator[None]:
        self.canvas.saveState()
        if clip is not None:
            path = self.canvas.beginPath()
            path.rect(*self._corner(clip))
            self.canvas.clipPath(path, stroke=0, fill=0)
        yield
        self.canvas.restoreState()

    def _corner(self, frame: Frame) -> tuple[float, float, float, float]:
        return frame.x, self.height - frame.y - frame.height, frame.width, frame.height

    def _fill(self, colour: str, opacity: float = 1) -> None:
        self.canvas.setFillColorRGB(*(part / 255 for part in rgb_of(colour)), alpha=opacity)

    def _stroke(self, colour: str, opacity: float, width: float) -> None:
        self.canvas.setStrokeColorRGB(*(part / 255 for part in rgb_of(colour)), alpha=opacity)
        self.canvas.setLineWidth(width)
