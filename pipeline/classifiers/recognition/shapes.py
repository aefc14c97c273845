"""Shapes: names and shapes of a file's tensors, whatever precedes the names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

Shapes: TypeAlias = Mapping[str, tuple[int, ...]]
"""Name of a tensor → its shape."""
PLANAR: Final = 4
"""Dimensions of a 2D convolution's weight."""
WIDEST: Final = 2**14
"""Most filters, channels or pixels of a side that a network may have to be compared with a file."""
MOST_LAYERS: Final = 1000
"""Most layers of a network that is compared with a file."""


def shape_of(shapes: Shapes, name: str) -> tuple[int, ...]:
    """The shape of the first tensor of this name, with whatever prefix; () if there is none."""
    prefix = prefix_of(shapes, name)
    return () if prefix is None else shapes[prefix + name]


def prefix_of(shapes: Shapes, name: str) -> str | None:
    """What precedes the name of the first tensor of this name; None if there is none."""
    found = (one for one in shapes if one == name or one.endswith(f".{name}"))
    first = next(found, None)
    return None if first is None else first.removesuffix(name)
