"""Networks: a model card → an untrained network."""

from __future__ import annotations

from importlib import import_module
from typing import cast

import torch
from torch import Tensor, nn

from pipeline.classifiers.architecture import Architecture
from pipeline.classifiers.architectures.endings import has_another_head, with_head, with_pooling
from pipeline.classifiers.card import ModelCard
from pipeline.classifiers.precision import REFUSED
from pipeline.errors import ConfigError


def build_network(card: ModelCard) -> nn.Module:
    """The network that the card describes, with random weights; its output is (batch, findings) logits.

    Raises ConfigError if the arguments are refused, or the network cannot compute the card's input.
    """
    architecture = card.architecture
    assert isinstance(architecture, Architecture)
    name, stated = architecture.class_name, architecture.arguments.model_dump(exclude_none=True)
    words = ", ".join(f"{key}={value!r}" for key, value in stated.items())
    where = f"model card {card.name}: architecture.arguments: {name}"
    try:
        network = built(architecture)
    except ConfigError as error:
        raise ConfigError(f"model card {card.name}: {error}") from error
    except REFUSED as error:
        raise ConfigError(
            f"{where} cannot be built with {words}; correct these arguments in the card"
        ) from error
    if architecture.blocks is None or {"act", "norm"} & stated.keys():
        _refuse_unable(network, card, architecture, f"{where} with {words}")
    if architecture.head is not None:
        _refuse_two_heads(network, card)
    return network


def built(architecture: Architecture) -> nn.Module:
    """The network of an architecture, with random weights. Raises ConfigError, or one of REFUSED."""
    kind = architecture.network
    module, _, function = kind.build.partition(":")
    arguments = architecture.arguments.model_dump(exclude_none=True, exclude={"spatial_dims"})
    build = getattr(import_module(module), function)
    network = cast("nn.Module", build(**{**kind.fixed, **arguments}))
    outputs = architecture.arguments.out_channels
    if architecture.pooling is not None:
        with_pooling(network, architecture.pooling, outputs=outputs)
    if architecture.head is not None:
        with_head(network, architecture.head, outputs=outputs)
    return network


@torch.no_grad()
def _refuse_two_heads(network: nn.Module, card: ModelCard) -> None:
    """Raise ConfigError if another layer than the card's head gives logits, too, as in distilled DeiTs."""
    shape = (2, card.preprocessing.channels, *card.preprocessing.shape)
    if has_another_head(network.eval(), torch.rand(shape, generator=torch.Generator().manual_seed(0))):
        raise ConfigError(
            f"model card {card.name}: architecture.head: the network has two heads, of which this would "
            "replace one; remove head, or choose a class with one"
        )


def _refuse_unable(network: nn.Module, card: ModelCard, architecture: Architecture, where: str) -> None:
    """Raise ConfigError if the network cannot compute the card's input, or gives something else than logits.

    Of a DenseNet with its own layers, the size of the input was compared when the card was read.
    """
    rows, columns = card.preprocessing.shape
    try:
        with torch.no_grad():
            outputs = network.eval()(torch.zeros(1, card.preprocessing.channels, rows, columns))
    except REFUSED as error:
        layers = "correct act and norm, or " if architecture.blocks is not None else ""
        raise ConfigError(
            f"{where} cannot compute an input of {rows} x {columns} px; {layers}enlarge "
            "preprocessing.resize.size, or set it to the size that the network was made for"
        ) from error
    logits = architecture.arguments.out_channels
    if not isinstance(outputs, Tensor) or outputs.shape != (1, logits):
        found = tuple(outputs.shape) if isinstance(outputs, Tensor) else f"a {type(outputs).__name__}"
        raise ConfigError(
            f"{where} gives {found} for one image, wanted {logits} logits; choose another class, or score "
            "its maps with `heatproof score`"
        )
