"""Windows: where the cells of a convolution, a pool, an enlargement or a padding lie on its input grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import floor
from typing import Any, NamedTuple, TypeAlias

ROUNDING = 1e-6
"""Steps are computed in single precision; below a whole number by less than this is the number."""


class Move(NamedTuple):
    """Along one axis, output cell i is centred at start + step · i of the input grid, in its cells."""

    start: float
    step: float


Window: TypeAlias = Callable[[Mapping[str, Any], Sequence[int], Sequence[int]], list[Move]]
"""window(arguments, shape of the input, shape of the output) → one move per axis of the grid."""


def _convolution(arguments: Mapping[str, Any], shape: Sequence[int], _output: Sequence[int]) -> list[Move]:
    axes = len(shape) - 2
    names = ("stride", "padding", "dilation")
    stride, padding, dilation = (_per_axis(arguments[name], axes) for name in names)
    reach = [d * (k - 1) / 2 for k, d in zip(arguments["weight"].shape[2:], dilation, strict=True)]
    moves = [Move(r - p, s) for r, p, s in zip(reach, padding, stride, strict=True)]
    if arguments.get("transposed"):
        return [Move(-move.start / move.step, 1 / move.step) for move in moves]
    return moves


def _pool(axes: int) -> Window:
    def window(arguments: Mapping[str, Any], _shape: Sequence[int], _output: Sequence[int]) -> list[Move]:
        kernel = _per_axis(arguments["kernel_size"], axes)
        stride = _per_axis(arguments.get("stride") or kernel, axes)
        padding = _per_axis(arguments.get("padding") or 0, axes)
        dilation = _per_axis(arguments.get("dilation") or 1, axes)
        every = zip(kernel, stride, padding, dilation, strict=True)
        return [Move(d * (k - 1) / 2 - p, s) for k, s, p, d in every]

    return window


def _from_edge_to_edge(axes: int) -> Window:
    """Adaptive pools and shuffles: both grids cover the same length."""

    def window(_arguments: Mapping[str, Any], shape: Sequence[int], output: Sequence[int]) -> list[Move]:
        pairs = zip(shape[-axes:], output[-axes:], strict=True)
        return [Move((n / m - 1) / 2, n / m) for n, m in pairs]

    return window


def _interpolated(axes: int) -> Window:
    """Both grids begin at the same edge, with the given factor's step; or both cover the same centres."""

    def window(arguments: Mapping[str, Any], shape: Sequence[int], output: Sequence[int]) -> list[Move]:
        if arguments.get("align_corners"):
            pairs = zip(shape[-axes:], output[-axes:], strict=True)
            return [Move(0.0, (n - 1) / (m - 1) if m > 1 else 1.0) for n, m in pairs]
        return [Move((step - 1) / 2, step) for step in _steps(arguments, shape[-axes:], output[-axes:])]

    return window


def _nearest(axes: int, shift: float) -> Window:
    """Cell i is a copy of cell ⌊(i + shift) · step⌋; its place is the even one that is nearest to it."""

    def window(arguments: Mapping[str, Any], shape: Sequence[int], output: Sequence[int]) -> list[Move]:
        moves = []
        for step, m in zip(_steps(arguments, shape[-axes:], output[-axes:]), output[-axes:], strict=True):
            off = sum(floor((i + shift) * step + ROUNDING) - i * step for i in range(m))
            moves.append(Move(off / m, step))
        return moves

    return window


def _steps(arguments: Mapping[str, Any], shape: Sequence[int], output: Sequence[int]) -> list[float]:
    """Input cells per output cell: by the factor that was given, else by the sizes."""
    given = arguments.get("scale_factors") or _scales(arguments, len(shape))
    return [1 / scale if scale else n / m for scale, n, m in zip(given, shape, output, strict=True)]


def _scales(arguments: Mapping[str, Any], axes: int) -> list[float | None]:
    names = ("scales",) if axes == 1 else ("scales_d", "scales_h", "scales_w")[-axes:]
    return [arguments.get(name) for name in names]


def _padding(axes: int | None) -> Window:
    """Padding is listed from the last axis to the first, before and after."""

    def window(arguments: Mapping[str, Any], shape: Sequence[int], _output: Sequence[int]) -> list[Move]:
        pad = arguments.get("pad") or arguments.get("padding") or ()
        before = list(pad[::2])[::-1]
        return [Move(-start, 1.0) for start in before[-(axes or min(len(before), len(shape) - 1)) :]]

    return window


def _per_axis(value: Any, axes: int) -> list[int]:
    values = [value] if isinstance(value, int) else list(value)
    return values * axes if len(values) == 1 else values


WINDOWS: dict[str, Window] = {
    "convolution": _convolution,
    "_convolution": _convolution,
    "mkldnn_convolution": _convolution,
    "cudnn_convolution": _convolution,
    "pixel_shuffle": _from_edge_to_edge(2),
    "pixel_unshuffle": _from_edge_to_edge(2),
    "constant_pad_nd": _padding(None),
}
for _axes in (1, 2, 3):
    for _name in ("avg_pool{}d", "max_pool{}d_with_indices", "max_pool{}d"):
        WINDOWS[_name.format(_axes)] = _pool(_axes)
    for _name in ("_adaptive_avg_pool{}d", "adaptive_avg_pool{}d", "adaptive_max_pool{}d"):
        WINDOWS[_name.format(_axes)] = _from_edge_to_edge(_axes)
    for _name in ("reflection_pad{}d", "replication_pad{}d"):
        WINDOWS[_name.format(_axes)] = _padding(_axes)
    WINDOWS[f"upsample_nearest{_axes}d"] = _nearest(_axes, 0.0)
    WINDOWS[f"_upsample_nearest_exact{_axes}d"] = _nearest(_axes, 0.5)
WINDOWS |= {
    name: _interpolated(axes)
    for name, axes in (
        ("upsample_linear1d", 1), ("upsample_bilinear2d", 2), ("_upsample_bilinear2d_aa", 2),
        ("upsample_bicubic2d", 2), ("_upsample_bicubic2d_aa", 2), ("upsample_trilinear3d", 3),
    )
}  # fmt: skip
"""Name of an operation in torch → its window."""
