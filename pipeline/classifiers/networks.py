"""Networks: a model card → an untrained MONAI network."""

from __future__ import annotations

from typing import cast

from monai.networks import nets
from torch import nn

from pipeline.classifiers.card import ModelCard
from pipeline.errors import ConfigError


def build_network(card: ModelCard) -> nn.Module:
    """The network that the card describes, with random weights; its output is (batch, findings) logits.

    What MONAI refuses is a `ConfigError`.
    """
    network_class = getattr(nets, card.architecture.class_name)
    arguments = card.architecture.arguments.model_dump(exclude_none=True)
    try:
        return cast("nn.Module", network_class(**arguments))
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        stated = ", ".join(f"{key}={value!r}" for key, value in arguments.items())
        raise ConfigError(
            f"model card {card.name}: architecture.arguments: {card.architecture.class_name} cannot be built "
            f"with {stated}: {error}"
        ) from error
