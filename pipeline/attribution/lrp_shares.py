"""Shares of LRP: the formula that hands an operation's relevance to its inputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge

Rule = Callable[[tuple[Tensor, ...], Tensor], tuple[Tensor, ...]]
"""rule(inputs, relevance of the output): the relevance of each input."""
Sides = tuple[Tensor] | tuple[Tensor, Tensor]
"""A normaliser's values; or those for z > 0 and those for z < 0, whose sum is a positive multiple of z."""
Normaliser = Callable[..., Sides]


def passed(_inputs: tuple[Tensor, ...], relevance: Tensor) -> tuple[Tensor, ...]:
    """All of it to the one input, place by place."""
    return (relevance,)


def gate(_inputs: tuple[Tensor, ...], _relevance: Tensor) -> tuple[Tensor, ...]:
    """The mark of what is only a factor; a network that uses it otherwise is refused before."""
    raise AssertionError("a gate was asked for its relevance")


@dataclass(kw_only=True)
class Shared:
    """The rule of a normaliser N: R_i = a_i · ∂/∂a_i Σ_k N_k(a) · R_k / (N_k + ε · sign N_k).

    N is linear in each a_i, in its positive and its negative values apart. It is evaluated once, when the
    first finding's relevance comes, and kept with its graph for the others.
    """

    normaliser: Normaliser
    epsilon: float = 0.0
    _graph: _Graph | None = field(default=None, init=False)

    def __call__(self, inputs: tuple[Tensor, ...], relevance: Tensor) -> tuple[Tensor, ...]:
        """The relevance of each input."""
        if self._graph is None:
            self._graph = _evaluated(self.normaliser, inputs, self.epsilon)
        leaves = self._graph.leaves
        gradients: Iterable[Tensor] = (torch.zeros_like(leaf) for leaf in leaves)
        for edge, ratio in self._graph.ratios(_precise(relevance)):
            more = torch.autograd.grad(edge, leaves, ratio, retain_graph=True)
            gradients = map(torch.add, gradients, more)
        return tuple(map(torch.mul, (leaf.detach() for leaf in leaves), gradients))


@dataclass(frozen=True, slots=True)
class _Graph:
    """A normaliser's values at some inputs, ready for any number of findings."""

    leaves: tuple[Tensor, ...]
    edges: tuple[GradientEdge, ...]
    """Of its sides; the values themselves need not be kept."""
    inverse: Tensor
    """1 / (N + ε · sign N), and 0 where N is 0: nothing was added up there."""

    def ratios(self, relevance: Tensor) -> Iterator[tuple[GradientEdge, Tensor]]:
        """R / N of each side that has any."""
        ratio = relevance * self.inverse
        first, *second = self.edges
        if second and bool((negative := torch.where(self.inverse < 0, ratio, 0)).any()):
            yield second[0], negative
            ratio = ratio - negative
        yield first, ratio


def _evaluated(normaliser: Normaliser, inputs: tuple[Tensor, ...], epsilon: float) -> _Graph:
    leaves = tuple(_precise(one.detach()).requires_grad_() for one in inputs)
    with torch.enable_grad():
        sides = normaliser(*leaves)
    first, *second = (side.detach() for side in sides)
    values = torch.where(first + second[0] > 0, first, second[0]) if second else first
    steadied = values + torch.where(values < 0, -epsilon, epsilon)
    counts = steadied.abs() >= torch.finfo(values.dtype).tiny
    return _Graph(leaves, tuple(map(get_gradient_edge, sides)), torch.where(counts, 1 / steadied, 0))


def _precise(tensor: Tensor) -> Tensor:
    """In float32 or better: shares in bfloat16 would not add up."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
