"""Network: one output of an ONNX graph as a network of torch."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from pipeline.classifiers.onnx.building import Building
from pipeline.classifiers.onnx.graph import Graph


class OnnxNetwork(nn.Module):
    """(batch, channels, rows, columns) → the value of one output of the graph."""

    def __init__(
        self, graph: Graph, *, output: str, channels_last: bool = False, batch: int | None = None
    ) -> None:
        """`channels_last`: the graph's own input is (batch, rows, columns, channels).

        `batch`: number of images that the graph is for, None for any. Raises CaseError.
        """
        super().__init__()
        (self._input,) = (port.name for port in graph.inputs)
        self._output, self._channels_last = output, channels_last
        building = Building(graph, batch)
        self._steps = building.steps(output)
        self._numbers = building.numbers
        self.operators = nn.ModuleDict(building.modules)
        self._buffer_of = {name: f"constant_{number}" for number, name in enumerate(building.weights)}
        for name, buffer in self._buffer_of.items():
            self.register_buffer(buffer, building.weights[name])

    def forward(self, images: Tensor) -> Tensor:
        """The output for a batch (batch, channels, rows, columns)."""
        constants = {name: getattr(self, buffer) for name, buffer in self._buffer_of.items()}
        values: dict[str, Any] = {
            **self._numbers,
            **constants,
            self._input: images.permute(0, 2, 3, 1) if self._channels_last else images,
            "": None,
        }
        for step in self._steps:
            made = self.operators[step.module](*[values[name] for name in step.inputs])
            several = made if isinstance(made, list | tuple) else [made]
            values.update(zip(step.outputs, several, strict=False))
            for name in step.done:
                values.pop(name, None)
        found: Tensor = values[self._output]
        return found
