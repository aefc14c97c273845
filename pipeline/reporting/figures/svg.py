"""SVG: a figure as vectors over pixels, in one file that loads nothing."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from io import BytesIO
from xml.sax.saxutils import escape, quoteattr

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.reporting.figures.lettering import FALLBACKS, writable
from pipeline.reporting.figures.primitives import (
    MM_PER_INCH,
    POINTS_PER_INCH,
    RGB,
    Area,
    Dot,
    Drawing,
    Frame,
    Item,
    Line,
    Picture,
    Words,
)
from pipeline.reporting.figures.style import HALO, HALO_OPACITY, HALO_WIDTH, PAPER


def as_svg(drawing: Drawing) -> bytes:
    """The content of an SVG file in millimetres, with its title and alternative text."""
    width, height = (side / POINTS_PER_INCH * MM_PER_INCH for side in (drawing.width, drawing.height))
    clips = dict.fromkeys(
        item.clip for item in drawing.items if isinstance(item, Line | Dot) and item.clip is not None
    )
    names = {clip: f"clip-{number}" for number, clip in enumerate(clips, 1)}
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.5g}mm" height="{height:.5g}mm" '
            f'viewBox="0 0 {_short(drawing.width)} {_short(drawing.height)}" role="img">'
        ),
        f"<title>{_text(drawing.title)}</title>",
        f"<desc>{_text(drawing.description)}</desc>",
        "<defs>",
        *(f'<clipPath id="{name}"><rect {_box(clip)}/></clipPath>' for clip, name in names.items()),
        "</defs>",
        f'<rect width="100%" height="100%" fill="{PAPER}"/>',
        *(line for item in drawing.items for line in _item(item, names)),
        "</svg>",
    ]
    return "\n".join([*lines, ""]).encode("utf-8")


def _item(item: Item, names: dict[Frame, str]) -> Iterator[str]:
    match item:
        case Picture():
            yield (
                f'<image {_box(item.frame)} preserveAspectRatio="none" '
                f'href="data:image/png;base64,{_png(item.pixels)}"/>'
            )
        case Area():
            yield f'<rect {_box(item.frame)} fill="{item.colour}"/>'
        case Line():
            yield from _line(item, names)
        case Dot():
            yield from _dot(item, names)
        case Words():
            yield _words(item)


def _line(line: Line, names: dict[Frame, str]) -> Iterator[str]:
    dashes = " ".join(_short(length) for length in line.dashes)
    shape = (
        f'<path d="{_path(line.points, closed=line.closed)}" fill="none" stroke-linejoin="round"'
        + (f' stroke-dasharray="{dashes}"' if dashes else "")
        + _clip(line.clip, names)
    )
    if line.halo:
        wide = _short(line.width + 2 * HALO_WIDTH)
        yield f'{shape} stroke="{HALO}" stroke-opacity="{HALO_OPACITY}" stroke-width="{wide}"/>'
    yield f'{shape} stroke="{line.colour}" stroke-width="{_short(line.width)}"/>'


def _dot(dot: Dot, names: dict[Frame, str]) -> Iterator[str]:
    shape = f'<circle cx="{_short(dot.x)}" cy="{_short(dot.y)}"{_clip(dot.clip, names)}'
    if dot.halo:
        yield f'{shape} r="{_short(dot.radius + HALO_WIDTH)}" fill="{HALO}" fill-opacity="{HALO_OPACITY}"/>'
    yield f'{shape} r="{_short(dot.radius)}" fill="{dot.colour}"/>'


def _words(words: Words) -> str:
    seam = (
        f' paint-order="stroke" stroke="{HALO}" stroke-opacity="{HALO_OPACITY}" '
        f'stroke-width="{2 * HALO_WIDTH}" stroke-linejoin="round"'
        if words.halo
        else ""
    )
    return (
        f'<text x="{_short(words.x)}" y="{_short(words.y)}" font-size="{_short(words.size)}" '
        f'font-family="{FALLBACKS}" fill="{words.colour}" text-anchor="{words.anchor}"{seam}>'
        f"{_text(words.text)}</text>"
    )


def _path(points: NDArray[np.float64], *, closed: bool) -> str:
    return "M" + "L".join(f"{_short(x)} {_short(y)}" for x, y in points) + ("Z" if closed else "")


def _clip(clip: Frame | None, names: dict[Frame, str]) -> str:
    return f' clip-path="url(#{names[clip]})"' if clip is not None else ""


def _box(frame: Frame) -> str:
    sides = {"x": frame.x, "y": frame.y, "width": frame.width, "height": frame.height}
    return " ".join(f"{name}={quoteattr(_short(value))}" for name, value in sides.items())


def _png(pixels: RGB) -> str:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _text(text: str) -> str:
    return escape(writable(text))


def _short(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
