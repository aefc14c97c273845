"""Work: multiplications of a forward pass, counted by its operations, and whether it reads numbers."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

FACTORS = {"mm": 0, "addmm": 1, "bmm": 0, "baddbmm": 1}
"""Products of matrices → position of their first factor, whose columns are the terms of each sum."""


class Work(TorchDispatchMode):  # type: ignore[no-untyped-call]  # untyped in torch
    """Counts, inside `with`, the multiplications of convolutions and of products of matrices."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.multiplications: int = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """False, so that torch does not load its compiler, which would take seconds at the start of a run."""
        return False

    def __torch_dispatch__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and count its work."""
        output = function(*args, **(kwargs or {}))
        name = function._schema.name.removeprefix("aten::")  # noqa: SLF001  torch has no other way to it
        if name == "convolution":
            self.multiplications += output.numel() * args[1][0].numel()
        elif name in FACTORS:
            self.multiplications += output.numel() * args[FACTORS[name]].shape[-1]
        return output


def multiplications(network: nn.Module, inputs: Tensor) -> int:
    """Multiplications of one forward pass of inputs (batch, channels, *grid); the same in every run."""
    work = Work()
    with torch.no_grad(), work:
        network(inputs.clone())
    return work.multiplications


def reads_numbers(network: nn.Module, inputs: Tensor) -> bool:
    """Whether Python may choose its way by numbers of a forward pass of inputs (batch, channels, *grid).

    The inputs are replaced by tensors of their shape without numbers; a network that asks for one fails. A
    network that cannot run on these for another reason counts as one that does.
    """
    from torch._subclasses.fake_tensor import FakeTensorMode  # noqa: PLC0415  loads torch's compiler

    mode = FakeTensorMode(allow_non_fake_inputs=True)
    shapes = mode.from_tensor(inputs)
    with torch.no_grad(), mode:
        try:
            network(shapes)
        except Exception:  # noqa: BLE001  whatever the network makes of it
            return True
    return False
