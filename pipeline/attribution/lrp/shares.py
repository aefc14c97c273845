"""Shares of LRP: the formula that distributes the relevance of an operation's output to its inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge

Rule = Callable[[tuple[Tensor, ...], Tensor], tuple[Tensor, ...]]
"""rule(inputs, relevance of the output): relevance of each input."""
Sides = tuple[Tensor] | tuple[Tensor, Tensor]
"""Values of a normaliser: one for any z, or one for z > 0 and one for z < 0.

The sum of the two is a positive multiple of z.
"""
Normaliser = Callable[..., Sides]
"""normaliser(*inputs): the values N, to whose terms relevance is proportional."""


def pass_through(_inputs: tuple[Tensor, ...], relevance: Tensor) -> tuple[Tensor, ...]:
    """All relevance to the single input, element by element."""
    return (relevance,)


def gate(_inputs: tuple[Tensor, ...], _relevance: Tensor) -> tuple[Tensor, ...]:
    """Marker for gates. It is never called: gates must be factors, and other uses are refused before."""
    raise AssertionError("relevance was propagated through a gate")


@dataclass(kw_only=True)
class ProportionalRule:
    """LRP rule with normaliser N: R_i = a_i · ∂/∂a_i Σ_k N_k(a) · R_k / (N_k + ε · sign N_k).

    N must be linear in each a_i, separately for positive and negative values. It is evaluated once, for the
    first finding, and its graph is reused for the others.
    """

    normaliser: Normaliser
    """Computes N from the inputs."""
    epsilon: float = 0.0
    """ε, 0 or more."""
    _graph: _Graph | None = field(default=None, init=False)

    def __call__(self, inputs: tuple[Tensor, ...], relevance: Tensor) -> tuple[Tensor, ...]:
        """Relevance of each input, in float32 or better."""
        if self._graph is None:
            self._graph = _evaluate(self.normaliser, inputs, self.epsilon)
        leaves = self._graph.leaves
        gradients: Iterable[Tensor] = (torch.zeros_like(leaf) for leaf in leaves)
        for edge, ratio in self._graph.ratios(_at_least_float32(relevance)):
            terms = torch.autograd.grad(edge, leaves, ratio, retain_graph=True)
            gradients = map(torch.add, gradients, terms)
        return tuple(map(torch.mul, (leaf.detach() for leaf in leaves), gradients))


@dataclass(frozen=True, slots=True)
class _Graph:
    """A normaliser evaluated at given inputs, for any number of findings."""

    leaves: tuple[Tensor, ...]
    """The inputs."""
    edges: tuple[GradientEdge, ...]
    """Graph edges of the normaliser's values; the values themselves are not stored."""
    inverse: Tensor
    """1 / (N + ε · sign N), and 0 where the denominator is 0."""

    def ratios(self, relevance: Tensor) -> Iterator[tuple[GradientEdge, Tensor]]:
        """R / N for z > 0 and, if there are any, for z < 0, each with its edge."""
        ratio = relevance * self.inverse
        first, *second = self.edges
        if second and bool((negative := torch.where(self.inverse < 0, ratio, 0)).any()):
            yield second[0], negative
            ratio = ratio - negative
        yield first, ratio


def _evaluate(normaliser: Normaliser, inputs: tuple[Tensor, ...], epsilon: float) -> _Graph:
    leaves = tuple(_at_least_float32(tensor.detach()).requires_grad_() for tensor in inputs)
    with torch.enable_grad():
        sides = normaliser(*leaves)
    first, *second = (side.detach() for side in sides)
    values = torch.where(first + second[0] > 0, first, second[0]) if second else first
    stabilised = values + torch.where(values < 0, -epsilon, epsilon)
    nonzero = stabilised.abs() >= torch.finfo(values.dtype).tiny
    return _Graph(leaves, tuple(map(get_gradient_edge, sides)), torch.where(nonzero, 1 / stabilised, 0))


def _at_least_float32(tensor: Tensor) -> Tensor:
    """The tensor in float32 or better, because shares in bfloat16 would not add up."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
