"""Work: what a forward pass does, counted by its operations: multiplications, and numbers that it reads."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

READING = frozenset({"_local_scalar_dense", "is_nonzero", "equal", "item"})
"""Operations that give a number or a truth value of a tensor to Python, which may branch by it."""
FACTORS = {"mm": 0, "addmm": 1, "bmm": 0, "baddbmm": 1}
"""Products of matrices → position of their first factor, whose columns are the terms of each sum."""


class Work(TorchDispatchMode):  # type: ignore[no-untyped-call]  # untyped in torch
    """Counts, inside `with`, the multiplications of convolutions and of products of matrices."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.multiplications: int = 0
        self.reads_numbers: bool = False

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """False, so that torch does not load its compiler, which would take seconds at the start of a run."""
        return False

    def __torch_dispatch__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and count its work."""
        output = function(*args, **(kwargs or {}))
        name = function._schema.name.removeprefix("aten::")  # noqa: SLF001  torch has no other way to it
        self.reads_numbers |= name in READING
        if name == "convolution":
            self.multiplications += output.numel() * args[1][0].numel()
        elif name in FACTORS:
            self.multiplications += output.numel() * args[FACTORS[name]].shape[-1]
        return output


def multiplications(network: nn.Module, inputs: Tensor) -> int:
    """Multiplications of one forward pass of inputs (batch, channels, *grid); the same in every run."""
    return _work_of(network, inputs).multiplications


def reads_numbers(network: nn.Module, inputs: Tensor) -> bool:
    """Whether a forward pass of inputs (batch, channels, *grid) reads numbers from tensors into Python."""
    return _work_of(network, inputs).reads_numbers


def _work_of(network: nn.Module, inputs: Tensor) -> Work:
    work = Work()
    with torch.no_grad(), work:
        network(inputs.clone())
    return work
