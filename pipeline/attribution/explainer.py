"""Explainer: a batch → logits, and the maps of every method and finding, from one forward pass.

Example for a notebook, with any `nn.Module` in eval mode and a batch of its inputs, 2D or 3D:

    from pipeline.attribution.explainer import open_explainer
    explainer = open_explainer(network, methods=["gradcam", "layercam@stride8"], example=inputs)
    relevance = explainer.explain(inputs).maps["gradcam"]  # (batch, findings, *grid)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.attribution.binding import BoundMethod, bind
from pipeline.attribution.engine import Engine, Reading, Target, engine_of, open_engine
from pipeline.attribution.probabilities import gives_probabilities
from pipeline.attribution.readout import Readout, with_readout
from pipeline.attribution.specs import MethodSpec, read_specs
from pipeline.errors import ConfigError
from pipeline.records import Cells

MEMORY_MB = 1024
"""Default memory bound, in MB."""
NOTHING = 2.0**-46
"""Share of the largest output up to which a map counts as 0: the square of the precision of float32.

Behind a saturated softmax, rounding leaves gradients of about 1e-18 instead of 0.
"""
Activation = Literal["sigmoid", "softmax", "none"]
"""What makes probabilities of a network's output; none: the output already is one per finding."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Logits and maps of a batch."""

    logits: NDArray[np.float32]
    """Logits, (batch, findings); for a softmax, the log-odds of its probabilities."""
    maps: Mapping[str, NDArray[np.float32]]
    """Method name → raw signed relevance, (batch, findings, *grid)."""
    cells: Mapping[str, tuple[Cells, ...]]
    """Method name → where the cells of its maps lie on the input, per axis of the grid."""


@dataclass(frozen=True, slots=True)
class Explainer:
    """Attribution methods bound to one network, which they do not change."""

    engine: Engine
    methods: tuple[BoundMethod, ...]

    @property
    def targets(self) -> Mapping[str, Target]:
        """Layer name in the specs → its location in the network."""
        return self.engine.targets

    def explain(self, inputs: Tensor) -> Explanation:
        """Logits and maps of a batch (batch, channels, *grid) on the network's device."""
        reading = self.read(inputs)
        maps = {m.name: m.maps(reading).detach() for m in self.methods}
        return Explanation(
            logits=reading.logits.cpu().numpy(),
            maps={name: relevance.float().cpu().numpy() for name, relevance in maps.items()},
            cells={m.name: m.cells(reading) for m in self.methods},
        )

    def logits(self, inputs: Tensor) -> NDArray[np.float32]:
        """Logits (batch, findings) of a batch without maps; for a softmax, the log-odds."""
        return self.engine.logits(inputs).cpu().numpy()

    def read(self, inputs: Tensor) -> Reading:
        """Run one forward pass of a batch (batch, channels, *grid)."""
        return self.engine.read(inputs)

    def of_network(self, network: nn.Module, inputs: Tensor) -> Explainer:
        """The same methods on a network that has the same modules, such as a copy with other weights.

        `inputs` are a batch of it, (batch, channels, *grid).
        """
        return replace(self, engine=engine_of(self.engine, network, inputs))

    def unit(self, method: BoundMethod) -> Literal["logit", "relative"]:
        """Unit of a method's maps: logits, or a relative scale of the method.

        One unit is one unit of the logit, in every image. The maps sum to the logit only as far as the method
        says: the log-odds of three and more findings are not linear, so their CAM is the first-order part.
        """
        match method.method.unit:
            case "logit_at_head":
                at_heads = all(self.targets[layer].head is not None for layer in method.layers)
                wrapped = all(self.unit(inner) == "logit" for inner in method.of)
                return "logit" if at_heads and wrapped else "relative"
            case unit:
                return unit

    def modules(self, method: BoundMethod) -> tuple[str, ...]:
        """Names of the modules whose outputs a method reads; empty if it reads only the input."""
        return tuple(self.targets[layer].call.module for layer in method.layers)


def open_explainer(
    network: nn.Module,
    *,
    methods: Sequence[MethodSpec],
    example: Tensor,
    default_layer: str = "last",
    memory_mb: float = MEMORY_MB,
    activation: Activation = "sigmoid",
    explained: Sequence[bool] = (),
) -> Explainer:
    """An explainer for `network`, which must be in eval mode.

    `activation` makes probabilities of the network's output. For a softmax the log-odds of each finding are
    explained, because they alone decide its probability; else the output itself. `explained` says of each
    output whether it is a finding (empty: all are); logits and maps are of findings alone, in their order.
    `example` is an input of the network (batch, channels, *grid): two images suffice, but not constant ones.
    `memory_mb` bounds the memory of methods that run the network many times. Raises ConfigError if the
    network does not support a method, or gives probabilities although `activation` is not none.
    """
    bound = tuple(bind(spec, default_layer=default_layer) for spec in read_specs(methods))
    layers = list(dict.fromkeys(layer for method in bound for layer in method.layers))
    read = with_readout(network, Readout(activation == "softmax", tuple(explained)))
    explainer = Explainer(open_engine(read, example, layers=layers, memory_mb=memory_mb), bound)
    if activation != "none" and gives_probabilities(network, example):
        raise ConfigError(
            "the network's outputs look like probabilities: they stay within 0 … 1 and saturate at 0 or 1, "
            f"wanted logits for activation '{activation}', because maps of saturated outputs are 0; leave "
            "off the sigmoid, softmax or clamp at its end, or choose activation 'none'"
        )
    _trial_run(explainer, example[:1])
    return explainer


def _trial_run(explainer: Explainer, example: Tensor) -> None:
    """Raise ConfigError for methods that fail on this network or whose values are not finite."""
    reading = explainer.read(example)
    _check_finite("the network", reading.logits)
    for method in explainer.methods:
        try:
            relevance = method.maps(reading)
        except ConfigError:
            raise
        except Exception as error:  # a method of another package may raise anything
            raise ConfigError(
                f"methods: {method.name}: the method fails on this network ({_reason(error)}); choose "
                "another method or layer"
            ) from error
        _check_shape(f"methods: {method.name}", relevance, reading, method.cells(reading))
        _check_finite(f"methods: {method.name}:", relevance)
        least = NOTHING * float(reading.logits.abs().max())
        is_flat = method.method.unit != "relative" and float(relevance.abs().max()) <= least
        if is_flat and example.min() < example.max():
            raise ConfigError(
                f"methods: {method.name}: the maps of all findings are 0 everywhere on an example image: the "
                "output does not change there, as behind a saturated sigmoid, softmax or clamp; let the "
                "network return logits, or choose another layer or method"
            )


def _reason(error: Exception) -> str:
    """Why a method fails: errors of torch in our words, those of a method's own code by their first line."""
    if isinstance(error, RuntimeError):
        return "torch cannot compute its maps"
    return str(error).partition("\n")[0] or type(error).__name__


def _check_shape(source: str, relevance: Tensor, reading: Reading, cells: Sequence[Cells]) -> None:
    wanted = (*reading.logits.shape, *(axis.size for axis in cells))
    if tuple(relevance.shape) != wanted:
        raise ConfigError(
            f"{source}: found maps of shape {tuple(relevance.shape)}, wanted {wanted}: images, findings, and "
            "the grid of the layer, of the input or of the wrapped method; correct the method"
        )


def _check_finite(source: str, values: Tensor) -> None:
    if not bool(values.isfinite().all()):
        raise ConfigError(f"{source} gives values that are not finite; check weights and preprocessing")
