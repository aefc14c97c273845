"""Layout: which position on the input each index of a tensor stands for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import isclose, prod
from typing import TypeAlias, TypeGuard

from pipeline.records import Cells


@dataclass(frozen=True, slots=True)
class Factor:
    """A run of `size` indices. Index i adds start + step · i to the position on one axis of the input."""

    size: int
    axis: int | None = None
    """Axis of the input's grid; None: the index has no position, as for channels."""
    start: float = 0.0
    step: float = 0.0
    coarsest: float = 0.0
    """Largest step of the grids that it was computed from; 0: its own."""
    rolled: float = 0.0
    """How far a cyclic roll moved the positions; beyond the end of the axis they begin again at its start."""
    whole: Dimension | None = None
    """The dimension that these indices are, class token and all, while a reshape joins it with others."""

    @property
    def width(self) -> float:
        """Size of the cells that the values come from, also if they were enlarged since."""
        return max(abs(self.step), self.coarsest)


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension of a tensor: factors in row-major order, whose positions add up."""

    factors: tuple[Factor, ...]
    before: int = 0
    """Indices without a position before those of the factors, such as a class token."""
    after: int = 0
    """Indices without a position after them."""

    @property
    def size(self) -> int:
        """Number of indices."""
        return self.before + prod(factor.size for factor in self.factors) + self.after

    @property
    def axes(self) -> frozenset[int]:
        """Axes of the input that an index has a position on."""
        own = frozenset(factor.axis for factor in self.factors if factor.axis is not None)
        return own.union(*(factor.whole.axes for factor in self.factors if factor.whole))

    @property
    def run(self) -> Factor | None:
        """All indices as one evenly spaced run on one axis; None if they are not one."""
        factor = None if self.before or self.after else merged(self.factors)
        return None if factor is None or factor.rolled or factor.whole else factor


Layout: TypeAlias = tuple[Dimension, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """The positions of a tensor are unknown after an operation."""

    operation: str
    """Its name in torch."""


def plain(shape: Iterable[int]) -> Layout:
    """The layout of a tensor without positions."""
    return tuple(Dimension((Factor(size),)) for size in shape)


def of_input(shape: Sequence[int]) -> Layout:
    """The layout of an input (batch, channels, *grid)."""
    grid = (Dimension((Factor(size, axis, 0.0, 1.0),)) for axis, size in enumerate(shape[2:]))
    return (*plain(shape[:2]), *grid)


def has_positions(layout: Layout | Lost | None) -> bool:
    """Whether positions are known."""
    return isinstance(layout, tuple) and any(dimension.axes for dimension in layout)


def is_rolled(layout: Layout | Lost) -> bool:
    """Whether a cyclic roll moved positions, and none has moved them back."""
    if isinstance(layout, Lost):
        return False
    return any(factor.rolled for dimension in layout for factor in dimension.factors)


def cells(layout: Layout, dimensions: Sequence[int]) -> tuple[Cells, ...] | None:
    """The cells of the grid that `dimensions` of a tensor form, one entry per axis of the input.

    None if the dimensions are not the axes of the input in their order, or if cells are not evenly spaced.
    Positions of channels, such as those of the pixels inside each cell, move it to their middle.
    """
    channels = [i for i in range(1, len(layout)) if i not in dimensions]
    bare = tuple(plain([d.size])[0] if i in channels else d for i, d in enumerate(layout))
    layout = without(bare, [layout[i] for i in channels])
    found: list[Cells] = []
    for axis, dimension in enumerate(layout[i] for i in dimensions):
        factor = dimension.run
        if not _is_evenly_spaced(factor, axis):
            return None
        found.append(Cells(factor.start, factor.step, factor.size))
    return None if layout[0].axes else tuple(found)


def token_cells(layout: Layout, axes: int) -> tuple[Cells, ...] | None:
    """The cells of tokens (batch, tokens, channels), which are a grid of `axes` axes in row-major order.

    None if they are no such grid. Tokens before and after those of the grid do not count.
    """
    batch, tokens, channels = without((*layout[:2], *plain([layout[2].size])), layout[2:])
    found: list[Cells] = []
    for axis in range(axes):
        own = [factor for factor in tokens.factors if factor.axis == axis]
        factor = merged(own) if own else None
        if not _is_evenly_spaced(factor, axis):
            return None
        found.append(Cells(factor.start, factor.step, factor.size))
    order = [factor.axis for factor in tokens.factors if factor.size > 1]
    in_order = None not in order and order == sorted(order, key=lambda axis: axis or 0)
    return tuple(found) if in_order and not (batch.axes or channels.axes) else None


def _is_evenly_spaced(factor: Factor | None, axis: int) -> TypeGuard[Factor]:
    """Whether the positions lie on the axis, one after the other."""
    return factor is not None and factor.axis == axis and factor.step != 0


def merged(factors: Sequence[Factor]) -> Factor | None:
    """The factors as one, if their positions are evenly spaced on one axis; else None."""
    *outer, total = factors
    if outer and any(factor.whole for factor in factors):
        return None
    for factor in reversed(outer):
        rolled = factor.rolled + total.rolled
        if 1 in (factor.size, total.size):
            kept, dropped = (total, factor) if factor.size == 1 else (factor, total)
            if dropped.axis is not None and kept.axis not in (None, dropped.axis):
                return None
            axis = dropped.axis if kept.axis is None else kept.axis
            total = replace(kept, axis=axis, start=kept.start + dropped.start, rolled=rolled)
        elif total.axis is None and factor.axis is not None:
            total = _subdivided(factor, total.size)
        elif factor.axis == total.axis and isclose(factor.step, total.step * total.size):
            start = factor.start + total.start
            total = Factor(factor.size * total.size, total.axis, start, total.step, rolled=rolled)
        else:
            return None
    return total


def without(layout: Layout, dropped: Iterable[Dimension]) -> Layout:
    """The layout after an operation mixed the dropped dimensions, such as the pixels inside each patch.

    Positions inside a cell move it to their middle. Positions that reach over all others leave none.
    """
    for factor in (factor for dimension in dropped for factor in dimension.factors):
        if factor.axis is not None:
            middle = factor.start + factor.step * (factor.size - 1) / 2
            layout = _mixed(layout, factor.axis, middle, abs(factor.step) if factor.size > 1 else None)
    return layout


def _mixed(layout: Layout, axis: int, middle: float, step: float | None) -> Layout:
    """The layout with cells moved to `middle`; without positions if they lie within one `step`."""
    own = [factor for dimension in layout for factor in dimension.factors if factor.axis == axis]
    span = sum(abs(factor.step) * (factor.size - 1) for factor in own)
    if step is not None and 0 < span < step:
        return tuple(plain([d.size])[0] if axis in d.axes else d for d in layout)
    moved: list[Dimension] = []
    for dimension in layout:
        factors = list(dimension.factors)
        for i, factor in enumerate(factors):
            if factor.axis == axis:
                factors[i], middle = replace(factor, start=factor.start + middle), 0.0
        moved.append(replace(dimension, factors=tuple(factors)))
    return tuple(moved)


def _subdivided(factor: Factor, parts: int) -> Factor:
    """The factor with every index repeated `parts` times, or cut into parts, as by a pixel shuffle."""
    step = factor.step / parts
    start = factor.start - step * (parts - 1) / 2
    return Factor(factor.size * parts, factor.axis, start, step, rolled=factor.rolled)


def split(dimension: Dimension, sizes: Sequence[int]) -> list[Factor] | None:
    """The factors of a dimension, cut so that groups of them have the given sizes; None if impossible."""
    if dimension.before or dimension.after:
        return None
    pending, done = list(dimension.factors), []
    for size in sizes:
        need = size
        while need > 1:
            if not pending:
                return None
            factor = pending.pop(0)
            if factor.size <= need:
                if need % factor.size:
                    return None
                done.append(factor)
                need //= factor.size
            elif factor.size % need or factor.whole:
                return None
            else:
                inner = factor.size // need
                done.append(replace(factor, size=need, step=factor.step * inner))
                pending.insert(0, Factor(inner, factor.axis, 0.0, factor.step))
                need = 1
    rest = [factor for factor in pending if factor.size > 1]
    constant = [factor for factor in pending if factor.size == 1 and factor.axis is not None]
    return None if rest else [*done, *constant]


def reshaped(layout: Layout, shape: Sequence[int]) -> Layout | None:
    """The layout after a row-major reshape; None if a group of dimensions cannot be split so."""
    result: list[Dimension] = []
    old, new = list(layout), list(shape)
    while old or new:
        group, sizes = [old.pop(0)] if old else [], [new.pop(0)] if new else []
        while prod(d.size for d in group) != prod(sizes):
            if prod(d.size for d in group) < prod(sizes):
                if not old:
                    return None
                group.append(old.pop(0))
            else:
                if not new:
                    return None
                sizes.append(new.pop(0))
        dimensions = _regrouped(group, sizes)
        if dimensions is None:
            return None
        result.extend(dimensions)
    return tuple(result)


def _regrouped(group: Sequence[Dimension], sizes: Sequence[int]) -> list[Dimension] | None:
    """Dimensions of `sizes` from a group of dimensions with as many elements."""
    if [dimension.size for dimension in group] == list(sizes):
        return list(group)
    factors = [factor for dimension in group for factor in _joinable(dimension)]
    cut = split(Dimension(tuple(factors)), sizes)
    if cut is None:
        return None
    result: list[Dimension] = []
    for size in sizes:
        own: list[Factor] = []
        while prod(factor.size for factor in own) < size:
            own.append(cut.pop(0))
        while cut and cut[0].size == 1:
            own.append(cut.pop(0))
        alone = [factor.whole for factor in own if factor.size > 1]
        result.append(alone[0] if len(alone) == 1 and alone[0] else Dimension(tuple(own) or (Factor(1),)))
    return result


def _joinable(dimension: Dimension) -> tuple[Factor, ...]:
    """Factors that a reshape can join with others: a dimension with indices without a position is one."""
    if dimension.before or dimension.after:
        return (Factor(dimension.size, whole=dimension),)
    return dimension.factors
