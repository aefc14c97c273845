"""Weights: tensors that are not those of the training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from tests.trust.setups import Setup

HEAD = "class_layers.out"
TOP = ("class_layers", "features.norm5", "features.denseblock2", "features.transition1")
"""The network's modules from the end to the first block."""
BROKEN = "features.denseblock1.denselayer1.layers.conv2.weight"
"""A convolution in the first block, whose output all later layers read."""


def random_head(setup: Setup, rng: np.random.Generator, _dose: float) -> Setup:
    """The head with fresh weights."""
    return _changed(setup, lambda name: name.startswith(HEAD), lambda tensor: _fresh(tensor, rng))


def random_top(setup: Setup, rng: np.random.Generator, dose: float) -> Setup:
    """The last `dose` modules of `TOP` with fresh weights."""
    top = TOP[: int(dose)]
    return _changed(
        setup, lambda name: name.startswith(top) and _is_kernel(name), lambda tensor: _fresh(tensor, rng)
    )


def head_of_another_training(setup: Setup, rng: np.random.Generator, _dose: float) -> Setup:
    """The head of a training that learnt the same features in another order."""
    order = torch.from_numpy(rng.permutation(setup.tensors[f"{HEAD}.weight"].shape[1]))
    return _changed(setup, lambda name: name == f"{HEAD}.weight", lambda tensor: tensor[:, order])


def layer_scaled(setup: Setup, _rng: np.random.Generator, dose: float) -> Setup:
    """One layer's output times `dose`."""
    return _changed(setup, lambda name: name == BROKEN, lambda tensor: tensor * dose)


def garbage(setup: Setup, rng: np.random.Generator, dose: float) -> Setup:
    """A share of all kernels' values with random bits in half precision; all stay finite."""
    return _changed(setup, _is_kernel, lambda tensor: _with_random_bits(tensor, dose, rng))


def slightly_other(setup: Setup, rng: np.random.Generator) -> Setup:
    """Clean: each kernel's values changed by a hundredth, as further training might."""

    def change(tensor: Tensor) -> Tensor:
        return tensor * torch.from_numpy(1 + 0.01 * rng.standard_normal(tensor.shape)).float()

    return _changed(setup, _is_kernel, change)


def _is_kernel(name: str) -> bool:
    return name.endswith("weight") and ("conv" in name or name.startswith(HEAD))


def _fresh(tensor: Tensor, rng: np.random.Generator) -> Tensor:
    """Normal random values of the tensor's own spread."""
    spread = float(tensor.std()) if tensor.numel() > 1 else 1.0
    return torch.from_numpy(rng.normal(0, spread, tensor.shape)).float()


def _with_random_bits(tensor: Tensor, share: float, rng: np.random.Generator) -> Tensor:
    bits = tensor.numpy().astype(np.float16)
    random = rng.integers(0, 2**16, bits.shape, dtype=np.uint16).view(np.float16)
    hit = (rng.random(bits.shape) < share) & np.isfinite(random)
    return torch.from_numpy(np.where(hit, random, bits).astype(np.float32))


def _changed(setup: Setup, wanted: Callable[[str], bool], change: Callable[[Tensor], Tensor]) -> Setup:
    tensors: Mapping[str, Tensor] = {
        name: change(tensor) if wanted(name) else tensor for name, tensor in setup.tensors.items()
    }
    return replace(setup, tensors=tensors)
