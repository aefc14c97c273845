"""Networks: a model card → an untrained MONAI network."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, cast

import torch
from monai.networks import nets
from torch import nn

from pipeline.classifiers.card import DENSENET161, ModelCard
from pipeline.errors import ConfigError

OWN_CLASSES: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {DENSENET161: {"init_features": 96, "growth_rate": 48, "block_config": (6, 12, 36, 24)}}
)
"""Classes that MONAI does not have → their arguments of its DenseNet (Huang et al., 2017, table 1)."""
REFUSED: Final = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What MONAI and torch raise for arguments that do not fit."""


def build_network(card: ModelCard) -> nn.Module:
    """The network that the card describes, with random weights; its output is (batch, findings) logits.

    Raises ConfigError if MONAI refuses the arguments, or the network cannot compute the card's input.
    """
    name, stated = card.architecture.class_name, card.architecture.arguments.model_dump(exclude_none=True)
    arguments = {**OWN_CLASSES.get(name, {}), **stated}
    words = ", ".join(f"{key}={value!r}" for key, value in stated.items())
    where = f"model card {card.name}: architecture.arguments: {name}"
    try:
        network = cast("nn.Module", getattr(nets, "DenseNet" if name in OWN_CLASSES else name)(**arguments))
    except REFUSED as error:
        raise ConfigError(
            f"{where} cannot be built with {words}; correct these arguments in the card"
        ) from error
    if {"act", "norm"} & stated.keys():
        _refuse_unable(network, card, f"{where} with {words}")
    return network


def _refuse_unable(network: nn.Module, card: ModelCard, where: str) -> None:
    """Raise ConfigError if layers of the card's own choice cannot compute its input."""
    rows, columns = card.preprocessing.shape
    try:
        with torch.no_grad():
            network.eval()(torch.zeros(1, card.preprocessing.channels, rows, columns))
    except REFUSED as error:
        raise ConfigError(
            f"{where} cannot compute an input of {rows} x {columns} px; correct act and norm, or enlarge "
            "preprocessing.resize.size"
        ) from error
