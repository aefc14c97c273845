"""Margins: outlines beyond the centres of a map's outermost cells, where the map is constant by convention.

There they run straight to its edge, and figures draw them thin, as static/margins.js does on pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from pipeline.records import Placement
from pipeline.reporting.figures.stored import Outline

SLACK = 0.01
"""Pixels, to which stored outlines are rounded."""
Point: TypeAlias = list[float]
"""x, y."""
Rectangle: TypeAlias = tuple[tuple[float, float], tuple[float, float]]
"""(least, greatest) column, and row."""


@dataclass(frozen=True, slots=True)
class Split:
    """Outlines by where they lie."""

    closed: tuple[Outline, ...] = ()
    """Wholly between the centres of the outermost cells."""
    inside: tuple[Outline, ...] = ()
    """Open lines: the parts of the others that lie there."""
    beyond: tuple[Outline, ...] = ()
    """Open lines: their other parts."""


def split(outlines: Iterable[Outline], placement: Placement | None) -> Split:
    """Outlines by where they lie on a map's grid; without a map, all are closed."""
    if placement is None:
        return Split(closed=tuple(outlines))
    rectangle = _known(placement)
    closed, inside, beyond = [], [], []
    for outline in outlines:
        if _is_within(outline, rectangle):
            closed.append(outline)
            continue
        parts = _lines(outline.tolist(), rectangle)
        if all(within for _, within in parts):
            closed.append(outline)
        else:
            inside += [line for line, within in parts if within]
            beyond += [line for line, within in parts if not within]
    return Split(tuple(closed), tuple(inside), tuple(beyond))


def _known(placement: Placement) -> Rectangle:
    """The rectangle between the centres of the outermost cells."""
    found = []
    for axis in (1, 0):
        first = placement.offset[axis]
        last = first + placement.scale[axis] * (placement.model_shape[axis] - 1)
        found.append((min(first, last) - SLACK, max(first, last) + SLACK))
    return found[0], found[1]


def _is_within(outline: Outline, rectangle: Rectangle) -> bool:
    """Whether all parts that `_lines` would find lie in the rectangle, as mostly.

    A step that does not end where its start and length say, in the last bit, has a part of that length.
    """
    low, high = np.array(rectangle).T
    step = np.roll(outline, -1, axis=0) - outline
    is_exact = outline + step == np.roll(outline, -1, axis=0)
    return bool((is_exact & (outline >= low) & (outline <= high)).all())


def _lines(outline: Sequence[Point], rectangle: Rectangle) -> list[tuple[Outline, bool]]:
    """The outline as open lines that meet end to start, and whether each lies in the rectangle."""
    found: list[tuple[list[Point], bool]] = []
    for start, end in pairwise([*outline, outline[0]]):
        for one, other, within in _pieces(start, end, rectangle):
            if found and found[-1][1] == within:
                found[-1][0].append(other)
            else:
                found.append(([one, other], within))
    if len(found) > 1 and found[0][1] == found[-1][1]:
        points, _ = found.pop()
        found[0] = ([*points[:-1], *found[0][0]], found[0][1])
    return [(np.array(points, np.float64), within) for points, within in found]


def _pieces(start: Point, end: Point, rectangle: Rectangle) -> list[tuple[Point, Point, bool]]:
    """The pieces of one step of an outline: from, to, and whether it lies in the rectangle."""
    shares = _within(start, end, rectangle)
    if shares is None:
        return [(start, end, False)]
    enters, leaves = (
        [first + share * (last - first) for first, last in zip(start, end, strict=True)] for share in shares
    )
    pieces = [(start, enters, False), (enters, leaves, True), (leaves, end, False)]
    return [(one, other, within) for one, other, within in pieces if one != other]


def _within(start: Point, end: Point, rectangle: Rectangle) -> tuple[float, float] | None:
    """The shares of the way between which it lies in the rectangle; None if it does nowhere."""
    enters, leaves = 0.0, 1.0
    for (low, high), first, last in zip(rectangle, start, end, strict=True):
        step = last - first
        if step == 0:
            if first < low or first > high:
                return None
            continue
        ends = sorted(((low - first) / step, (high - first) / step))
        enters, leaves = max(enters, ends[0]), min(leaves, ends[1])
    return (enters, leaves) if enters < leaves else None
