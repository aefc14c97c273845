"""Transforms: flips, turns and shifts of a reference against a map, and how well the map fits each.

A reference that lies mirrored, turned or shifted on its image fits the map better after the same transform.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import numpy as np

from pipeline.plateau import middle_of_plateau
from pipeline.records import Intensity, Shape, Values

GRID: Shape = (100, 100)
"""(rows, columns) over the whole image: a cell is one percent of a side."""
AS_IT_IS = "as_it_is"
SHIFTS = (3, 6, 10)
"""Percent of a side."""
DIRECTIONS: Mapping[str, tuple[int, int]] = {
    "down": (1, 0), "up": (-1, 0), "right": (0, 1), "left": (0, -1),
    "down_right": (1, 1), "down_left": (1, -1), "up_right": (-1, 1), "up_left": (-1, -1),
}  # fmt: skip
LEAST_LEFT = 0.5
"""Share of a reference that has to stay on the image, so that a shifted one is compared."""

Transform = Callable[[Intensity], Intensity]


def shifted(cells: Intensity, down: int, right: int) -> Intensity:
    """The grid moved by cells, with zeros where nothing comes from."""
    moved = np.zeros_like(cells)
    rows, columns = cells.shape
    to, of = (
        tuple(
            slice(max(sign * step, 0), size + min(sign * step, 0))
            for step, size in zip((down, right), (rows, columns), strict=True)
        )
        for sign in (1, -1)
    )
    moved[to] = cells[of]
    return moved


TRANSFORMS: Mapping[str, Transform] = MappingProxyType(
    {
        AS_IT_IS: lambda cells: cells,
        "mirrored": np.fliplr,
        "upside_down": np.flipud,
        "half_turn": partial(np.rot90, k=2),
        "transposed": np.transpose,
        "quarter_turn_left": np.rot90,
        "quarter_turn_right": partial(np.rot90, k=-1),
        **{
            f"{name}_{percent}": partial(shifted, down=percent * down, right=percent * right)
            for percent in SHIFTS
            for name, (down, right) in DIRECTIONS.items()
        },
    }
)
"""Name → transform of a grid; the first one changes nothing."""


def ranks(relevance: Intensity, seen: Intensity) -> Values:
    """The rank of each cell's relevance among all cells, 0 … 1; cells that were not seen are last."""
    _, number, count = np.unique(
        np.where(seen > 0, relevance, -np.inf), return_inverse=True, return_counts=True
    )
    middle = (
        np.cumsum(count) - (count - 1) / 2
    )  # of equal cells; scipy.stats would take half a second to load
    return ((middle[number] - 0.5) / relevance.size).reshape(relevance.shape)


def highest_cell(of_cells: Values) -> tuple[int, int]:
    """(row, column) of the cell with the highest rank."""
    return middle_of_plateau(of_cells == of_cells.max())


def fit(
    of_cells: Values, highest: tuple[int, int], occupied: Intensity, transform: Transform
) -> tuple[float | None, float | None]:
    """The mean rank of the map within the transformed reference, and whether its highest cell touches it.

    `highest` is the `highest_cell` of the map, and `occupied` the share of each cell that the reference
    covers. A map that prefers no place has a mean rank of 0.5. (None, None) if the transform moves most of
    the reference out of the image.
    """
    moved = transform(occupied)
    area = float(moved.sum())
    if area < LEAST_LEFT * float(occupied.sum()):
        return None, None
    return float((of_cells * moved).sum() / area), float(moved[highest] > 0)
