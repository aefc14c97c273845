"""Random weights: a network's layers from the top down, and fresh values for some of them.

Cascading randomisation (Adebayo et al. 2018): a map that shows what a network has learnt changes when its
weights are replaced by those of a network that has learnt nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import torch
from torch import Tensor, nn

SHARES = (("quarter", 0.25), ("half", 0.5), ("three_quarters", 0.75), ("all", 1.0))
"""Shares of the layers, from the top, that a step replaces."""
HEAD, ALL = "head", "all"


def steps_from_the_top(network: nn.Module, inputs: Tensor) -> list[tuple[str, tuple[str, ...]]]:
    """Name of each step → names of the modules that it replaces beside those of the steps before.

    The first step is the last layer alone, the last one is all of them. Steps that would add nothing are left
    out, but for "all". `inputs` (batch, channels, *grid) are run once to know the order of the layers.
    """
    names = layers_from_the_top(network, inputs)
    ends = [(HEAD, 1), *((name, round(share * len(names))) for name, share in SHARES)]
    steps, done = [], 0
    for name, end in ends:
        if end > done and (end < len(names) or name == ALL):
            steps.append((name, tuple(names[done:end])))
            done = end
    return steps


def layers_from_the_top(network: nn.Module, inputs: Tensor) -> list[str]:
    """Names of the modules that hold parameters of their own, in the order from output to input.

    The order is that of the first call. A module that is never called itself, as a layer whose weights its
    parent takes, comes where its parent comes; of these, later ones are nearer to the output.
    """
    order = _order_of_calls(network, inputs)
    names = [name for name, module in network.named_modules() if _own_tensors(module)]

    def called(name: str) -> int:
        while name not in order and name:
            name = name.rpartition(".")[0]
        return order.get(name, 0)

    ranked = sorted(range(len(names)), key=lambda number: (called(names[number]), number))
    return [names[number] for number in reversed(ranked)]


def randomise(network: nn.Module, names: Sequence[str], *, seed: int) -> None:
    """Give the named modules of a network fresh values, as a network has before its training.

    Each module's own `reset_parameters` makes them: of a batch normalisation it also resets the running mean
    to 0 and the variance to 1, because these were learnt from images, too. Modules without one get normal
    values with mean and standard deviation of the tensor that they replace. Other buffers stay.
    """
    with _own_random_numbers(network, seed), torch.inference_mode(mode=False), torch.no_grad():
        for name in names:
            module = network.get_submodule(name)
            if not _is_reset(module):
                for tensor in _own_tensors(module):
                    _redraw(tensor)


def copied(network: nn.Module) -> nn.Module:
    """A copy that shares no tensor with the network."""
    return copy.deepcopy(network)


def _order_of_calls(network: nn.Module, inputs: Tensor) -> dict[str, int]:
    """Name of each module → the number of its first call in a forward pass."""
    order: dict[str, int] = {}

    def hook_of(name: str) -> Callable[..., None]:
        def record(*_: object) -> None:
            order.setdefault(name, len(order))

        return record

    handles = [module.register_forward_pre_hook(hook_of(name)) for name, module in network.named_modules()]
    try:
        with torch.inference_mode():
            network(inputs.clone())
    finally:
        for handle in handles:
            handle.remove()
    return order


def _own_tensors(module: nn.Module) -> list[Tensor]:
    """Parameters of a module itself, without those of its parts."""
    return [tensor for tensor in module.parameters(recurse=False) if tensor.is_floating_point()]


def _is_reset(module: nn.Module) -> bool:
    """Whether the module has given itself fresh values."""
    reset = getattr(module, "reset_parameters", None)
    if not callable(reset):
        return False
    own = _own_tensors(module)
    kept = [tensor.clone() for tensor in own]
    with suppress(Exception):  # a module of another package may raise anything
        reset()
        if all(bool(tensor.isfinite().all()) for tensor in own):
            return True
    for tensor, values in zip(own, kept, strict=True):
        tensor.copy_(values)
    return False


def _redraw(tensor: Tensor) -> None:
    """Normal values with the tensor's own mean and spread; a tensor of equal values stays as it is."""
    values = tensor.float()
    spread = float(values.std(correction=0))
    if spread > 0:
        tensor.copy_(float(values.mean()) + spread * torch.randn_like(values))


@contextmanager
def _own_random_numbers(network: nn.Module, seed: int) -> Iterator[None]:
    """Inside `with`, torch draws from `seed`; afterwards it goes on as if nothing had been drawn."""
    devices = {tensor.device for tensor in network.parameters() if tensor.device.type == "cuda"}
    with torch.random.fork_rng(devices=sorted(devices, key=str)):
        torch.manual_seed(seed)
        yield
