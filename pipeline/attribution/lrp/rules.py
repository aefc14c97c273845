"""Rules of LRP: the normalisers N of `shares.py`, and the composites that choose between them.

With z_k = Σ_i a_i w_ik + b_k, a unit k distributes its relevance in proportion to the terms of

- epsilon: z_k itself (Bach et al., PLoS ONE 2015, equation 58);
- gamma: z_k + γ · its positive terms (Montavon et al., "LRP: An Overview", 2019, section 10.2); if z_k < 0,
  z_k + γ · its negative terms, so that negative units are treated symmetrically (Andéol et al., 2021);
- z-plus: only its positive terms (Bach et al., equation 60 with α = 1, β = 0; Montavon et al., Pattern
  Recognition 2017); if z_k < 0, only its negative terms. This is gamma for γ → ∞;
- |z|: |scale · a_k| + |shift| (Hui and Binder, "BatchNorm Decomposition", IWANN 2019).

The bias is a term like the others; its share is not propagated. Before a ReLU, a unit with z_k < 0 has no
relevance, and gamma and z-plus are the rules of the papers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

from pipeline.attribution.lrp.shares import Normaliser, ProportionalRule, Sides

CompositeName = Literal["epsilon", "gamma", "zplus"]


@dataclass(frozen=True, slots=True)
class Composite:
    """The rules for convolutions, linear layers and batch norms."""

    name: CompositeName
    epsilon: float
    """ε of the epsilon rule, 0 or more."""
    gamma: float
    """γ of the gamma rule, 0 or more."""

    def convolution(self, convolution: WeightedOperation) -> ConvolutionRule:
        """The rule of a convolution."""
        if self.name == "epsilon":
            return ConvolutionRule(
                normaliser=as_normaliser(convolution), epsilon=self.epsilon, convolution=convolution
            )
        gamma = math.inf if self.name == "zplus" else self.gamma
        return ConvolutionRule(normaliser=convolution.favouring(gamma), convolution=convolution)

    def linear(self, operation: Callable[..., Tensor]) -> ProportionalRule:
        """The rule of a linear layer."""
        return ProportionalRule(normaliser=as_normaliser(operation), epsilon=self.epsilon)

    def batch_norm(self, scale: Tensor, shift: Tensor) -> ProportionalRule:
        """The rule of a batch norm, scale · a + shift, that is not merged into a convolution."""
        if self.name == "epsilon":
            return self.linear(lambda activations: activations * scale + shift)
        return ProportionalRule(
            normaliser=as_normaliser(lambda activations: (activations * scale).abs() + shift.abs())
        )


@dataclass(kw_only=True)
class ConvolutionRule(ProportionalRule):
    """The rule of a convolution; a batch norm directly after it replaces the rule by a merged one."""

    convolution: WeightedOperation
    """The convolution itself."""


def as_normaliser(operation: Callable[..., Tensor]) -> Normaliser:
    """A normaliser whose value is the output of the operation, for either sign."""
    return lambda *inputs: (operation(*inputs),)


@dataclass(frozen=True)
class WeightedOperation:
    """A convolution or a linear layer: linear in its weight and in the activations."""

    function: Callable[[Tensor, Tensor, Tensor | None], Tensor]
    """function(activations, weight, bias)."""
    weight: Tensor
    """Weight, (channels out, channels in, *kernel)."""
    bias: Tensor | None
    """Bias, (channels out)."""

    def __call__(self, activations: Tensor) -> Tensor:
        """The z of every unit."""
        bias = None if self.bias is None else self.bias.to(activations)
        return self.function(activations, self.weight.to(activations), bias)

    def followed_by(self, scale: Tensor, shift: Tensor) -> WeightedOperation:
        """This operation merged with scale · z + shift per channel, which follows it."""
        weight = self.weight * scale.reshape(-1, *[1] * (self.weight.dim() - 1))
        return replace(self, weight=weight, bias=shift if self.bias is None else self.bias * scale + shift)

    def favouring(self, gamma: float) -> Normaliser:
        """A normaliser that multiplies the terms of z of one sign by 1 + γ; infinite γ drops the others.

        It returns two values: one favours positive terms, the other negative terms.
        """
        positive_weights, negative_weights = self._favouring(gamma, 1), self._favouring(gamma, -1)
        positive_no_bias, negative_no_bias = (
            replace(operation, bias=None) for operation in (positive_weights, negative_weights)
        )

        def normaliser(activations: Tensor) -> Sides:
            positive, negative = activations.clamp(min=0), activations.clamp(max=0)
            if not bool((negative < 0).any()):
                return positive_weights(positive), negative_weights(positive)
            return (
                positive_weights(positive) + negative_no_bias(negative),
                negative_weights(positive) + positive_no_bias(negative),
            )

        return normaliser

    def _favouring(self, gamma: float, sign: Literal[1, -1]) -> WeightedOperation:
        """The operation with parameters of one sign multiplied by 1 + γ; infinite γ sets the others to 0."""

        def favoured(terms: Tensor) -> Tensor:
            part = sign * (sign * terms).clamp(min=0)
            return part if math.isinf(gamma) else terms + gamma * part

        return replace(
            self, weight=favoured(self.weight), bias=None if self.bias is None else favoured(self.bias)
        )
