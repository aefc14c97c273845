"""Memory: needs of a forward and backward pass, and the batch size that a memory bound allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

MEGABYTE = 2**20
IN_FLIGHT = 8
"""Copies of the largest tensor that a backward pass may hold at once: incoming and outgoing gradients, their
sums, and memory that the allocator keeps. With 4, DenseNet-121 exceeded a bound of 1024 MB by 5 %."""


@dataclass(frozen=True, slots=True)
class Memory:
    """A memory bound and the needs of a network."""

    bound_mb: float
    """The bound, in MB."""
    graph: float
    """Bytes of all tensors of a forward pass, per input element: an upper bound for its autograd graph."""
    largest: float
    """Bytes of the largest tensor of a forward pass, per input element."""

    def rows(self, inputs: Tensor) -> int:
        """How many such inputs fit into memory at once for a backward pass; at least 1."""
        per_input = inputs[0].numel() * (self.graph + IN_FLIGHT * self.largest)
        return max(1, int(self._bound / per_input))

    def findings(self, inputs: Tensor, *, own_graph: bool) -> int:
        """How many logits of a batch fit into one backward pass; at least 1.

        With `own_graph`, the graph from the inputs to the logits is counted too; without it, the graph of the
        batch exists already.
        """
        available = self._bound - inputs.numel() * (self.graph if own_graph else 0)
        return max(1, int(available / (inputs.numel() * IN_FLIGHT * self.largest)))

    @property
    def _bound(self) -> float:
        return self.bound_mb * MEGABYTE


class AllocatedBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]  # untyped in torch
    """Count the bytes of the tensors that operations create inside `with`; views do not count."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total, self.largest = 0, 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """False, so that torch does not load its compiler, which would take seconds at the start of a run."""
        return False

    def __torch_dispatch__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and count its output."""
        output = function(*args, **(kwargs or {}))
        existing = {tensor.untyped_storage().data_ptr() for tensor in _tensors(args)}
        for tensor in _tensors(output):
            if tensor.untyped_storage().data_ptr() not in existing:
                self.total += tensor.nbytes
                self.largest = max(self.largest, tensor.nbytes)
        return output


def _tensors(values: Any) -> Iterator[Tensor]:
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, tuple | list):
        for value in values:
            yield from _tensors(value)
