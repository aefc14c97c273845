"""Explainer: a batch → logits and the maps of every finding by every method, from one forward pass.

In a notebook, with any network (an `nn.Module` in eval mode) and a batch of its inputs, in 2D or 3D:

    from pipeline.attribution.explainer import open_explainer
    explainer = open_explainer(network, methods=["gradcam", "layercam@stride8"], example=inputs)
    relevance = explainer.explain(inputs).maps["gradcam"]  # (batch, findings, *grid)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.attribution.binding import BoundMethod, bind
from pipeline.attribution.engine import Engine, Reading, Target, open_engine
from pipeline.attribution.specs import MethodSpec, read_specs
from pipeline.errors import ConfigError

MEMORY_MB = 1024


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the network says of a batch and why."""

    logits: NDArray[np.float32]
    """(batch, findings)."""
    maps: Mapping[str, NDArray[np.float32]]
    """Method → raw relevance (batch, findings, *grid), signs kept."""


@dataclass(frozen=True, slots=True)
class Explainer:
    """Methods bound to one network, which it leaves as it found it."""

    engine: Engine
    methods: tuple[BoundMethod, ...]

    @property
    def targets(self) -> Mapping[str, Target]:
        """Layer, as the specs name it → where it is."""
        return self.engine.targets

    def explain(self, inputs: Tensor) -> Explanation:
        """The explanation of a batch (batch, channels, *grid) on the network's device."""
        reading = self.read(inputs)
        maps = {m.name: m.maps(reading).detach() for m in self.methods}
        return Explanation(
            logits=reading.logits.cpu().numpy(),
            maps={name: relevance.float().cpu().numpy() for name, relevance in maps.items()},
        )

    def read(self, inputs: Tensor) -> Reading:
        """One forward pass."""
        return self.engine.read(inputs)

    def unit(self, method: BoundMethod) -> Literal["logit", "relative"]:
        """Logits, or a scale of the method's own."""
        match method.method.unit:
            case "logit_at_head":
                at_heads = all(self.targets[layer].head is not None for layer in method.layers)
                wrapped = all(self.unit(inner) == "logit" for inner in method.of)
                return "logit" if at_heads and wrapped else "relative"
            case unit:
                return unit

    def modules(self, method: BoundMethod) -> tuple[str, ...]:
        """The modules whose outputs a method reads; none where it reads the input alone."""
        return tuple(self.targets[layer].call.module for layer in method.layers)


def open_explainer(
    network: nn.Module,
    *,
    methods: Sequence[MethodSpec],
    example: Tensor,
    default_layer: str = "last",
    memory_mb: float = MEMORY_MB,
) -> Explainer:
    """An explainer for `network` (in eval mode); a method that it cannot support is a ConfigError at once.

    `example` (batch, channels, *grid) is what the network takes: two images suffice, not constant ones.
    `memory_mb` bounds what methods need that run the network many times.
    """
    bound = tuple(bind(spec, default_layer=default_layer) for spec in read_specs(methods))
    layers = list(dict.fromkeys(layer for method in bound for layer in method.layers))
    explainer = Explainer(open_engine(network, example, layers=layers, memory_mb=memory_mb), bound)
    _try(explainer, example[:1])
    return explainer


def _try(explainer: Explainer, example: Tensor) -> None:
    """Refuse what the network cannot support, and what gives no numbers."""
    reading = explainer.read(example)
    _check_finite("the network", reading.logits)
    for method in explainer.methods:
        try:
            relevance = method.maps(reading)
        except (NotImplementedError, RuntimeError) as error:
            summary = str(error).partition("\n")[0]
            raise ConfigError(
                f"methods: {method.name}: the network cannot be explained in this way ({summary}); "
                "use another method or layer"
            ) from error
        _check_finite(f"methods: {method.name}:", relevance)


def _check_finite(what: str, values: Tensor) -> None:
    if not bool(values.isfinite().all()):
        raise ConfigError(f"{what} gives values that are not finite: check weights and preprocessing")
