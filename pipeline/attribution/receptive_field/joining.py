"""Joining: operations that join several tensors, such as sums, concatenations and products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipeline.attribution.receptive_field.layout import (
    Dimension,
    Factor,
    Layout,
    Lost,
    has_positions,
    merged,
    plain,
    without,
)
from pipeline.attribution.receptive_field.operation import Operation, Rule

CLOSE = 0.5
"""Largest distance, in steps, of two grids that an operation joins, such as a branch and its shortcut.

Of an enlarged coarse grid and a fine one it is in steps of the coarse grid, and the fine one counts."""


def pointwise(operation: Operation) -> Layout | None:
    """Positions of all operands that have any, which must agree; a gate or a constant has none."""
    shape = list(operation.result.shape)
    operands = [operation.layout_of(tensor) for tensor in operation.tensors]
    known = [layout for layout in operands if isinstance(layout, tuple)]
    lost = len(known) < len(operands)
    total = plain(shape)
    for layout in known:
        joined = _joined(total, broadcast(layout, shape))
        if joined is None:
            return None
        total = joined
    return None if lost and not has_positions(total) else total


def broadcast(layout: Layout, shape: Sequence[int]) -> Layout:
    """The layout with the dimensions of `shape`; repeated dimensions have no position."""
    aligned = (*plain([1] * (len(shape) - len(layout))), *layout)
    return tuple(
        dimension if dimension.size == size else Dimension((Factor(size),))
        for dimension, size in zip(aligned, shape, strict=True)
    )


def _joined(first: Layout, second: Layout, *, parts: int = 1) -> Layout | None:
    """One layout of two of the same shape, of which the first is the mean of so many `parts`.

    None if their positions contradict each other.
    """
    dimensions = [_joined_dimension(one, other, parts) for one, other in zip(first, second, strict=True)]
    known = tuple(dimension for dimension in dimensions if dimension is not None)
    return known if len(known) == len(dimensions) else None


def _joined_dimension(one: Dimension, other: Dimension, parts: int) -> Dimension | None:
    if not other.axes or one == other:
        return one
    if not one.axes:
        return other
    a, b = merged(one.factors), merged(other.factors)
    if (one.before, one.after) != (other.before, other.after) or a is None or b is None:
        return None
    far = max(abs(a.start - b.start), abs(a.start - b.start + (a.step - b.step) * (a.size - 1)))
    if a.axis != b.axis or a.rolled != b.rolled or far > CLOSE * max(a.width, b.width):
        return None
    if far > CLOSE * abs(a.step):
        return one if a.width < b.width else other if b.width < a.width else None
    share = 1 / (parts + 1)
    mean = replace(a, start=a.start + share * (b.start - a.start), step=a.step + share * (b.step - a.step))
    return replace(one, factors=(mean,))


def concatenated(operation: Operation) -> Layout | None:
    """Positions of all parts, which must agree; along a dimension with positions, see `_side_by_side`."""
    layouts = [operation.layout_of(tensor) for tensor in operation.arguments["tensors"]]
    known = [layout for layout in layouts if isinstance(layout, tuple)]
    if len(known) < len(layouts):
        return None
    dim = operation.arguments["dim"] % len(known[0])
    joint = _side_by_side([layout[dim] for layout in known])
    if joint is None:
        return None
    rest = [(*layout[:dim], *layout[dim + 1 :]) for layout in known]
    total = rest[0]
    for number, other in enumerate(rest[1:], start=1):
        agreed = _joined(total, other, parts=number)
        if agreed is None:
            return None
        total = agreed
    return (*total[:dim], joint, *total[dim:])


def _side_by_side(parts: Sequence[Dimension]) -> Dimension | None:
    """Parts of which one has positions, such as patches after a class token; None if several have."""
    sizes = [part.size for part in parts]
    (*placed,) = (i for i, part in enumerate(parts) if part.axes)
    if not placed:
        return plain([sum(sizes)])[0]
    if len(placed) > 1:
        return None
    at = placed[0]
    part = parts[at]
    return replace(part, before=part.before + sum(sizes[:at]), after=part.after + sum(sizes[at + 1 :]))


def stacked(operation: Operation) -> Layout | None:
    """A new dimension of parts whose positions must agree."""
    layouts = [operation.layout_of(tensor) for tensor in operation.arguments["tensors"]]
    total: Layout | None = None
    for number, layout in enumerate(layouts):
        if not isinstance(layout, tuple):
            return None
        total = layout if total is None else _joined(total, layout, parts=number)
        if total is None:
            return None
    if total is None:
        return None
    at = operation.arguments["dim"] % (len(total) + 1)
    return (*total[:at], *plain([len(layouts)]), *total[at:])


def product(left: str, right: str) -> Rule:
    """The rule of a matrix product: rows of the first factor, columns of the second.

    The output of attention lies where its queries lie.
    """

    def rule(operation: Operation) -> Layout | None:
        a, b = operation.layout(left), operation.layout(right)
        if isinstance(a, Lost) or isinstance(b, Lost):
            return None
        batch = _joined(a[:-2], b[:-2])
        if batch is None:
            return None
        mixed = [*([] if b[-2].axes else [a[-1]]), *([] if a[-1].axes else [b[-2]])]
        return without((*batch, a[-2], b[-1]), mixed)

    return rule


def linear(operation: Operation) -> Layout | None:
    """Every dimension but the last, which is mixed."""
    layout = operation.layout("input")
    if isinstance(layout, Lost):
        return None
    return (*without(layout[:-1], layout[-1:]), *plain([operation.result.shape[-1]]))


def attended(operation: Operation) -> list[Layout | None] | None:
    """Attention lies where its queries lie."""
    query = operation.layout("query")
    if isinstance(query, Lost):
        return None
    result = operation.result[0] if isinstance(operation.result, tuple) else operation.result
    return [(*query[:-1], *plain([result.shape[-1]]))]
