"""Torch compiled: logits and class activation maps as one graph by torch's own compiler, for many images.

The compiler fuses normalisation, activation and concatenation, between which a network such as a DenseNet
mostly waits for memory, and on CUDA replays the whole graph by one launch. It takes about a minute at the
start of each run, a C++ compiler on a CPU, and Triton, which comes with torch for CUDA, on a GPU.

    from pipeline.attribution.torch_compiled import compiled
    relevance = compiled(explainer, example=inputs).explain(inputs).maps["gradcam"]
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.fx.experimental.proxy_tensor import make_fx

from pipeline.attribution.explainer import Explainer, Explanation
from pipeline.attribution.one_graph import LogitsAndMaps, explanation_of, refuse_unsupported
from pipeline.attribution.work import reads_numbers
from pipeline.errors import ConfigError

Graph: TypeAlias = Callable[[Tensor], tuple[Tensor, ...]]
COMPILE: Final = "compile"
MODES: Final = {"cuda": "reduce-overhead"}
"""Kind of device → mode of torch.compile: on CUDA, launches of kernels are recorded once as a CUDA graph."""
IMAGE_DIMENSIONS: Final = 4


@dataclass(frozen=True, slots=True)
class CompiledExplainer(Explainer):
    """An explainer whose logits and maps come from a compiled graph; its engine still runs eagerly."""

    graph: Graph
    """Batch of `rows` images → logits, and maps of each target layer."""
    thread: ThreadPoolExecutor
    """The one thread that compiles and runs the graph: a CUDA graph belongs to the thread that records it."""
    rows: int
    """Images that go through the graph together."""

    def logits(self, inputs: Tensor) -> NDArray[np.float32]:
        """Logits (batch, findings) of a batch; the compiled graph computes the maps, too."""
        return self.explain(inputs).logits

    def explain(self, inputs: Tensor) -> Explanation:
        """Logits and maps of a batch (batch, channels, *grid); channels and grid are those of the graph.

        A batch goes through the graph in parts of `rows` images, the last one filled up with zeros.
        """
        batches = inputs.detach().split(self.rows)
        parts = [self.thread.submit(_outputs, self.graph, part, self.rows).result() for part in batches]
        logits, *maps = (np.concatenate(column) for column in zip(*parts, strict=True))
        return explanation_of(self, logits, maps)


def compiled(explainer: Explainer, *, example: Tensor, precision: str = "float32") -> CompiledExplainer:
    """The explainer with a graph compiled for batches of the example's shape, on its device.

    Raises ConfigError if a method is not in `one_graph.SUPPORTED`, if its layer is not directly before the
    head, if the example, and so the network, is not in the precision, if the network chooses its way by
    numbers, or if torch cannot compile it here.
    """
    refuse_unsupported(explainer, COMPILE)
    if example.dtype != getattr(torch, precision):
        raise ConfigError(f"backend: {COMPILE}: wanted a network in {precision}, found {example.dtype}")
    module = LogitsAndMaps(explainer.engine.network, explainer.targets).eval()
    if reads_numbers(module, example):
        raise ConfigError(
            f"backend: {COMPILE}: the network chooses its way by numbers, which no fixed graph can follow; "
            "set backend: torch"
        )
    thread = ThreadPoolExecutor(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, for those who write compilers
        try:
            graph = _compiled(module, example)
            thread.submit(_outputs, graph, example, len(example)).result()
        except Exception as error:  # the compiler's errors have no common class
            first = str(error).strip().partition("\n")[0]
            raise ConfigError(
                f"backend: {COMPILE}: torch cannot compile the network here ({first}); a CPU needs a C++ "
                "compiler, a GPU Triton; or set backend: torch"
            ) from error
    return CompiledExplainer(explainer.engine, explainer.methods, graph, thread, len(example))


def _compiled(module: nn.Module, example: Tensor) -> Graph:
    """The module as a compiled graph of the operations that it runs on the example."""

    def forward(inputs: Tensor) -> tuple[Tensor, ...]:
        outputs: tuple[Tensor, ...] = module(inputs)
        return outputs

    with torch.no_grad():
        operations = make_fx(forward)(example.clone())
    graph: Graph = torch.compile(operations, dynamic=False, mode=MODES.get(example.device.type))
    return graph


def _outputs(graph: Graph, inputs: Tensor, rows: int) -> list[NDArray[np.float32]]:
    """What the graph gives for at most `rows` images, copied before its next call overwrites it."""
    missing = rows - len(inputs)
    batch = torch.cat([inputs, inputs.new_zeros(missing, *inputs.shape[1:])]) if missing else inputs
    if batch.dim() == IMAGE_DIMENSIONS:
        batch = batch.contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        outputs = graph(batch)
    return [output[: len(inputs)].float().cpu().numpy().copy() for output in outputs]
