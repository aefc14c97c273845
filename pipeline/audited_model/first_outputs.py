"""First outputs: what the network gives for a few real images, compared with the activation on its card."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.audited_model.brightness import unlike_example
from pipeline.audited_model.loading import AuditedModel
from pipeline.errors import ConfigError
from pipeline.records import ModelInput, Notice

TOLERANCE = 1e-3
"""By how much a probability may leave 0 … 1, and a sum of probabilities may differ from 1, by rounding."""
ENOUGH = 4
"""Number of outputs from which it is no chance that all of them lie within 0 … 1."""
SAME = 1e-6
"""Outputs are the same if their range is at most this share of their magnitude (rounding errors)."""


def contradictions(model: AuditedModel, inputs: Sequence[ModelInput]) -> tuple[Notice, ...]:
    """Notices of how the outputs for `inputs` contradict the card, and the inputs its example.

    Raises ConfigError for outputs outside 0 … 1 of a network that is said to give probabilities.
    """
    batch = model.classifier.tensor(inputs, batch_size=len(inputs))
    with torch.inference_mode():
        outputs = model.classifier.network(batch).double().cpu().numpy()
    card = model.classifier.card
    found = outputs[:, np.array(card.explained)]
    if card.activation == "none" and (message := why_no_probability(found)):
        raise ConfigError(f"model card {card.name}: {message}")
    of_outputs = _notices(found if card.activation == "sigmoid" else outputs, card.activation)
    of_example = model.example and unlike_example(model.example.brightness, inputs)
    return (*of_outputs, *([of_example] if of_example else []))


def why_no_probability(outputs: NDArray[np.floating]) -> str:
    """Why outputs cannot be probabilities, and the remedy; empty if they can."""
    low, high = float(outputs.min()), float(outputs.max())
    if low >= -TOLERANCE and high <= 1 + TOLERANCE:
        return ""
    return (
        f"activation: none says that the network gives probabilities, but its outputs are {_range(outputs)}, "
        "outside 0 … 1; set activation: sigmoid, or softmax if findings exclude each other"
    )


def _notices(outputs: NDArray[np.float64], activation: str) -> Iterator[Notice]:
    images = len(outputs)
    inside = outputs.size >= ENOUGH and outputs.min() >= 0 and outputs.max() <= 1
    if activation == "sigmoid" and inside:
        ends = 1 / (1 + np.exp(-np.array([outputs.min(), outputs.max()])))
        yield Notice(
            "warning",
            "activation",
            f"The network's outputs for {images} images are {_range(outputs)}, all within 0 … 1 as "
            "probabilities are, but the activation is stated as sigmoid, which makes probabilities of "
            f"{_range(ends)} from them; if they are probabilities already, set activation: none",
        )
    if activation == "softmax" and inside and np.abs(outputs.sum(axis=1) - 1).max() <= TOLERANCE:
        yield Notice(
            "warning",
            "activation",
            f"The network's outputs for {images} images are within 0 … 1 and sum to 1, as probabilities do, "
            "but the activation is stated as softmax, which levels them; if they are probabilities already, "
            "set activation: none",
        )
    same = int((np.ptp(outputs, axis=0) <= SAME * np.abs(outputs).max(axis=0)).sum())
    if same and images >= ENOUGH:
        yield Notice(
            "warning",
            "preprocessing",
            f"The network's output is the same for {images} images (findings: {same} of {outputs.shape[1]}), "
            "so it does not tell them apart; compare preprocessing and weights with the network's training",
        )


def _range(values: NDArray[np.floating]) -> str:
    low, high = f"{values.min():.4g}", f"{values.max():.4g}"
    return low if low == high else f"{low} … {high}"
