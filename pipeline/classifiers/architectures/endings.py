"""Endings: replace the global pooling of a network, or its last linear layer, as the model card says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import torch
from torch import Tensor, nn

from pipeline.errors import ConfigError

POWER: Final = 3.0
"""Where training of GeM starts (Radenović et al., TPAMI 2019)."""
SMALLEST: Final = 1e-6
"""Smaller activations count as this one, because GeM takes roots."""
LAYERS: Final[Mapping[str, Callable[[int], nn.Module]]] = MappingProxyType(
    {
        "relu": lambda _: nn.ReLU(),
        "leaky_relu": lambda _: nn.LeakyReLU(),
        "gelu": lambda _: nn.GELU(),
        "silu": lambda _: nn.SiLU(),
        "tanh": lambda _: nn.Tanh(),
        "dropout": lambda _: nn.Dropout(),
        "identity": lambda _: nn.Identity(),
        "batch_norm": nn.BatchNorm1d,
        "layer_norm": nn.LayerNorm,
    }
)
"""Name on the card → layer for so many features."""


def with_pooling(network: nn.Module, pooling: str | Mapping[str, float], *, outputs: int) -> None:
    """Replace the network's global average pool. Raises ConfigError if it has none."""
    pools = [(n, m) for n, m in network.named_modules() if isinstance(m, nn.AdaptiveAvgPool2d)]
    if not pools or pools[-1][1].output_size not in {1, (1, 1)}:
        raise ConfigError(
            "architecture.pooling: the network has no global average pool as a module, which could be "
            "replaced; remove pooling, or choose another class"
        )
    name = pools[-1][0]
    if pooling == "max":
        _replace(network, name, nn.AdaptiveMaxPool2d(1))
    elif pooling == "pcam":
        place, linear = _last_linear(network, outputs, key="pooling")
        _replace(network, place, scored := ScoredByPooling(linear.in_features, outputs))
        _replace(network, name, AttentionPool(scored))
    elif pooling != "average":
        _replace(network, name, GeneralisedMean(None if pooling == "gem" else dict(pooling)["gem"]))  # type: ignore[arg-type]  # a mapping by now


def with_head(network: nn.Module, layers: Sequence[Any], *, outputs: int) -> None:
    """Replace the network's last linear layer by a sequence. Raises ConfigError if it does not end in one."""
    name, linear = _last_linear(network, outputs, key="head")
    _replace(network, name, CardHead(*_head(layers, linear.in_features, outputs)))


class CardHead(nn.Sequential):
    """The layers of a card's head."""


def has_another_head(network: nn.Module, images: Tensor) -> bool:
    """Whether outputs for two images (2, channels, height, width) differ although the card's head gives 0."""
    (head,) = (module for module in network.modules() if isinstance(module, CardHead))
    handle = head.register_forward_hook(lambda _module, _inputs, output: torch.zeros_like(output))
    try:
        first, second = network(images)
    finally:
        handle.remove()
    return not torch.equal(first, second)


class GeneralisedMean(nn.Module):
    """Mean of the activations' powers, of which the root is taken (Radenović et al., TPAMI 2019)."""

    def __init__(self, power: float | None) -> None:
        """`power` None: it was trained, and is the tensor `p` of the weights file."""
        super().__init__()
        self.p: float | Tensor = nn.Parameter(torch.tensor([POWER])) if power is None else power

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, channels, 1, 1) of (batch, channels, height, width)."""
        return inputs.clamp(min=SMALLEST).pow(self.p).mean(dim=(2, 3), keepdim=True).pow(1 / self.p)


class ScoredByPooling(nn.Linear):
    """A linear layer that `AttentionPool` applies; called by the network, it passes the logits on."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002  torch's word
        """The logits that the pool has computed."""
        return input


class AttentionPool(nn.Module):
    """Probabilistic class activation map pooling (Ye et al., arXiv 2005.14480).

    The linear layer scores each cell; a finding's logit is the mean of its cells' scores, weighted by their
    sigmoids.
    """

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.scores = (linear,)  # a tuple: its tensors keep the names that they have in the network

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits (batch, findings, 1, 1) of (batch, channels, height, width)."""
        (linear,) = self.scores
        channels_last = inputs.movedim(1, -1).to(linear.weight.dtype)
        cells = nn.functional.linear(channels_last, linear.weight, linear.bias).movedim(-1, 1)
        weights = cells.sigmoid()
        total = (weights * cells).sum(dim=(2, 3), keepdim=True)
        logits: Tensor = total / weights.sum(dim=(2, 3), keepdim=True).clamp_min(SMALLEST)
        return logits


def _head(layers: Sequence[Any], features: int, outputs: int) -> Iterator[nn.Module]:
    for layer in layers:
        if layer == "linear" or isinstance(layer, Mapping):
            after = outputs if layer == "linear" else layer["linear"]
            yield nn.Linear(features, after)
            features = after
        else:
            yield LAYERS[layer](features)


def _last_linear(network: nn.Module, outputs: int, *, key: str) -> tuple[str, nn.Linear]:
    """The last linear layer, which gives the logits, and its name."""
    linear = [(n, m) for n, m in network.named_modules() if isinstance(m, nn.Linear)]
    if not linear or linear[-1][1].out_features != outputs:
        raise ConfigError(
            f"architecture.{key}: the network does not end in a linear layer, which could be replaced; "
            f"remove {key}, or choose another class"
        )
    return linear[-1]


def _replace(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(network.get_submodule(parent), last, module)
