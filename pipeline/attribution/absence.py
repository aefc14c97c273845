"""Absence: what an image shows where nothing is there, for methods that take something away."""

from typing import Literal, TypeAlias

from torch import Tensor

Absent: TypeAlias = float | Literal["minimum"]
"""A value in the network's input units, or "minimum": the image's own darkest, channel by channel."""


def absent(inputs: Tensor, value: Absent) -> Tensor:
    """(batch, channels, *ones) for inputs (batch, channels, *grid)."""
    darkest = inputs.amin(dim=tuple(range(2, inputs.dim())), keepdim=True)
    return darkest if value == "minimum" else darkest.new_full(darkest.shape, value)
