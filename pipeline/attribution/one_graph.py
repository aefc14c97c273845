"""One graph: logits and class activation maps of a network as one function, for backends that compile it.

It fits networks that end in a global average pool and one linear layer: their class activation maps need no
gradients, only one more product.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.attribution import METHODS
from pipeline.attribution.binding import BoundMethod
from pipeline.attribution.capture import captured
from pipeline.attribution.engine import Target
from pipeline.attribution.explainer import Explainer, Explanation
from pipeline.attribution.heads import Head
from pipeline.attribution.methods.cam import weighted_sum
from pipeline.errors import ConfigError

SUPPORTED = ("cam", "gradcam")
"""Methods whose maps are class activation maps at the layer before the pool."""


class LogitsAndMaps(nn.Module):
    """(batch, channels, *grid) → logits, and one map tensor (batch, findings, *grid) per target layer."""

    def __init__(self, network: nn.Module, targets: Mapping[str, Target]) -> None:
        super().__init__()
        self.network = network
        self.targets = targets

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        calls = {target.call for target in self.targets.values()}
        with captured(self.network, calls, graph_from=None) as kept:
            logits: Tensor = self.network(inputs)
        maps = [
            _class_activation_map(target.head, target.call.on_grid(kept[target.call]))
            for target in self.targets.values()
            if target.head is not None
        ]
        return logits, *maps


def _class_activation_map(head: Head, activations: Tensor) -> Tensor:
    return weighted_sum(head.weights(activations), activations)


def explanation_of(
    explainer: Explainer, logits: NDArray[np.float32], maps: Sequence[NDArray[np.float32]]
) -> Explanation:
    """The explanation of what `LogitsAndMaps` gave: logits, and the maps of each target layer."""
    by_layer = dict(zip(explainer.targets, maps, strict=True))
    placed = {layer: target.call.cells for layer, target in explainer.targets.items()}
    return Explanation(
        logits,
        {m.name: by_layer[layer] for m in explainer.methods for layer in m.layers},
        {m.name: placed[layer] or () for m in explainer.methods for layer in m.layers},
    )


def refuse_unsupported(explainer: Explainer, backend: str) -> None:
    """Raise ConfigError if a method is not in `SUPPORTED`, or its layer is not directly before the head."""
    for method in explainer.methods:
        _refuse(explainer, method, backend)


def _refuse(explainer: Explainer, method: BoundMethod, backend: str) -> None:
    if not any(method.method is METHODS[name] for name in SUPPORTED):
        raise ConfigError(
            f"methods: {method.name}: backend {backend} supports only {' and '.join(SUPPORTED)}; set "
            "backend: torch"
        )
    for layer in method.layers:
        if explainer.targets[layer].head is None:
            raise ConfigError(
                f"methods: {method.name}: backend {backend} computes no gradients, and the layer '{layer}' "
                "is not followed by a global average pool and one linear layer; use the layer 'last', or set "
                "backend: torch"
            )
