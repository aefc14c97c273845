"""OpenVINO: the logits and all class activation maps of a network as one compiled graph, on a CPU.

An optional backend, installed by `pip install heatproof[openvino]`. It serves networks that end in a global
average pool and one linear layer: there a class activation map needs no gradient, only one product more.

    from pipeline.attribution.openvino import compiled
    relevance = compiled(explainer, example=inputs).explain(inputs).maps["gradcam"]
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.attribution import METHODS
from pipeline.attribution.binding import BoundMethod
from pipeline.attribution.cam import weighted_sum
from pipeline.attribution.capture import captured
from pipeline.attribution.engine import Target
from pipeline.attribution.explainer import Explainer, Explanation
from pipeline.errors import ConfigError

# OpenVINO reports every import and conversion over the network, unless the package that does so is not there.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: imports of it fail
try:
    import openvino
    from openvino.frontend import NotImplementedFailure, OpConversionFailure, OpValidationFailure
except ImportError as error:
    raise ConfigError(
        "backend: openvino is not installed here; install it with pip install 'heatproof[openvino]', or use "
        "backend: torch"
    ) from error

Precision = Literal["float32", "bfloat16"]
HINTS: Mapping[Precision, str] = {"float32": "f32", "bfloat16": "bf16"}
SUPPORTED = ("cam", "gradcam")
"""The methods that are a class activation map where they read the layer before the pool."""


@dataclass(frozen=True, slots=True)
class CompiledExplainer(Explainer):
    """An explainer whose logits and maps come from a compiled graph; its engine is still torch's."""

    queue: openvino.AsyncInferQueue

    def explain(self, inputs: Tensor) -> Explanation:
        """The explanation of a batch (batch, channels, *grid) of the shape that was compiled.

        Each image is a request of its own, as many at a time as fill the cores. So images of a batch cannot
        mix, and its size changes no bit of a result.
        """
        images = np.ascontiguousarray(inputs.detach().float().cpu().numpy())
        results: list[list[NDArray[np.float32]]] = [[] for _ in images]

        def keep(request: openvino.InferRequest, row: int) -> None:
            results[row] = [tensor.data.copy() for tensor in request.output_tensors]

        self.queue.set_callback(keep)
        for row, image in enumerate(images):
            self.queue.start_async({0: image[np.newaxis]}, row)
        self.queue.wait_all()
        logits, *maps = (np.concatenate(of_images) for of_images in zip(*results, strict=True))
        by_layer = dict(zip(self.targets, maps, strict=True))
        return Explanation(logits, {m.name: by_layer[layer] for m in self.methods for layer in m.layers})


def compiled(explainer: Explainer, *, example: Tensor, precision: Precision = "float32") -> CompiledExplainer:
    """The explainer with its graph compiled for inputs of the example's shape, (any number, channels, *grid).

    Raises ConfigError for methods other than `SUPPORTED` at a linear head, for networks that are not on a CPU
    in float32 or that OpenVINO cannot take, and for a precision that the CPU does not have.
    """
    for method in explainer.methods:
        _refuse_unsupported(explainer, method)
    if example.device.type != "cpu" or example.dtype != torch.float32:
        raise ConfigError(
            f"backend: openvino runs on the CPU and takes a float32 network, found {example.dtype} on "
            f"{example.device}; use device: cpu, or backend: torch"
        )
    core = openvino.Core()
    if precision == "bfloat16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise ConfigError("precision: this CPU does not compute in bfloat16; use float32")
    settings = {"INFERENCE_PRECISION_HINT": HINTS[precision], "PERFORMANCE_HINT": "THROUGHPUT"}
    model = core.compile_model(_graph(explainer, example[:1]), "CPU", settings)
    return CompiledExplainer(explainer.engine, explainer.methods, openvino.AsyncInferQueue(model))


def _refuse_unsupported(explainer: Explainer, method: BoundMethod) -> None:
    if not any(method.method is METHODS[name] for name in SUPPORTED):
        raise ConfigError(
            f"methods: {method.name}: backend openvino gives {' and '.join(SUPPORTED)} alone; use torch"
        )
    for layer in method.layers:
        if explainer.targets[layer].head is None:
            raise ConfigError(
                f"methods: {method.name}: backend openvino takes no gradients, and what follows the layer "
                f"'{layer}' is not a global average pool and one linear layer; use the layer last, or torch"
            )


def _graph(explainer: Explainer, example: Tensor) -> openvino.Model:
    """The network and its maps as OpenVINO sees them, for inputs of exactly the example's shape."""
    module = _LogitsAndMaps(explainer.engine.network, explainer.targets).eval()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)  # torch.export calls what torch deprecates
        try:
            model = openvino.convert_model(torch.export.export(module, (example.clone(),)))
        except (RuntimeError, NotImplementedFailure, OpConversionFailure, OpValidationFailure) as error:
            summary = str(error).strip().partition("\n")[0]
            raise ConfigError(f"backend: openvino cannot take the network ({summary}); use torch") from error
    model.reshape(list(example.shape))
    return model


class _LogitsAndMaps(nn.Module):
    """(batch, channels, *grid) → logits, and the maps (batch, findings, *grid) at each target layer."""

    def __init__(self, network: nn.Module, targets: Mapping[str, Target]) -> None:
        super().__init__()
        self.network = network
        self.targets = targets

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        calls = {target.call for target in self.targets.values()}
        with captured(self.network, calls, graph_from=None) as kept:
            logits: Tensor = self.network(inputs)
        maps = [
            weighted_sum(target.head.weight, kept[target.call])
            for target in self.targets.values()
            if target.head is not None
        ]
        return logits, *maps
