"""Figure: an image with its outlines as SVG, in image coordinates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.reporting.run_folder import Case

READER_COLOURS = 6
"""The classes reader-0 … reader-5 of the style sheet; further readers start over."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """What one reader drew."""

    reader: str
    colour: int
    path: str
    """Empty where the reader says that it is not there."""


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
            path=polygons(reference["outlines"]) + rectangles(reference["boxes"]),
        )
        for reference in case["references"]
        if reference["finding"] == finding
    )


def of(entries: Iterable[dict[str, Any]], finding: str, method: str | None) -> list[dict[str, Any]]:
    """The entries of a case.json list that are about one finding and method."""
    return [entry for entry in entries if (entry["finding"], entry["method"]) == (finding, method)]


def _short(value: float) -> str:
    return f"{_rounded(value):g}"


def _rounded(value: float) -> float:
    return round(value, 2)
