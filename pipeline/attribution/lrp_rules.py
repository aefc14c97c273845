"""Rules of LRP: the normalisers N of `lrp_shares.py`, and which one a composite takes.

With z_k = Σ_i a_i w_ik + b_k, a unit k shares its relevance in proportion to the terms of

- epsilon: z_k itself (Bach et al., PLoS ONE 2015, equation 58);
- gamma: z_k + γ · its positive terms (Montavon et al., "LRP: An Overview", 2019, section 10.2); where z_k <
  0, and then only, z_k + γ · its negative terms, so that negative units are served alike (Andéol et al.,
  2021);
- z-plus: its positive terms alone (Bach et al., equation 60 with α = 1, β = 0; Montavon et al., Pattern
  Recognition 2017), where z_k < 0 its negative terms alone: gamma for γ → ∞;
- |z|: |scale · a_k| + |shift| (Hui and Binder, "BatchNorm Decomposition", IWANN 2019).

The bias is a term like any other, and what it gets is not passed on. In front of a ReLU a unit with z_k < 0
has no relevance, and gamma and z-plus are the textbook's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

from pipeline.attribution.lrp_shares import Normaliser, Shared, Sides

CompositeName = Literal["epsilon", "gamma", "zplus"]


@dataclass(frozen=True, slots=True)
class Composite:
    """Which rule convolutions, linear layers and batch norms get."""

    name: CompositeName
    epsilon: float
    gamma: float

    def convolution(self, convolution: Weighted) -> OfConvolution:
        """The rule of a convolution."""
        if self.name == "epsilon":
            return OfConvolution(normaliser=plain(convolution), epsilon=self.epsilon, convolution=convolution)
        gamma = math.inf if self.name == "zplus" else self.gamma
        return OfConvolution(normaliser=convolution.favouring(gamma), convolution=convolution)

    def linear(self, operation: Callable[..., Tensor]) -> Shared:
        """The rule of a linear layer."""
        return Shared(normaliser=plain(operation), epsilon=self.epsilon)

    def batch_norm(self, scale: Tensor, shift: Tensor) -> Shared:
        """The rule of scale · a + shift that is not merged into a convolution."""
        if self.name == "epsilon":
            return self.linear(lambda activations: activations * scale + shift)
        return Shared(normaliser=plain(lambda activations: (activations * scale).abs() + shift.abs()))


@dataclass(kw_only=True)
class OfConvolution(Shared):
    """The rule of a convolution, which a batch norm behind it replaces."""

    convolution: Weighted


def plain(operation: Callable[..., Tensor]) -> Normaliser:
    """The operation itself."""
    return lambda *inputs: (operation(*inputs),)


@dataclass(frozen=True)
class Weighted:
    """A convolution or a linear layer, linear in its weight and in the activations."""

    weigh: Callable[[Tensor, Tensor, Tensor | None], Tensor]
    weight: Tensor
    """(channels out, channels in, *kernel)."""
    bias: Tensor | None

    def __call__(self, activations: Tensor) -> Tensor:
        """The z of every unit."""
        bias = None if self.bias is None else self.bias.to(activations)
        return self.weigh(activations, self.weight.to(activations), bias)

    def then(self, scale: Tensor, shift: Tensor) -> Weighted:
        """This and behind it scale · z + shift, channel by channel, as one."""
        weight = self.weight * scale.reshape(-1, *[1] * (self.weight.dim() - 1))
        return replace(self, weight=weight, bias=shift if self.bias is None else self.bias * scale + shift)

    def favouring(self, gamma: float) -> Normaliser:
        """The z with terms of one sign counted 1 + γ times, or alone where γ is infinite; for either sign."""
        high_up, high_down = self._favouring(gamma, 1), self._favouring(gamma, -1)
        low_up, low_down = (replace(one, bias=None) for one in (high_up, high_down))

        def normaliser(activations: Tensor) -> Sides:
            high, low = activations.clamp(min=0), activations.clamp(max=0)
            if not bool((low < 0).any()):
                return high_up(high), high_down(high)
            return high_up(high) + low_down(low), high_down(high) + low_up(low)

        return normaliser

    def _favouring(self, gamma: float, sign: Literal[1, -1]) -> Weighted:
        """With γ times the weights and biases of that sign added, or these alone."""

        def favoured(terms: Tensor) -> Tensor:
            part = sign * (sign * terms).clamp(min=0)
            return part if math.isinf(gamma) else terms + gamma * part

        return replace(
            self, weight=favoured(self.weight), bias=None if self.bias is None else favoured(self.bias)
        )
