"""OpenVINO: logits and class activation maps of a network as one compiled graph, on a CPU.

Optional backend, installed by `pip install heatproof[openvino]`. It supports networks that end in a global
average pool and one linear layer: their class activation maps need no gradients, only one more product.

    from pipeline.attribution.openvino import compiled
    relevance = compiled(explainer, example=inputs).explain(inputs).maps["gradcam"]
"""

from __future__ import annotations

import hashlib
import sys
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.jit import trace
from torch.jit._trace import TracerWarning

from pipeline.attribution.explainer import Explainer, Explanation
from pipeline.attribution.one_graph import LogitsAndMaps, explanation_of, refuse_unsupported
from pipeline.attribution.work import reads_numbers
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
NUMBERS, SEAL = ".bin", ".sha256"
"""Suffixes of a kept network's numbers, beside its XML, and of the hash of both."""
OF_TORCH = (
    (TracerWarning, ""),
    (DeprecationWarning, r"`torch\.jit\."),
    (FutureWarning, r"`isinstance\(treespec"),
)
"""Kinds of warnings and how they begin; those of a notebook that calls the audit stay as they are."""
FAILURES = (RuntimeError, NotImplementedFailure, OpConversionFailure, OpValidationFailure)


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
        return explanation_of(self, logits, maps)


def compiled(
    explainer: Explainer, *, example: Tensor, precision: Precision = "float32", kept_at: Path | None = None
) -> CompiledExplainer:
    """The explainer with a graph compiled for inputs of the example's channels and grid.

    With `kept_at`, an XML file, the converted network is read from there, or written there after conversion;
    the caller sees to it that the name changes with the network. A damaged file is written anew.

    Raises ConfigError if a method is not in `one_graph.SUPPORTED`, if its layer is not directly before the
    head, if the network is not on a CPU in float32, if OpenVINO cannot convert it, or if the CPU lacks the
    precision.
    """
    refuse_unsupported(explainer, "openvino")
    if example.device.type != "cpu" or example.dtype != torch.float32:
        raise ConfigError(
            f"backend: openvino runs float32 networks on the CPU, found {example.dtype} on {example.device}; "
            "set device: cpu and precision: float32, or backend: torch"
        )
    core = openvino.Core()
    if precision == "bfloat16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        raise ConfigError("precision: this CPU does not compute in bfloat16; set precision: float32")
    settings = {"INFERENCE_PRECISION_HINT": HINTS[precision], "PERFORMANCE_HINT": "THROUGHPUT"}
    graph = None if kept_at is None else _kept(core, kept_at)
    if graph is None:
        graph = _graph(explainer, example[:1])
        if kept_at is not None:
            _keep(graph, kept_at)
    model = core.compile_model(graph, "CPU", settings)
    return CompiledExplainer(explainer.engine, explainer.methods, openvino.AsyncInferQueue(model))


def _kept(core: openvino.Core, path: Path) -> openvino.Model | None:
    """The network that an earlier run converted; None without one, or where its files are damaged."""
    with suppress(OSError, RuntimeError):
        if path.with_suffix(SEAL).read_text(encoding="ascii", errors="replace") == _sealed(path):
            return core.read_model(path)
    return None


def _sealed(path: Path) -> str:
    """The SHA-256 of the converted network's graph and numbers."""
    digest = hashlib.sha256()
    for suffix in (path.suffix, NUMBERS):
        digest.update(path.with_suffix(suffix).read_bytes())
    return digest.hexdigest()


def _keep(graph: openvino.Model, path: Path) -> None:
    """Write the converted network, its hash last, without which its files do not count.

    It is a cache: where it cannot be written, the next run converts again.
    """
    with suppress(OSError, RuntimeError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
            written = Path(folder) / path.name
            openvino.save_model(graph, written, compress_to_fp16=False)
            written.with_suffix(SEAL).write_text(_sealed(written), encoding="ascii")
            path.with_suffix(SEAL).unlink(missing_ok=True)
            for suffix in (NUMBERS, path.suffix, SEAL):
                written.with_suffix(suffix).replace(path.with_suffix(suffix))


def _graph(explainer: Explainer, example: Tensor) -> openvino.Model:
    """The network and its maps as an OpenVINO model, for inputs of exactly the example's shape.

    From a trace of one forward pass, which takes seconds less than `torch.export`. A trace keeps one way
    through the network; one that reads numbers, and so may choose its way by them, is exported or refused.
    """
    module = LogitsAndMaps(explainer.engine.network, explainer.targets).eval()
    _hush_torch()
    try:
        traced = None if reads_numbers(module, example) else _traced(module, example)
        model = traced or openvino.convert_model(torch.export.export(module, (example.clone(),)))
    except FAILURES as error:
        raise ConfigError("backend: openvino cannot convert the network; set backend: torch") from error
    model.reshape(list(example.shape))
    return model


def _hush_torch() -> None:
    """Ignore what torch warns developers of while it traces or exports, whose shapes are fixed here.

    For good, not in a `with`: this runs in a thread, and one thread's `with` would end with the filters of
    another's.
    """
    for category, message in OF_TORCH:
        warnings.filterwarnings("ignore", message, category)


def _traced(module: nn.Module, example: Tensor) -> openvino.Model | None:
    """The model of a traced forward pass; None if it cannot be traced or converted.

    A function is traced, not the module: of a module, torch would look at every attribute of all its parts.
    """

    def forward(inputs: Tensor) -> tuple[Tensor, ...]:
        outputs: tuple[Tensor, ...] = module(inputs)
        return outputs

    try:
        with torch.no_grad():
            traced = trace(forward, (example.clone(),), check_trace=False)  # type: ignore[no-untyped-call]
        return openvino.convert_model(traced)
    except FAILURES:
        return None
