"""Figure: outlines over an image as SVG paths, in image coordinates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.reporting.run_folder import Case

READER_COLOURS = 6
"""Number of reader colours, classes reader-0 … reader-5 of the style sheet; further readers reuse them."""


DOT = 0.01
"""Radius of a point annotation, as a share of the image's width."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """One reader's annotation as an SVG path."""

    reader: str
    colour: int
    path: str
    """SVG path; empty if the reader says that the finding is absent."""


def polygons(outlines: Iterable[Sequence[Sequence[float]]]) -> str:
    """Closed polygons of (x, y) as one SVG path; with fill-rule evenodd, holes stay empty."""
    return "".join(
        "M" + "L".join(f"{_short(x)} {_short(y)}" for x, y in outline) + "Z"
        for outline in outlines
        if outline
    )


def open_lines(lines: Iterable[Sequence[Sequence[float]]]) -> str:
    """Open lines of (x, y) as one SVG path."""
    return "".join("M" + "L".join(f"{_short(x)} {_short(y)}" for x, y in line) for line in lines if line)


def rectangles(boxes: Iterable[Sequence[float]]) -> str:
    """Boxes of x, y, width, height as one SVG path."""
    return "".join(f"M{_short(x)} {_short(y)}h{_short(w)}v{_short(h)}h{_short(-w)}Z" for x, y, w, h in boxes)


def dots(points: Iterable[Sequence[float]], *, radius: float) -> str:
    """Points of (x, y) as one SVG path of circles."""
    r = _short(radius)
    return "".join(
        f"M{_short(x - radius)} {_short(y)}a{r} {r} 0 1 0 {_short(2 * radius)} 0"
        f"a{r} {r} 0 1 0 {_short(-2 * radius)} 0Z"
        for x, y in points
    )


def view_box(case: Case) -> str:
    """The viewBox of an image, edge to edge: pixel (0, 0) covers -0.5 … 0.5."""
    return f"-0.5 -0.5 {case['columns']} {case['rows']}"


def reader_outlines(case: Case, finding: str, readers: Sequence[str]) -> tuple[Annotation, ...]:
    """Each reader's annotation of a finding; the reader's index in `readers` decides the colour."""
    return tuple(
        Annotation(
            reader=reference["reader"],
            colour=readers.index(reference["reader"]) % READER_COLOURS,
            path=polygons(reference["outlines"])
            + rectangles(reference["boxes"])
            + dots(reference.get("points", ()), radius=DOT * case["columns"]),
        )
        for reference in case["references"]
        if reference["finding"] == finding
    )


def entries_of(entries: Iterable[dict[str, Any]], finding: str, method: str | None) -> list[dict[str, Any]]:
    """The entries of a list in case.json that have this finding and method."""
    return [entry for entry in entries if (entry["finding"], entry["method"]) == (finding, method)]


def _short(value: float) -> str:
    return f"{_rounded(value):g}"


def _rounded(value: float) -> float:
    return round(value, 2)
