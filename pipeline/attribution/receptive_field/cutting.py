"""Cutting: operations that take some indices of a dimension of one tensor."""

from __future__ import annotations

from dataclasses import replace
from math import prod

from pipeline.attribution.receptive_field.layout import Dimension, Factor, Layout, plain, without
from pipeline.attribution.receptive_field.operation import Operation


def sliced(operation: Operation) -> Layout | None:
    """Every `step`-th index of a dimension between two indices."""
    layout = operation.known
    if layout is None:
        return None
    dim = operation.arguments["dim"] % len(layout)
    size, step = layout[dim].size, operation.arguments["step"]
    start, end, _ = slice(operation.arguments["start"], operation.arguments["end"]).indices(size)
    part = _part(layout[dim], start, max(end, start), step)
    return None if part is None else (*layout[:dim], part, *layout[dim + 1 :])


def _part(dimension: Dimension, start: int, end: int, step: int = 1) -> Dimension | None:
    """Indices start, start + step, … below `end` of a dimension; None if their positions are uneven."""
    first, last = dimension.before, dimension.size - dimension.after
    if end <= first or start >= last:
        return plain([len(range(start, end, step))])[0]
    if step == 1 and start <= first and end >= last:
        return replace(dimension, before=first - start, after=end - last)
    factor = replace(dimension, before=0, after=0).run
    if factor is None or start < first or end > last:
        return None if dimension.axes else plain([len(range(start, end, step))])[0]
    moved = factor.start + (start - first) * factor.step
    size = len(range(start, end, step))
    return Dimension((replace(factor, size=size, start=moved, step=factor.step * step),))


def selected(operation: Operation) -> Layout | None:
    """The other dimensions, at one index of a dimension."""
    layout = operation.known
    if layout is None:
        return None
    dim = operation.arguments["dim"] % len(layout)
    return _at(layout, dim, operation.arguments["index"] % layout[dim].size)


def _at(layout: Layout, dim: int, index: int) -> Layout:
    """The other dimensions, at one index of a dimension, whose position is added to theirs."""
    index -= layout[dim].before
    chosen: list[Factor] = []
    if 0 <= index < prod(factor.size for factor in layout[dim].factors):
        for factor in reversed(layout[dim].factors):
            index, at = divmod(index, factor.size)
            chosen.append(replace(factor, size=1, start=factor.start + factor.step * at))
    return without((*layout[:dim], *layout[dim + 1 :]), [Dimension(tuple(chosen))])


def cut(operation: Operation) -> list[Layout | None] | None:
    """Parts of a dimension, one layout each."""
    layout = operation.known
    if layout is None:
        return None
    dim = operation.arguments["dim"] % len(layout)
    found: list[Layout | None] = []
    start = 0
    for tensor in operation.result:
        part = _part(layout[dim], start, start + tensor.shape[dim])
        found.append(None if part is None else (*layout[:dim], part, *layout[dim + 1 :]))
        start += tensor.shape[dim]
    return found


def unbound(operation: Operation) -> list[Layout | None] | None:
    """The other dimensions, for every index of a dimension."""
    layout = operation.known
    if layout is None:
        return None
    dim = operation.arguments["dim"] % len(layout)
    return [_at(layout, dim, index) for index in range(layout[dim].size)]


def picked(operation: Operation) -> Layout | None:
    """Indices of a dimension in the order of a list; None if their positions are uneven."""
    layout = operation.known
    if layout is None:
        return None
    dim = operation.arguments["dim"] % len(layout)
    indices = operation.arguments["index"].reshape(-1).tolist()
    if not layout[dim].axes:
        return (*layout[:dim], *plain([len(indices)]), *layout[dim + 1 :])
    factor = layout[dim].run
    by = indices[1] - indices[0] if len(indices) > 1 else 1
    even = indices == [indices[0] + by * i for i in range(len(indices))] if indices else False
    if factor is None or not even or not by:
        return None
    start = factor.start + factor.step * indices[0]
    part = replace(factor, size=len(indices), start=start, step=factor.step * by)
    return (*layout[:dim], Dimension((part,)), *layout[dim + 1 :])
