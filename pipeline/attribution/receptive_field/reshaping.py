"""Reshaping: operations that order, reduce or resample the dimensions of one tensor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from pipeline.attribution.receptive_field.joining import broadcast
from pipeline.attribution.receptive_field.layout import (
    Dimension,
    Factor,
    Layout,
    merged,
    plain,
    reshaped,
    without,
)
from pipeline.attribution.receptive_field.operation import Operation, Rule
from pipeline.attribution.receptive_field.windows import Window


def same(operation: Operation) -> Layout | None:
    """The layout of the first tensor."""
    return operation.known


def kept(name: str) -> Rule:
    """The rule of an operation that keeps the layout of the argument `name`."""

    def rule(operation: Operation) -> Layout | None:
        layout = operation.layout(name)
        return layout if isinstance(layout, tuple) else None

    return rule


def moved(order: Callable[[Operation, int], Sequence[int]]) -> Rule:
    """The rule of an operation that orders the dimensions anew."""

    def rule(operation: Operation) -> Layout | None:
        layout = operation.known
        return layout and tuple(layout[i] for i in order(operation, len(layout)))

    return rule


def swapped(operation: Operation, count: int) -> list[int]:
    """The order of the dimensions after two are exchanged."""
    order = list(range(count))
    first, second = (operation.arguments[name] % count for name in ("dim0", "dim1"))
    order[first], order[second] = second, first
    return order


def viewed(operation: Operation) -> Layout | None:
    """The dimensions after a row-major reshape."""
    layout = operation.known
    return layout and reshaped(layout, list(operation.result.shape))


def squeezed(operation: Operation) -> Layout | None:
    """Dimensions of size 1 removed, at the places where the result's shape lacks them."""
    layout = operation.known
    if layout is None:
        return None
    dim = operation.arguments.get("dim")
    gone = range(len(layout)) if dim is None else [dim] if isinstance(dim, int) else dim
    removed = {i % len(layout) for i in gone}
    return tuple(d for i, d in enumerate(layout) if i not in removed or d.size != 1)


def unsqueezed(operation: Operation) -> Layout | None:
    """A new dimension of size 1."""
    layout = operation.known
    if layout is None:
        return None
    at = operation.arguments["dim"] % (len(layout) + 1)
    return (*layout[:at], *plain([1]), *layout[at:])


def expanded(operation: Operation) -> Layout | None:
    """Repeated dimensions, which have no position."""
    layout = operation.known
    return layout and broadcast(layout, list(operation.result.shape))


def reduced(operation: Operation) -> Layout | None:
    """Dimensions that are averaged, summed, … are mixed."""
    layout = operation.known
    result = operation.result[0] if isinstance(operation.result, tuple) else operation.result
    dim = operation.arguments.get("dim")
    if layout is None or dim is None or dim == []:
        return None if layout is None else plain(result.shape)
    reduced = {i % len(layout) for i in ([dim] if isinstance(dim, int) else dim)}
    mixed = [dimension for i, dimension in enumerate(layout) if i in reduced]
    if operation.arguments.get("keepdim"):
        return without(tuple(plain([1])[0] if i in reduced else d for i, d in enumerate(layout)), mixed)
    return without(tuple(d for i, d in enumerate(layout) if i not in reduced), mixed)


def flipped(operation: Operation) -> Layout | None:
    """Mirrored dimensions."""
    layout = operation.known
    if layout is None:
        return None
    flipped = {dim % len(layout) for dim in operation.arguments["dims"]}
    found = [_mirrored(d) if i in flipped else d for i, d in enumerate(layout)]
    known = tuple(dimension for dimension in found if dimension is not None)
    return known if len(known) == len(found) else None


def _mirrored(dimension: Dimension) -> Dimension | None:
    factor = replace(dimension, before=0, after=0).run
    if factor is None:
        return None if dimension.axes else dimension
    turned = replace(factor, start=factor.start + factor.step * (factor.size - 1), step=-factor.step)
    return Dimension((turned,), before=dimension.after, after=dimension.before)


def rolled(operation: Operation) -> Layout | None:
    """Dimensions whose indices are moved on in a circle, as before shifted windows of attention."""
    layout = operation.known
    if layout is None or not operation.arguments["dims"]:
        return None
    found = list(layout)
    for shift, dim in zip(operation.arguments["shifts"], operation.arguments["dims"], strict=True):
        dimension = found[dim]
        factor = merged(dimension.factors)
        if not dimension.axes or not shift:
            continue
        if factor is None or factor.whole or dimension.before or dimension.after:
            return None
        by = shift * factor.step
        moved = replace(factor, start=factor.start - by, rolled=factor.rolled - by)
        found[dim] = Dimension((moved,))
    return tuple(found)


def unfolded(operation: Operation) -> Layout | None:
    """A dimension cut into windows, with the places inside a window as a further last dimension."""
    layout = operation.known
    if layout is None:
        return None
    dim = operation.arguments["dimension"] % len(layout)
    size, step = operation.arguments["size"], operation.arguments["step"]
    factor = layout[dim].run
    if factor is None:
        return None
    windows = replace(factor, size=operation.result.shape[dim], step=factor.step * step)
    inside = Factor(size, factor.axis, 0.0, factor.step)
    return (*layout[:dim], Dimension((windows,)), *layout[dim + 1 :], Dimension((inside,)))


def in_columns(operation: Operation) -> Layout | None:
    """Windows of a grid of two axes as (batch, channels · places inside a window, windows)."""
    layout = operation.known
    if layout is None or len(layout) != 4:  # noqa: PLR2004  (batch, channels, rows, columns)
        return None
    names = ("kernel_size", "dilation", "padding", "stride")
    inside, windows = [], []
    for i, dimension in enumerate(layout[2:]):
        kernel, dilation, padding, stride = (operation.arguments[name][i] for name in names)
        factor = dimension.run
        if factor is None:
            return None
        number = (dimension.size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        start = factor.start - padding * factor.step
        windows.append(Factor(number, factor.axis, start, factor.step * stride))
        inside.append(Factor(kernel, factor.axis, 0.0, factor.step * dilation))
    channels = replace(layout[1], factors=(*layout[1].factors, *inside))
    return (layout[0], channels, Dimension(tuple(windows)))


def shuffled(operation: Operation) -> Layout | None:
    """Channels in another order have no position."""
    layout = operation.known
    return layout and without((layout[0], *plain([layout[1].size]), *layout[2:]), layout[1:2])


def halved(operation: Operation) -> Layout | None:
    """Two halves of a dimension, which lie at the same place only if it has no positions."""
    layout = operation.known
    if layout is None:
        return None
    dim = operation.arguments["dim"] % len(layout)
    return None if layout[dim].axes else (*layout[:dim], *plain([layout[dim].size // 2]), *layout[dim + 1 :])


def new(operation: Operation) -> Layout:
    """A tensor that takes only its shape from another has no positions."""
    return plain(operation.result.shape)


def windowed(window: Window) -> Rule:
    """The rule of an operation that moves a window over the grid, the last dimensions of its input."""

    def rule(operation: Operation) -> Layout | None:
        layout = operation.known
        if layout is None:
            return None
        result = operation.result[0] if isinstance(operation.result, tuple) else operation.result
        moves = window(operation.arguments, [d.size for d in layout], list(result.shape))
        grid = len(moves)
        if len(layout) <= grid:
            return None
        channels = layout[1:-grid]
        layout = without((layout[0], *plain(d.size for d in channels), *layout[-grid:]), channels)
        others = (layout[0], *plain(result.shape[1:-grid]))
        placed: list[Dimension] = []
        for dimension, move, size in zip(layout[-grid:], moves, result.shape[-grid:], strict=True):
            if not dimension.axes:
                placed.append(Dimension((Factor(size),)))
                continue
            if move == (0.0, 1.0) and size == dimension.size:
                placed.append(dimension)
                continue
            factor = dimension.run
            if factor is None:
                return None
            start, step = factor.start + factor.step * move.start, factor.step * move.step
            width = max(factor.width, abs(step))
            placed.append(Dimension((Factor(size, factor.axis, start, step, width),)))
        return (*others, *placed)

    return rule
