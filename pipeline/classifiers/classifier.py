"""Classifier: a trained network, ready on its device, and the meaning of its logits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.classifiers.card import ModelCard
from pipeline.classifiers.networks import build_network
from pipeline.classifiers.weights import load_weights
from pipeline.errors import ConfigError
from pipeline.records import ModelInput, Prediction

Precision = Literal["float32", "bfloat16"]


def open_classifier(
    card: ModelCard,
    *,
    card_path: Path,
    weights: Path | None,
    device: str,
    precision: Precision,
    allow_pickle: bool,
) -> Classifier:
    """The card's network with its weights, in evaluation mode on the device.

    `weights` takes the place of the card's file; a sha256 in the card holds for either. Raises ConfigError.
    """
    place = _device(device)
    network = build_network(card)
    path = weights or _weights_beside(card, card_path)
    sha256 = load_weights(network, path, sha256=card.sha256, allow_pickle=allow_pickle)
    network.eval().requires_grad_(requires_grad=False)
    network.to(place, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    if precision == "bfloat16":
        _to_bfloat16(network)
    return Classifier(network, card, sha256, place, precision)


@dataclass(frozen=True, slots=True)
class Classifier:
    """A network and all that is needed to feed and to read it."""

    network: nn.Module
    """(batch, channels, height, width) → float32 logits (batch, findings)."""
    card: ModelCard
    weights_sha256: str
    device: torch.device
    precision: Precision

    @property
    def findings(self) -> tuple[str, ...]:
        """In the order of the logits."""
        return self.card.findings

    def tensor(self, inputs: Sequence[ModelInput], *, batch_size: int) -> Tensor:
        """(batch_size, channels, height, width) on the device; rows beyond the inputs are 0.

        The rows are filled because a network's output depends in its last bits on the size of the batch.
        """
        batch = np.zeros((batch_size, *inputs[0].tensor.shape), np.float32)
        for row, model_input in zip(batch[: len(inputs)], inputs, strict=True):
            row[:] = model_input.tensor
        return torch.from_numpy(batch).to(
            self.device, getattr(torch, self.precision), memory_format=torch.channels_last
        )

    def predictions(self, case_ids: Sequence[str], logits: Tensor | NDArray[np.float32]) -> list[Prediction]:
        """Every finding of every case, case by case; `logits` (batch, findings) may have rows to spare."""
        logits = torch.as_tensor(logits)[: len(case_ids)].detach().double().cpu()
        probabilities = _probabilities(logits, self.card.activation)
        thresholds = self.card.operating_thresholds
        return [
            Prediction(case_id, finding, logit, probability, thresholds[finding])
            for case_id, row, chances in zip(case_ids, logits.tolist(), probabilities.tolist(), strict=True)
            for finding, logit, probability in zip(self.findings, row, chances, strict=True)
        ]


def _device(name: str) -> torch.device:
    """The device, tried out with one number: that a name is known does not mean that it is there."""
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).cpu()
    except (AssertionError, NotImplementedError, RuntimeError) as error:
        summary = str(error).partition("\n")[0]
        raise ConfigError(f"device: '{name}' cannot be used here ({summary}); use cpu") from error
    return device


def _weights_beside(card: ModelCard, card_path: Path) -> Path:
    if card.weights is None:
        raise ConfigError(f"{card_path}: names no weights; name a file with --weights")
    return card_path.parent / card.weights


def _probabilities(logits: Tensor, activation: str) -> Tensor:
    match activation:
        case "sigmoid":
            return logits.sigmoid()
        case "softmax":
            return logits.softmax(dim=1)
    return logits.clamp(0, 1)


def _to_bfloat16(network: nn.Module) -> None:
    """The convolutions alone: batch norm and the head stay float32, for a bfloat16 logit has only 8 bits."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.to(torch.bfloat16)
        elif isinstance(module, nn.Linear):
            module.register_forward_pre_hook(_as_float32)


def _as_float32(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(tensor.float() for tensor in inputs)
