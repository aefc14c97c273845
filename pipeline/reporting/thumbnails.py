"""Thumbnails: contours and annotations of an image as an SVG that lists lay over its thumbnail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from pipeline.reporting import figure
from pipeline.reporting.drawn_contours import ContourPaths, drawn_contours
from pipeline.reporting.run_folder import Case

OUTLINES = "outlines.svg"
"""File in the folder of a case."""
EDGE = 192
"""Longer side of the SVG's coordinates: twice that of a list's thumbnail, so that whole numbers will do."""
NETWORK = "#38d3ff"
READERS = "#b9f53f"
"""Colours of figures.css, which a picture cannot read; all readers have one, because lines of few pixels
would not tell several apart."""
SHAPES = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {columns:g} {rows:g}" fill="none" '
    'fill-rule="evenodd" stroke-linejoin="round">'
    '<path stroke="#000" stroke-opacity=".55" stroke-width="6" d="{readers}{network}"/>'
    f'<path stroke="{READERS}" stroke-width="3" stroke-dasharray="9 5" d="{{readers}}"/>'
    f'<path stroke="{NETWORK}" stroke-width="1" d="{{beyond}}"/>'
    f'<path stroke="{NETWORK}" stroke-width="3" d="{{network}}"/></svg>\n'
)

Outline: TypeAlias = Sequence[Sequence[float]]


def outlines_svg(case: Case, method: str | None) -> str:
    """The contours of `method` and all readers' annotations of every finding, edge to edge."""
    scale = EDGE / max(case["rows"], case["columns"])
    references = case["references"]
    radius = figure.DOT * case["columns"] * scale
    contours = _contours(case, method, scale)
    drawn = [outline for r in references for outline in r["outlines"]]
    boxes = [[(x + 0.5) * scale, (y + 0.5) * scale, w * scale, h * scale]
             for r in references for x, y, w, h in r["boxes"]]  # fmt: skip
    points = [point for r in references for point in r.get("points", ())]
    return SHAPES.format(
        columns=round(case["columns"] * scale, 2),
        rows=round(case["rows"] * scale, 2),
        network=contours.within,
        beyond=contours.beyond,
        readers=figure.polygons(_scaled(drawn, scale))
        + figure.rectangles(boxes)
        + figure.dots([_placed(point, scale) for point in points], radius=radius),
    )


def _contours(case: Case, method: str | None, scale: float) -> ContourPaths:
    """The contours of every finding."""
    findings = dict.fromkeys(region["finding"] for region in case["regions"] if region["method"] == method)
    parts = [drawn_contours(case, finding, method) for finding in findings]
    closed, inside, beyond = (
        [*_scaled((line for part in parts for line in getattr(part, name)), scale)]
        for name in ("closed", "inside", "beyond")
    )
    return ContourPaths(figure.polygons(closed) + figure.open_lines(inside), figure.open_lines(beyond))


def _scaled(outlines: Iterable[Outline], scale: float) -> Iterator[list[tuple[float, float]]]:
    """Outlines on whole numbers, without points that repeat the one before."""
    for outline in outlines:
        placed = [_placed(point, scale) for point in outline]
        yield [point for before, point in zip([None, *placed], placed, strict=False) if point != before]


def _placed(point: Sequence[float], scale: float) -> tuple[float, float]:
    x, y = point
    return round((x + 0.5) * scale), round((y + 0.5) * scale)
