"""Contracts of attribution methods and self-checks, and of the network that they work on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Cells, Image, ModelInput

if TYPE_CHECKING:
    from torch import Tensor, nn


class Forward(Protocol):
    """One forward pass of a batch, for attribution methods. Tensors are detached and on the device."""

    @property
    def network(self) -> nn.Module:
        """The network, in eval mode; methods must not change it."""
        ...

    @property
    def inputs(self) -> Tensor:
        """Input of the network, (batch, channels, *grid)."""
        ...

    @property
    def logits(self) -> Tensor:
        """Logits, (batch, findings), float32; for a softmax, the log-odds of its probabilities."""
        ...

    def activations(self, layer: str) -> Tensor:
        """Activations of a layer, (batch, channels, *grid)."""
        ...

    def gradients(self, layer: str) -> Tensor:
        """Gradient of each logit with respect to the activations, (findings, batch, channels, *grid)."""
        ...

    def on_grid(self, layer: str, values: Tensor) -> Tensor:
        """Values at a layer (…, *as its module gives them) as (…, channels, *grid)."""
        ...

    def cells(self, layer: str) -> tuple[Cells, ...]:
        """Where a layer's cells lie on the input, per axis of the grid."""
        ...

    def tokens(self, layer: str) -> tuple[int, int] | None:
        """How many tokens come before and after those of a layer's grid; None unless its output is tokens."""
        ...

    def head_weights(self, layer: str) -> Tensor | None:
        """Derivative of each logit with respect to the mean of each channel, (findings, batch, channels).

        None unless only global average pool → linear follows the layer; it is then the weights of the linear
        layer, the same for every image except for log-odds of three and more findings.
        """
        ...

    def input_gradients(self) -> Tensor:
        """Gradient of each logit with respect to the inputs, (findings, batch, channels, *grid)."""
        ...

    def again(self, inputs: Tensor) -> Forward:
        """A forward pass of other inputs (number, channels, *grid), reading the same layers."""
        ...

    def scores(self, inputs: Tensor) -> Tensor:
        """Logits (number, findings), float32, of other inputs (number, channels, *grid), without autograd."""
        ...

    def scores_with(self, layer: str, activations: Tensor, inputs: Tensor) -> Tensor:
        """Logits (number, findings) of inputs if the layer's activations are (number, channels, *grid)."""
        ...

    @property
    def rows(self) -> int:
        """Largest batch that the memory bound allows for a backward pass; at least 1."""
        ...


class Maps(Protocol):
    """A method with its layer and options bound."""

    def __call__(self, forward: Forward) -> Tensor:
        """Maps (batch, findings, *grid)."""
        ...

    def cells(self, forward: Forward) -> tuple[Cells, ...]:
        """Where the cells of the maps lie on the input, per axis of the grid."""
        ...


@dataclass(frozen=True, slots=True)
class AttributionMethod:
    """An attribution method and its properties."""

    maps: Callable[..., Tensor]
    """Raw relevance (batch, findings, *grid) of every finding, float32, signed, detached.

    Called as maps(forward, layer, **options) if it reads a layer, else as maps(forward, **options). Options
    are keyword-only with defaults, and are the keys allowed in the config. A method that wraps others takes
    them as `of`: one `Maps`, or a tuple of them if `of_many`.
    """
    reads: Literal["layer", "input", "method"]
    """Determines the grid of the maps: that of the target layer, of the input, or of the wrapped method."""
    unit: Literal["logit", "logit_at_head", "relative"]
    """`logit_at_head`: logits if only global average pool → linear follows the layer, else relative.

    A wrapper gives relative maps unless the wrapped maps are in logits too.
    """
    of_many: bool = False
    """Whether `of` is a tuple of several methods."""
    cells: Callable[..., tuple[Cells, ...]] | None = None
    """Where the cells lie, for a wrapper whose grid is not that of the first method that it wraps.

    Called like `maps`.
    """


class Explanation(Protocol):
    """Logits and maps of a batch."""

    @property
    def logits(self) -> NDArray[np.float32]:
        """Logits, (batch, findings); for a softmax, the log-odds of its probabilities."""
        ...

    @property
    def maps(self) -> Mapping[str, NDArray[np.float32]]:
        """Method name → raw relevance (batch, findings, *grid)."""
        ...

    @property
    def cells(self) -> Mapping[str, tuple[Cells, ...]]:
        """Method name → where the cells of its maps lie on the input, per axis of the grid."""
        ...


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """The audited model, as passed to self-checks."""

    network: nn.Module
    findings: tuple[str, ...]
    example: Tensor
    """Example input (at least 2, channels, height, width), not constant, on the network's device."""
    read: Callable[[Tensor], Forward]
    """Runs a forward pass of a batch through the attribution engine."""
    layers: Mapping[str, tuple[str, int]]
    """Layer name in the config → module name and number of its call, from 1."""
    explain: Callable[[Tensor], Explanation]
    """Logits and maps of a batch."""
    explainer_of: Callable[[nn.Module, Tensor], Callable[[Tensor], Explanation]]
    """Builds `explain` for another network from an example batch; its only method is "gradcam"."""
    apart: Callable[[], AbstractContextManager[object]]
    """Inside `with`, tokens of a transformer attend to themselves alone."""
    prepare: Callable[[Image], ModelInput]
    """The preprocessing of the model."""
    reads_input: bool = False
    """Whether a configured method reads the input instead of a layer."""


class Check(Protocol):
    """A self-check of the loaded model, run before the first study."""

    def __call__(self, model: LoadedModel) -> str:
        """One sentence with the measured result; raises CheckError if the model fails."""
        ...
