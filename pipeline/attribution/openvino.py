"""OpenVINO: logits and class activation maps of a network as one compiled graph, on a CPU.

Optional backend, installed by `pip install heatproof[openvino]`. It supports networks that end in a global
average pool and one linear layer: their class activation maps need no gradients, only one more product.

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
from pipeline.attribution.capture import captured
from pipeline.attribution.engine import Target
from pipeline.attribution.explainer import Explainer, Explanation
from pipeline.attribution.heads import Head
from pipeline.attribution.methods.cam import weighted_sum
from pipeline.errors import ConfigError

# OpenVINO sends telemetry on every import and conversion, unless its telemetry package cannot be imported.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None makes its import fail
try:
    import openvino
    from openvino.frontend import NotImplementedFailure, OpConversionFailure, OpValidationFailure
except ImportError as error:
    raise ConfigError(
        "backend: openvino is not installed; run pip install 'heatproof[openvino]', or set backend: torch"
    ) from error

Precision = Literal["float32", "bfloat16"]
HINTS: Mapping[Precision, str] = {"float32": "f32", "bfloat16": "bf16"}
SUPPORTED = ("cam", "gradcam")
"""Methods whose maps are class activation maps at the layer before the pool."""


@dataclass(frozen=True, slots=True)
class CompiledExplainer(Explainer):
    """An explainer whose logits and maps come from a compiled graph; its engine still runs in torch."""

    queue: openvino.AsyncInferQueue
    """Inference requests of the compiled graph."""

    def logits(self, inputs: Tensor) -> NDArray[np.float32]:
        """Logits (batch, findings) of a batch; the compiled graph computes the maps, too."""
        return self.explain(inputs).logits

    def explain(self, inputs: Tensor) -> Explanation:
        """Logits and maps of a batch (batch, channels, *grid); channels and grid are those of the graph.

        Each image is a separate request, and requests run in parallel on all cores. So images of a batch do
        not mix, and the batch size does not change any bit of a result.
        """
        batch = np.ascontiguousarray(inputs.detach().float().cpu().numpy())
        results: list[list[NDArray[np.float32]]] = [[] for _ in batch]

        def store_output(request: openvino.InferRequest, row: int) -> None:
            results[row] = [tensor.data.copy() for tensor in request.output_tensors]

        self.queue.set_callback(store_output)
        for row, image in enumerate(batch):
            self.queue.start_async({0: image[np.newaxis]}, row)
        self.queue.wait_all()
        logits, *maps = (np.concatenate(images) for images in zip(*results, strict=True))
        by_layer = dict(zip(self.targets, maps, strict=True))
        placed = {layer: target.call.cells for layer, target in self.targets.items()}
        return Explanation(
            logits,
            {m.name: by_layer[layer] for m in self.methods for layer in m.layers},
            {m.name: placed[layer] or () for m in self.methods for layer in m.layers},
        )


def compiled(explainer: Explainer, *, example: Tensor, precision: Precision = "float32") -> CompiledExplainer:
    """The explainer with a graph compiled for inputs of the example's channels and grid.

    Raises ConfigError if a method is not in `SUPPORTED`, if its layer is not directly before the head, if
    the network is not on a CPU in float32, if OpenVINO cannot convert it, or if the CPU lacks the precision.
    """
    for method in explainer.methods:
        _refuse_unsupported(explainer, method)
    if example.device.type != "cpu" or example.dtype != torch.float32:
        raise ConfigError(
            f"backend: openvino runs float32 networks on the CPU, found {example.dtype} on {example.device}; "
            "set device: cpu and precision: float32, or backend: torch"
        )
    core = openvino.Core()
    if precision == "bfloat16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise ConfigError("precision: this CPU does not compute in bfloat16; set precision: float32")
    settings = {"INFERENCE_PRECISION_HINT": HINTS[precision], "PERFORMANCE_HINT": "THROUGHPUT"}
    model = core.compile_model(_graph(explainer, example[:1]), "CPU", settings)
    return CompiledExplainer(explainer.engine, explainer.methods, openvino.AsyncInferQueue(model))


def _refuse_unsupported(explainer: Explainer, method: BoundMethod) -> None:
    if not any(method.method is METHODS[name] for name in SUPPORTED):
        raise ConfigError(
            f"methods: {method.name}: backend openvino supports only {' and '.join(SUPPORTED)}; set "
            "backend: torch"
        )
    for layer in method.layers:
        if explainer.targets[layer].head is None:
            raise ConfigError(
                f"methods: {method.name}: backend openvino computes no gradients, and the layer '{layer}' is "
                "not followed by a global average pool and one linear layer; use the layer 'last', or set "
                "backend: torch"
            )


def _graph(explainer: Explainer, example: Tensor) -> openvino.Model:
    """The network and its maps as an OpenVINO model, for inputs of exactly the example's shape."""
    module = _LogitsAndMaps(explainer.engine.network, explainer.targets).eval()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning)  # torch.export calls deprecated functions
        try:
            model = openvino.convert_model(torch.export.export(module, (example.clone(),)))
        except (RuntimeError, NotImplementedFailure, OpConversionFailure, OpValidationFailure) as error:
            raise ConfigError("backend: openvino cannot convert the network; set backend: torch") from error
    model.reshape(list(example.shape))
    return model


class _LogitsAndMaps(nn.Module):
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
