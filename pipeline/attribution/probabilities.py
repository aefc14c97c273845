"""Probabilities: tell a network that ends in a sigmoid, softmax or clamp from one that gives logits."""

from __future__ import annotations

import torch
from torch import Tensor, nn

EXTREME = 1e4
"""Standard deviation of noise that drives logits so far from 0 that the ends of a sigmoid are reached."""
ENDS = 1e-3
"""Largest distance from 0 or 1 of an output that has reached an end."""
STRONGER = 16
"""Factor by which an image is made stronger."""


@torch.no_grad()
def gives_probabilities(network: nn.Module, example: Tensor) -> bool:
    """Whether the outputs for an example (batch, channels, *grid) and for extreme noise are probabilities.

    Logits of an example can lie within 0 … 1 by chance, but then those of the noise do not. Raises what the
    network raises.
    """
    found = network(example.clone())
    if not _within(found):
        return False
    noise = torch.randn(example.shape, generator=torch.Generator().manual_seed(0))
    extreme = network((EXTREME * noise).to(example))
    if not (_within(extreme) and bool((torch.minimum(extreme, 1 - extreme) <= ENDS).all())):
        return False
    # A last ReLU, as a SqueezeNet has, may give 0 for all noise, but exceeds 1 for a stronger image.
    return bool(extreme.any()) or _within(network(STRONGER * example))


def _within(outputs: object) -> bool:
    return isinstance(outputs, Tensor) and bool(((outputs >= 0) & (outputs <= 1)).all())
