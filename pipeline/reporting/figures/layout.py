"""Layout: rows of panels (image, reference, maps) with scales, legend and caption, on one page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from pipeline.reporting import words
from pipeline.reporting.figures.colour_maps import Shading, resized, strip
from pipeline.reporting.figures.lettering import Lettering
from pipeline.reporting.figures.panels import Panel, PanelRow
from pipeline.reporting.figures.primitives import (
    POINTS_PER_INCH,
    Area,
    Dot,
    Drawing,
    Frame,
    Item,
    Line,
    Picture,
    Words,
)
from pipeline.reporting.figures.stored import Outline
from pipeline.reporting.figures.style import (
    BAR_STROKE,
    BEHIND,
    GAP,
    LEADING,
    MUTED,
    NETWORK,
    PEAK_RADIUS,
    POINT_RADIUS,
    READERS,
    SMALL,
    STROKE,
    TEXT,
    THIN,
    dashes_of,
)

LENGTHS_MM: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200)
"""Of scale bars, as on a case page."""
BAR_SHARE: Final = 0.25
"""Of a panel's width, at most."""
TALLEST: Final = 1.5
"""Height of a panel in widths, at most; taller images are narrower than their panel."""
STRIP: Final = 4.0
"""Height of a scale of colours."""
SWATCH: Final = (16.0, 7.0)
"""Width and height of a line in the legend."""
INSET: Final = 4.0
"""Distance of a scale bar from the corner of its image."""
TITLE_LINES: Final = 3
NOTHING: Final = np.zeros((0, 0, 3), np.uint8)
"""In place of pixels that are drawn already."""


@dataclass(frozen=True, slots=True)
class Page:
    """What all rows of a figure share."""

    width: float
    dpi: float
    columns: int
    """Panels in a row."""
    shading: Shading
    lettering: Lettering

    @property
    def panel_width(self) -> float:
        """Points."""
        return (self.width - (self.columns - 1) * GAP) / self.columns

    def snapped(self, value: float) -> float:
        """The nearest edge between pixels, so that lines lie on their image in pixels, too."""
        scale = self.dpi / POINTS_PER_INCH
        return round(value * scale) / scale


def lay_out(rows: Iterable[PanelRow], page: Page, *, title: str, caption: str) -> Drawing:
    """The figure; rows are taken one by one, so that only one image at a time is in memory at full size."""
    items: list[Item] = []
    shown: list[Panel] = []
    descriptions: list[str] = []
    top = 0.0
    for number, row in enumerate(rows):
        made, top = _row(row, page, top=top + (GAP if number else 0), titled=not number)
        items += made
        descriptions.append(row.description)
        shown += [replace(panel, pixels=NOTHING) for panel in row.panels]
    legend, top = _legend(_entries(shown), page, top=top + GAP / 2)
    written, top = _text(caption, page, top=top, size=SMALL, colour=MUTED)
    described = " ".join((*descriptions, caption))
    return Drawing(page.width, page.snapped(top + 1), (*items, *legend, *written), title, described)


def bar_length(spacing: float, *, pixel: float, width: float) -> float | None:
    """Millimetres of the longest round scale bar within a quarter of a panel; None if there is none.

    `spacing`: millimetres per pixel of the image; `pixel`: its width on the page; `width`: the panel's.
    """
    fitting = [length for length in LENGTHS_MM if length / spacing * pixel <= BAR_SHARE * width]
    return max(fitting, default=None)


def _row(row: PanelRow, page: Page, *, top: float, titled: bool) -> tuple[list[Item], float]:
    """The items of a row and where it ends: what it is of, titles in the first row, panels, scales."""
    items, top = _text(row.label, page, top=top, size=TEXT)
    lefts = [page.snapped(index * (page.panel_width + GAP)) for index in range(page.columns)]
    if titled:
        made, top = _titles(row, page, lefts, top=top)
        items += made
    top = page.snapped(top + 1)
    height = page.snapped(min(page.panel_width * row.height / row.width, page.panel_width * TALLEST))
    width = page.snapped(min(page.panel_width, height * row.width / row.height))
    below = top
    for left, panel in zip(lefts, row.panels, strict=False):
        inset = page.snapped((page.panel_width - width) / 2)
        frame = Frame(left + inset, top, width, height)
        items += _panel(panel, row, frame, page)
        made, end = _scale(panel, Frame(left, top + height, page.panel_width, 0), page)
        items += made
        below = max(below, end)
    return items, below


def _titles(row: PanelRow, page: Page, lefts: Sequence[float], *, top: float) -> tuple[list[Item], float]:
    """The titles of all columns, whose last lines are side by side."""
    found = [
        page.lettering.lines(panel.title, width=page.panel_width, size=TEXT, most=TITLE_LINES)
        for panel in row.panels
    ]
    most = max(map(len, found), default=0)
    items: list[Item] = [
        Words(left, top + (most - len(lines) + index + 1) * TEXT * LEADING, line, TEXT, colour=MUTED)
        for left, lines in zip(lefts, found, strict=False)
        for index, line in enumerate(lines)
    ]
    return items, top + most * TEXT * LEADING + 1


def _panel(panel: Panel, row: PanelRow, frame: Frame, page: Page) -> Iterator[Item]:
    scale = page.dpi / POINTS_PER_INCH
    rows, columns = max(1, round(frame.height * scale)), max(1, round(frame.width * scale))
    yield Picture(frame, resized(panel.pixels, rows=rows, columns=columns))
    across, down = frame.width / row.columns, frame.height / row.rows
    corner, steps = np.array([frame.x, frame.y]), np.array([across, down])

    def placed(points: ArrayLike) -> Outline:  # (0, 0) is the centre of the first pixel, not its corner
        return np.asarray(corner + (np.asarray(points, np.float64) + 0.5) * steps)

    for reading in panel.readings:
        colour = READERS[reading.colour]
        for outline in reading.outlines:
            yield Line(
                placed(outline), colour, STROKE, closed=True, dashes=dashes_of(reading.colour), clip=frame
            )
        for x, y in map(placed, reading.points):
            yield Dot(float(x), float(y), POINT_RADIUS, colour, clip=frame)
    for line in panel.outlines.beyond:
        yield Line(placed(line), NETWORK, THIN, clip=frame)
    for outline in panel.outlines.closed:
        yield Line(placed(outline), NETWORK, STROKE, closed=True, clip=frame)
    for line in panel.outlines.inside:
        yield Line(placed(line), NETWORK, STROKE, clip=frame)
    if panel.peak:
        x, y = placed(panel.peak)
        yield Dot(float(x), float(y), PEAK_RADIUS, NETWORK, clip=frame)
    if panel.bar and row.spacing_mm:
        yield from _bar(row.spacing_mm[1], across, frame)


def _bar(spacing: float, pixel: float, frame: Frame) -> Iterator[Item]:
    length = bar_length(spacing, pixel=pixel, width=frame.width)
    if length is not None:
        left, bottom = frame.x + INSET, frame.y + frame.height - INSET
        ends = np.array([[left, bottom], [left + length / spacing * pixel, bottom]])
        yield Line(ends, "#ffffff", BAR_STROKE)
        yield Words(left, bottom - BAR_STROKE - 1, f"{length:g} mm", SMALL, "#ffffff", halo=True)


def _scale(panel: Panel, under: Frame, page: Page) -> tuple[list[Item], float]:
    """The scale of colours under a map, and what there is to say of it."""
    items: list[Item] = []
    top = under.y + 2
    if panel.top:
        pixels = strip(page.shading, round(under.width * page.dpi / POINTS_PER_INCH))
        top, end = page.snapped(top), page.snapped(top + STRIP)
        frame = Frame(under.x, top, page.snapped(under.width), end - top)
        rows, columns = (round(side * page.dpi / POINTS_PER_INCH) for side in (frame.height, frame.width))
        items.append(Picture(frame, resized(pixels, rows=max(rows, 1), columns=max(columns, 1))))
        top = end + SMALL * LEADING
        ends = f"{words.quantity(panel.top)} {panel.unit}".strip()
        items.append(Words(under.x, top, "0", SMALL, MUTED))
        items.append(Words(under.x + under.width, top, ends, SMALL, MUTED, anchor="end"))
    for line in page.lettering.lines(panel.note, width=under.width, size=SMALL):
        top += SMALL * LEADING
        items.append(Words(under.x, top, line, SMALL, MUTED))
    return items, top + 2


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of the legend."""

    text: str
    colour: str
    width: float = STROKE
    """0: a dot."""
    dashes: tuple[float, ...] = ()


def _entries(panels: Sequence[Panel]) -> list[_Entry]:
    """What the lines and dots over the images are."""
    found: list[_Entry] = []
    if any(panel.outlines.closed or panel.outlines.inside for panel in panels):
        found.append(_Entry("contour of the map", NETWORK))
    if any(panel.outlines.beyond for panel in panels):
        found.append(_Entry("beyond the centres of its outermost cells", NETWORK, THIN))
    if any(panel.peak for panel in panels):
        found.append(_Entry("highest point of the map", NETWORK, 0))
    readings = [reading for panel in panels for reading in panel.readings if reading.is_there]
    readers = {reading.reader: reading.colour for reading in readings}
    return found + [
        _Entry(f"reader: {name}", READERS[colour], dashes=dashes_of(colour))
        for name, colour in readers.items()
    ]


def _legend(entries: Sequence[_Entry], page: Page, *, top: float) -> tuple[list[Item], float]:
    """The legend, on the dark that its lines are drawn for."""
    items: list[Item] = []
    wide, high = SWATCH
    left, line = 0.0, top
    for entry in entries:
        (shown,) = page.lettering.lines(entry.text, width=page.width - wide - GAP, size=SMALL, most=1)
        needed = wide + 3 + page.lettering.width(shown, SMALL)
        if left and left + needed > page.width:
            left, line = 0.0, line + high + 3
        frame = Frame(page.snapped(left), page.snapped(line), page.snapped(wide), page.snapped(high))
        middle = frame.y + frame.height / 2
        items.append(Area(frame, BEHIND))
        if entry.width:
            ends = np.array([[frame.x + 1, middle], [frame.x + frame.width - 1, middle]])
            items.append(Line(ends, entry.colour, entry.width, dashes=entry.dashes, halo=False))
        else:
            items.append(Dot(frame.x + frame.width / 2, middle, PEAK_RADIUS, entry.colour, halo=False))
        items.append(Words(left + wide + 3, line + high - 1.2, shown, SMALL))
        left += needed + 2 * GAP
    return items, line + high + 1 if entries else top


def _text(
    text: str, page: Page, *, top: float, size: float, colour: str = "#1a1e22"
) -> tuple[list[Item], float]:
    lines = page.lettering.lines(text, width=page.width, size=size)
    items: list[Item] = [
        Words(0, top + (index + 1) * size * LEADING, line, size, colour) for index, line in enumerate(lines)
    ]
    return items, top + len(lines) * size * LEADING + size * (LEADING - 1)
