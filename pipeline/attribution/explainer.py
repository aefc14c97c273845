"""Explainer: a batch → logits and the maps of every finding by every method, from one forward pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.attribution import METHODS
from pipeline.attribution.engine import Reading, Target, find_targets, read
from pipeline.contracts import AttributionMethod
from pipeline.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the network says of a batch and why."""

    logits: NDArray[np.float32]
    """(batch, findings)."""
    maps: Mapping[str, NDArray[np.float32]]
    """Method → raw relevance (batch, findings, *grid), signs kept."""


@dataclass(frozen=True, slots=True)
class MethodAtLayer:
    """A method as a config asks for it: "gradcam", "gradcam@stride8", "gradcam@features.denseblock2"."""

    name: str
    method: AttributionMethod
    layer: str


@dataclass(frozen=True, slots=True)
class Explainer:
    """Methods bound to one network, which it leaves as it found it."""

    network: nn.Module
    methods: tuple[MethodAtLayer, ...]
    targets: Mapping[str, Target]

    def explain(self, inputs: Tensor) -> Explanation:
        """The explanation of a batch (batch, channels, *grid) on the network's device."""
        reading = self.read(inputs)
        maps = {m.name: m.method(reading, m.layer).detach() for m in self.methods}
        return Explanation(
            logits=reading.logits.cpu().numpy(),
            maps={name: relevance.float().cpu().numpy() for name, relevance in maps.items()},
        )

    def read(self, inputs: Tensor) -> Reading:
        """One forward pass."""
        return read(self.network, inputs, self.targets)

    def unit(self, method: MethodAtLayer) -> Literal["logit", "relative"]:
        """Logits where the head is a global average pool and one linear layer, else a scale of its own."""
        return "relative" if self.targets[method.layer].head is None else "logit"


def open_explainer(
    network: nn.Module,
    *,
    methods: Sequence[str],
    default_layer: str,
    example: Tensor,
) -> Explainer:
    """An explainer for `network` (in eval mode); a method it cannot serve is a `ConfigError` at once.

    `example` (batch, channels, *grid) is what the network takes: two images suffice, not constant ones.
    """
    bound = tuple(_bind(spec, default_layer) for spec in methods)
    targets = find_targets(network, example, list(dict.fromkeys(m.layer for m in bound)))
    explainer = Explainer(network, bound, targets)
    explanation = explainer.explain(example)
    for what, values in {"the network": explanation.logits, **explanation.maps}.items():
        if not np.isfinite(values).all():
            raise ConfigError(f"{what} gives values that are not finite: check weights and preprocessing")
    return explainer


def _bind(spec: str, default_layer: str) -> MethodAtLayer:
    name, at, layer = spec.partition("@")
    if at and not layer:
        raise ConfigError(f"methods: '{spec}' names no layer after the @; write for example {name}@stride8")
    return MethodAtLayer(name=spec, method=METHODS[name], layer=layer or default_layer)
