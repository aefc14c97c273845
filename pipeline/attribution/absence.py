"""Absence: the input value that stands for "no signal", for methods that remove parts of an image."""

from typing import Literal, TypeAlias

from torch import Tensor

Absent: TypeAlias = float | Literal["minimum"]
"""A value in the network's input units, or "minimum": the minimum of the image, per channel."""


def absent(inputs: Tensor, value: Absent) -> Tensor:
    """The value per image and channel, (batch, channels, *ones), for inputs (batch, channels, *grid)."""
    darkest = inputs.amin(dim=tuple(range(2, inputs.dim())), keepdim=True)
    return darkest if value == "minimum" else darkest.new_full(darkest.shape, value)
