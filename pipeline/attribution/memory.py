"""Memory: what a forward pass with its graph takes of it, and so how much a bound allows at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

MEGABYTE = 2**20
IN_FLIGHT = 8
"""Tensors as large as the largest that a backward pass holds at once: gradients in and out, their sums, and
what the allocator does not give back. With 4, the peak of DenseNet-121 was 5 % over a bound of 1024 MB."""


@dataclass(frozen=True, slots=True)
class Memory:
    """A bound, and what a network needs of it."""

    bound_mb: float
    graph: float
    """Bytes of all tensors that one forward pass makes, an element of its inputs: a graph keeps no more."""
    largest: float
    """Bytes of the largest of them, an element of the inputs."""

    def rows(self, inputs: Tensor) -> int:
        """How many inputs like these fit at once with the graph of a backward pass; at least 1."""
        each = inputs[0].numel() * (self.graph + IN_FLIGHT * self.largest)
        return max(1, int(self._bound / each))

    def findings(self, inputs: Tensor, *, own_graph: bool) -> int:
        """Of how many logits of a batch the gradients may be on their way back at once; at least 1.

        `own_graph`: the graph from the inputs on counts, too; else there is only one from a layer on, which
        was made with the batch.
        """
        left = self._bound - inputs.numel() * (self.graph if own_graph else 0)
        return max(1, int(left / (inputs.numel() * IN_FLIGHT * self.largest)))

    @property
    def _bound(self) -> float:
        return self.bound_mb * MEGABYTE


class Made(TorchDispatchMode):  # type: ignore[no-untyped-call]  # untyped in torch
    """Inside `with`, counts the bytes that operations make, also those between modules; views are not new."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total, self.largest = 0, 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Asked by torch: whether to load its compiler, seconds of a run's start, only to keep it away."""
        return False

    def __torch_dispatch__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """The function's output."""
        output = function(*args, **(kwargs or {}))
        there = {tensor.untyped_storage().data_ptr() for tensor in _tensors(args)}
        for tensor in _tensors(output):
            if tensor.untyped_storage().data_ptr() not in there:
                self.total += tensor.nbytes
                self.largest = max(self.largest, tensor.nbytes)
        return output


def _tensors(values: Any) -> Iterator[Tensor]:
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, tuple | list):
        for value in values:
            yield from _tensors(value)
