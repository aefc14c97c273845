"""Classifier: a trained network on its device, and the conversion of its logits to predictions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.classifiers.card import ModelCard
from pipeline.classifiers.card_files import weights_path
from pipeline.classifiers.devices import open_device
from pipeline.classifiers.networks import build_network
from pipeline.classifiers.onnx.architecture import OnnxFile
from pipeline.classifiers.onnx.opening import open_onnx
from pipeline.classifiers.operating_points import with_thresholds
from pipeline.classifiers.precision import to_bfloat16
from pipeline.classifiers.weights import LoadedWeights, load_weights, read_hashed
from pipeline.errors import ConfigError
from pipeline.guards.reading import about, guarded, named
from pipeline.records import ModelInput, Notice, Prediction

Precision = Literal["float32", "bfloat16"]
DAMAGED_ONNX = "is damaged, or has operators that do not fit each other; fetch it or export it again"


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

    `weights` overrides the card's file; a sha256 in the card is checked in both cases. Raises ConfigError.
    """
    torch_device = open_device(device)
    if isinstance(card.architecture, OnnxFile):
        path = weights or weights_path(card, card_path)
        network, loaded = _from_onnx(card, path, precision)
    else:
        network = build_network(card)
        path = weights or weights_path(card, card_path)
        loaded = load_weights(
            network,
            path,
            sha256=card.sha256,
            allow_pickle=allow_pickle,
            state_dict=card.state_dict,
            unused=card.unused,
        )
    card, of_thresholds = with_thresholds(card, loaded.operating_points, path)
    notices = (*loaded.notices, *of_thresholds)
    return _on_device(network, card, loaded.sha256, torch_device, precision, notices)


def classifier_of(network: nn.Module, card: ModelCard, *, device: str, precision: Precision) -> Classifier:
    """A classifier of a copy of `network` in float32; its own mode, device and weights stay as they are."""
    state = sorted(network.state_dict().items())
    digest = hashlib.sha256()
    for name, tensor in state:
        values = tensor.detach().cpu().contiguous()
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        digest.update(values.reshape(-1).view(torch.uint8).numpy().tobytes())
    kinds = {str(tensor.dtype) for _, tensor in state if tensor.is_floating_point()} - {str(torch.float32)}
    notices = [
        Notice(
            "guess", "network", "A copy of the network in float32 is audited; its weights are {0}.", (kind,)
        )
        for kind in sorted(kinds)
    ]
    copy = deepcopy(network)
    copy = copy.float() if kinds else copy
    return _on_device(copy, card, digest.hexdigest(), open_device(device), precision, tuple(notices))


def _on_device(
    network: nn.Module,
    card: ModelCard,
    sha256: str,
    device: torch.device,
    precision: Precision,
    notices: tuple[Notice, ...],
) -> Classifier:
    """The classifier of a network, which is put into evaluation mode on the device."""
    network.eval().requires_grad_(requires_grad=False)
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it
    if precision == "bfloat16":
        to_bfloat16(network, channels=card.preprocessing.channels, shape=card.preprocessing.shape)
    return Classifier(network, card, sha256, device, precision, notices)


@dataclass(frozen=True, slots=True)
class Classifier:
    """A network with its model card, device and precision."""

    network: nn.Module
    """(batch, channels, height, width) → float32 outputs (batch, outputs), before the card's activation."""
    card: ModelCard
    weights_sha256: str
    device: torch.device
    precision: Precision
    notices: tuple[Notice, ...] = ()
    """How the weights file was read, where it did not say so itself, and where it contradicts the card."""

    @property
    def findings(self) -> tuple[str, ...]:
        """Names of the findings, in the order of an explanation's logits."""
        return self.card.findings

    def tensor(self, inputs: Sequence[ModelInput], *, batch_size: int) -> Tensor:
        """(batch_size, channels, height, width) on the device; rows beyond the inputs are 0.

        Padding keeps the batch size fixed, because the last bits of a network's output depend on it.
        """
        batch = np.zeros((batch_size, *inputs[0].tensor.shape), np.float32)
        for row, model_input in zip(batch[: len(inputs)], inputs, strict=True):
            row[:] = model_input.tensor
        return torch.from_numpy(batch).to(
            self.device, getattr(torch, self.precision), memory_format=torch.channels_last
        )

    def predictions(self, case_ids: Sequence[str], logits: Tensor | NDArray[np.float32]) -> list[Prediction]:
        """One prediction per case and finding, case by case.

        `logits` is (batch, findings) as an explanation has it: for a softmax the log-odds, not the network's
        outputs. Rows beyond the cases are ignored.
        """
        logits = torch.as_tensor(logits)[: len(case_ids)].detach().double().cpu()
        probabilities = _probabilities(logits, self.card.activation)
        thresholds = self.card.operating_thresholds
        return [
            Prediction(case_id, finding, logit, probability, thresholds[finding])
            for case_id, row, row_probabilities in zip(
                case_ids, logits.tolist(), probabilities.tolist(), strict=True
            )
            for finding, logit, probability in zip(self.findings, row, row_probabilities, strict=True)
        ]


def _from_onnx(card: ModelCard, path: Path, precision: Precision) -> tuple[nn.Module, LoadedWeights]:
    """The network of an ONNX file. Raises ConfigError."""
    if precision != "float32":
        raise ConfigError(
            f"precision: {precision} is not possible for a network of an ONNX file; set precision: float32"
        )
    content, found = read_hashed(path, sha256=card.sha256)
    with named(path), about("the ONNX file"), guarded("damaged", DAMAGED_ONNX):
        network, notices = open_onnx(
            content,
            channels=card.preprocessing.channels,
            shape=card.preprocessing.shape,
            findings=len(card.outputs),
            activation=card.activation,
        )
    return network, LoadedWeights(found, notices)


def _probabilities(logits: Tensor, activation: str) -> Tensor:
    """Probabilities of logits; those of log-odds are their sigmoid as well."""
    return logits.clamp(0, 1) if activation == "none" else logits.sigmoid()
