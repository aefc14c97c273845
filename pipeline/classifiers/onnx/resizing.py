"""Resizing: the operators Resize and Upsample, where torch interpolates between the same places.

ONNX knows many ways to place the cells of another grid, and torch some of them. Any other is refused, because
every value would lie a part of a cell off.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache
from math import ceil, floor
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from torch import Tensor
from torch.nn import functional

from pipeline.classifiers.onnx.graph import Node
from pipeline.classifiers.onnx.inputs import whole
from pipeline.errors import CaseError

WITH_PLACES: Final = 11
"""Version from which Resize states places; before, cell i lies at i / scale."""
IMAGES: Final = 4
"""Axes of a batch."""
GRIDS: Final = ((2, 3), (1, 2))
"""Axes of rows and columns; channels may come last."""
ROUNDING: Final = 1e-5
"""Scales are in single precision."""
LARGEST: Final = 2**14
"""Cells along an axis."""
HALF: Final = Fraction(1, 2)
PLACES: Final[Mapping[str, Callable[[int, int, int], Fraction]]] = MappingProxyType(
    {
        "half_pixel": lambda i, n, m: (i + HALF) * n / m - HALF,
        "pytorch_half_pixel": lambda i, n, m: (i + HALF) * n / m - HALF if m > 1 else Fraction(0),
        "tf_half_pixel_for_nn": lambda i, n, m: (i + HALF) * n / m,
        "asymmetric": lambda i, n, m: Fraction(i * n, m),
        "align_corners": lambda i, n, m: Fraction(i * (n - 1), m - 1) if m > 1 else Fraction(0),
    }
)
"""Kind → where cell i of m lies among n."""
ROUNDINGS: Final[Mapping[str, Callable[[Fraction], int]]] = MappingProxyType(
    {
        "round_prefer_floor": lambda place: ceil(place - HALF),
        "round_prefer_ceil": lambda place: floor(place + HALF),
        "floor": floor,
        "ceil": ceil,
    }
)
TORCHS: Final = {"nearest": ("asymmetric", "floor"), "nearest-exact": ("tf_half_pixel_for_nn", "floor")}
"""Mode of torch → places and rounding."""
SMOOTH: Final = {"linear": "bilinear", "cubic": "bicubic"}
CORNERS: Final = {"half_pixel": False, "pytorch_half_pixel": False, "align_corners": True}
PLAIN: Final[Mapping[str, Any]] = MappingProxyType(
    {"antialias": 0, "exclude_outside": 0, "keep_aspect_ratio_policy": "stretch", "cubic_coeff_a": -0.75}
)
"""Attribute → the only value that is computed."""


def upsampled(node: Node, version: int, images: Tensor, scales: Any = None) -> Tensor:
    """The operator before Resize."""
    return resized(node, min(version, WITH_PLACES - 1), images, scales)


def resized(node: Node, version: int, images: Tensor, *inputs: Any) -> Tensor:
    """Images on a grid of another size. Raises CaseError where torch would place cells elsewhere."""
    given = (None, *inputs) if version < WITH_PLACES else inputs
    _region, scales, sizes = (*given, None, None, None)[:3]
    shape, is_even = _shape(node, images, scales, sizes)
    changed = {axis for axis, side in enumerate(shape) if side != images.shape[axis]}
    grid = next((grid for grid in GRIDS if images.dim() == IMAGES and changed <= set(grid)), None)
    if grid is None or not all(0 < side <= LARGEST for side in shape[1:]):
        raise CaseError(
            "unsupported",
            f"resizes {tuple(images.shape)} to {tuple(shape)}, wanted another size of rows and columns; "
            "export it again",
        )
    sides = (shape[grid[0]], shape[grid[1]])
    moved = images.movedim(grid, (2, 3))
    mode, corners = _mode(node, version, tuple(moved.shape[2:]), sides, is_even=is_even)
    return functional.interpolate(moved, size=sides, mode=mode, align_corners=corners).movedim((2, 3), grid)


def _shape(node: Node, images: Tensor, scales: Any, sizes: Any) -> tuple[list[int], bool]:
    """The shape of the result, and whether scales times sides are whole, so that sizes say the same."""
    shape, exact = list(images.shape), list(map(float, images.shape))
    axes = whole(None, node, "axes") or range(images.dim())
    stated = node.attributes.get("scales", ()) if scales is None else np.asarray(scales).reshape(-1)
    if sizes is not None:
        for axis, size in zip(axes, whole(sizes, node, "sizes"), strict=True):
            shape[axis], exact[axis] = size, float(size)
    else:
        for axis, scale in zip(axes, stated, strict=True):
            exact[axis] = shape[axis] * float(scale)
            shape[axis] = floor(exact[axis] + ROUNDING)
    return shape, all(abs(one - side) <= ROUNDING * side for one, side in zip(exact, shape, strict=True))


def _mode(
    node: Node, version: int, before: tuple[int, ...], after: tuple[int, ...], *, is_even: bool
) -> tuple[str, bool | None]:
    """The mode of torch that interpolates alike, and its align_corners. Raises CaseError if there is none."""
    stated, has_places = node.attributes, version >= WITH_PLACES
    mode = stated.get("mode", "nearest")
    places = stated.get("coordinate_transformation_mode", "half_pixel" if has_places else "asymmetric")
    rounding = stated.get("nearest_mode", "round_prefer_floor" if has_places else "floor")
    is_plain = all(stated.get(name, value) == value for name, value in PLAIN.items())
    if is_plain and (is_even or places == "align_corners"):
        if mode == "nearest" and places in PLACES and rounding in ROUNDINGS:
            axes = tuple(zip(before, after, strict=True))
            for name, torchs in TORCHS.items():
                if all(_cells(places, rounding, *axis) == _cells(*torchs, *axis) for axis in axes):
                    return name, None
        if mode in SMOOTH and places in CORNERS and (places == "half_pixel" or min(after) > 1):
            return SMOOTH[mode], CORNERS[places]
    raise CaseError(
        "unsupported",
        f"resizes in a way ({mode!r:.20}, {places!r:.40}, {rounding!r:.20}, {before} to {after}) that is not "
        "computed here; export it with half_pixel, or without antialiasing, or let preprocessing resize",
    )


@cache
def _cells(places: str, rounding: str, before: int, after: int) -> tuple[int, ...]:
    """The cell that each cell of the result copies."""
    chosen = (ROUNDINGS[rounding](PLACES[places](i, before, after)) for i in range(after))
    return tuple(min(max(cell, 0), before - 1) for cell in chosen)
