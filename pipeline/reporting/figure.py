"""Figure: an image with its outlines as SVG, in image coordinates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.reporting import words
from pipeline.reporting.run_folder import Case

EDGE = -0.5
"""Of the image, left and top: half a pixel from the centre of its first pixel."""
READER_COLOURS = 6
"""The classes reader-0 … reader-5 of the style sheet; further readers start over."""
BAR_LENGTHS_MM = (1, 2, 5, 10, 20, 50, 100, 200)
BAR_SHARE = 0.25
"""Of the image's width, at most, for the scale bar."""
MARGIN = 0.04
"""Of the image's sides, from its edge to the scale bar."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one reader drew."""

    reader: str
    colour: int
    kind: str
    finding: str
    path: str
    """Empty where the reader says that it is not there."""
    count: int


@dataclass(frozen=True, slots=True)
class ScaleBar:
    """A length in millimetres along a row."""

    text: str
    x: float
    y: float
    length: float
    font_size: float


def polygons(outlines: Iterable[Sequence[Sequence[float]]]) -> str:
    """Closed polygons of (x, y) as one SVG path; drawn with fill-rule evenodd, holes stay open."""
    return "".join(
        "M" + "L".join(f"{_short(x)} {_short(y)}" for x, y in outline) + "Z"
        for outline in outlines
        if outline
    )


def rectangles(boxes: Iterable[Sequence[float]]) -> str:
    """Boxes of x, y, width, height as one SVG path."""
    return "".join(f"M{_short(x)} {_short(y)}h{_short(w)}v{_short(h)}h{_short(-w)}Z" for x, y, w, h in boxes)


def view_box(case: Case) -> str:
    """The image's plane, edge to edge: pixel (0, 0) covers -0.5 … 0.5."""
    return f"-0.5 -0.5 {case['columns']} {case['rows']}"


def contours(case: Case, finding: str, method: str | None) -> str:
    """The network's contours as one path."""
    return "".join(polygons(region["outlines"]) for region in of(case["regions"], finding, method))


def reader_outlines(case: Case, finding: str, readers: Sequence[str]) -> tuple[Annotation, ...]:
    """What each reader drew of a finding, colours by the reader's place in `readers`."""
    return tuple(
        Annotation(
            reader=reference["reader"],
            colour=readers.index(reference["reader"]) % READER_COLOURS,
            kind=reference["kind"],
            finding=finding,
            path=polygons(reference["outlines"]) + rectangles(reference["boxes"]),
            count=len(reference["boxes"]) or len(reference["outlines"]),
        )
        for reference in case["references"]
        if reference["finding"] == finding
    )


def of(entries: Iterable[dict[str, Any]], finding: str, method: str | None) -> list[dict[str, Any]]:
    """The entries of a case.json list that are about one finding and method."""
    return [entry for entry in entries if (entry["finding"], entry["method"]) == (finding, method)]


def unseen(case: Case) -> str:
    """The edge of what the network saw as a path; empty where it saw the whole image."""
    x, y, width, height = case["view"]
    right, bottom = case["columns"] + EDGE, case["rows"] + EDGE
    whole = x <= EDGE and y <= EDGE and x + width >= right and y + height >= bottom
    return "" if whole else rectangles([case["view"]])


def scale_bar(case: Case) -> ScaleBar | None:
    """The longest round length within a quarter of the image's width; None where no spacing is known."""
    if not case["spacing_mm"]:
        return None
    spacing, columns, rows = case["spacing_mm"][1], case["columns"], case["rows"]
    fitting = [length for length in BAR_LENGTHS_MM if length / spacing <= BAR_SHARE * columns]
    if not fitting:
        return None
    return ScaleBar(
        text=f"{fitting[-1]} mm",
        x=_rounded(columns * MARGIN),
        y=_rounded(rows * (1 - MARGIN)),
        length=_rounded(fitting[-1] / spacing),
        font_size=_rounded(max(columns, rows) * 0.024),
    )


def area(region: dict[str, Any]) -> str:
    """A contour's area in mm² where the spacing is known."""
    return "" if region["area_mm2"] is None else words.quantity(region["area_mm2"])


def _short(value: float) -> str:
    return f"{_rounded(value):g}"


def _rounded(value: float) -> float:
    return round(value, 2)
