"""Strokes: lines on a grid of pixels, with soft edges, butt ends and round joints.

A pixel's share is half a pixel plus half the line's width, less the distance of its centre from the line, so
that a line is where its points are and as wide as it says, to a fraction of a pixel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Points: TypeAlias = NDArray[np.float64]
"""(n, 2): x, y; pixel (row, column) covers column … column + 1 and row … row + 1."""
Coverage: TypeAlias = NDArray[np.float32]
"""Share of each pixel that is covered, 0 … 1, (rows, columns)."""


def stroke(
    coverage: Coverage, points: Points, *, width: float, closed: bool, dashes: Sequence[float]
) -> None:
    """Raise the coverage where a line runs; lengths are in pixels."""
    path = np.vstack([points, points[:1]]) if closed else points
    pieces = list(_dashed(path, dashes)) if dashes else [path]
    for piece in pieces:
        ends = closed and not dashes
        last = len(piece) - 2
        for index in range(len(piece) - 1):
            _segment(
                coverage,
                piece[index],
                piece[index + 1],
                width=width,
                cut=(index == 0 and not ends, index == last and not ends),
            )


def disc(coverage: Coverage, x: float, y: float, *, radius: float) -> None:
    """Raise the coverage where a filled circle lies; lengths are in pixels."""
    window = _window(coverage.shape, np.array([[x, y]]), radius + 1)
    if window is not None:
        part, columns, rows = window
        distance = np.hypot(columns - x, rows - y)
        view = coverage[part]
        np.maximum(view, np.clip(radius + 0.5 - distance, 0, 1), out=view, casting="same_kind")


def _segment(coverage: Coverage, start: Points, end: Points, *, width: float, cut: tuple[bool, bool]) -> None:
    """One straight piece; `cut`: whether the line ends at its start and at its end."""
    length = float(np.hypot(*(end - start)))
    window = _window(coverage.shape, np.stack([start, end]), width / 2 + 1)
    if window is None or not length:
        return
    part, columns, rows = window
    (across, down), (x, y) = (end - start) / length, start
    along = (columns - x) * across + (rows - y) * down
    away = np.abs((columns - x) * down - (rows - y) * across)
    before, after = -np.minimum(along, 0), np.maximum(along - length, 0)
    rounded = np.hypot(away, before + after)
    share = np.clip(width / 2 + 0.5 - np.where(before + after > 0, rounded, away), 0, 1)
    share = np.minimum(share, width)  # of lines narrower than a pixel
    if cut[0]:
        share = share * np.clip(along + 0.5, 0, 1)
    if cut[1]:
        share = share * np.clip(length - along + 0.5, 0, 1)
    view = coverage[part]
    np.maximum(view, share, out=view, casting="same_kind")


def _window(
    shape: tuple[int, ...], points: Points, margin: float
) -> tuple[tuple[slice, slice], NDArray[np.float64], NDArray[np.float64]] | None:
    """The pixels around points, and their centres (1, columns) and (rows, 1); None if there are none."""
    sides = (shape[1], shape[0])
    low = np.clip(np.floor(points.min(axis=0) - margin), 0, sides).astype(int)
    high = np.clip(np.ceil(points.max(axis=0) + margin), 0, sides).astype(int)
    if (high <= low).any():
        return None
    part = np.s_[low[1] : high[1], low[0] : high[0]]
    return part, np.arange(low[0], high[0])[None] + 0.5, np.arange(low[1], high[1])[:, None] + 0.5


def _dashed(path: Points, dashes: Sequence[float]) -> Iterator[Points]:
    """The dashes of a line, each as a line of its own."""
    lengths = np.hypot(*np.diff(path, axis=0).T)
    reached = np.concatenate([[0.0], np.cumsum(lengths)])
    turn, place = 0, 0.0
    while place < reached[-1]:
        stop = min(place + dashes[turn % len(dashes)], reached[-1])
        if turn % 2 == 0:
            inner = path[(reached > place) & (reached < stop)]
            ends = [[np.interp(at, reached, path[:, axis]) for axis in (0, 1)] for at in (place, stop)]
            yield np.vstack([ends[:1], inner, ends[1:]])
        turn, place = turn + 1, stop
