"""Twin: the audited model opened again in another process, from the same files, and shown to be the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.audited_model.loading import AuditedModel, example_batch, load_model
from pipeline.classifiers.devices import in_own_words
from pipeline.errors import ConfigError
from pipeline.plan import AuditPlan

TOLERANCE = 0.01
"""Largest difference of a logit, as a share of the largest: other processors differ in the last digits."""


@dataclass(frozen=True, slots=True)
class Twin:
    """What it takes to open the model again."""

    plan: AuditPlan
    threads: int
    """Of torch: the last bits of results depend on their number."""
    weights_sha256: str
    logits: NDArray[np.float32]
    """Of the example batch, (images, findings)."""


def twin_of(model: AuditedModel, plan: AuditPlan) -> Twin:
    """The twin of a plan's model, run by its backend. A graphics card is the first that the process sees."""
    device = "cuda" if plan.config.device.startswith("cuda") else plan.config.device
    update = {"device": device, "backend": model.backend}
    there = replace(plan, config=plan.config.model_copy(update=update))
    logits = model.explainer.logits(example_batch(model.classifier))
    return Twin(there, torch.get_num_threads(), model.classifier.weights_sha256, logits)


def open_twin(twin: Twin) -> AuditedModel:
    """The model. Raises ConfigError if it has other weights or other logits than the one it is a twin of."""
    torch.set_num_threads(twin.threads)
    with in_own_words(twin.plan.config.device):
        model = load_model(twin.plan)
        logits = model.explainer.logits(example_batch(model.classifier))
    if model.classifier.weights_sha256 != twin.weights_sha256:
        raise ConfigError("executor: a node reads other weights than this machine; share the model's folder")
    drift = float(np.abs(logits - twin.logits).max() / np.abs(twin.logits).max())
    if not drift <= TOLERANCE:
        raise ConfigError(
            f"executor: the network's logits on a node differ by {drift:.2g} of the largest, wanted at most "
            f"{TOLERANCE}; install the same packages on every node"
        )
    return model
