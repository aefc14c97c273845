"""Resolution drift: what the network's outputs and contours lose by images of a reduced resolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from pipeline.audited_model.backend_drift import drift
from pipeline.audited_model.loading import AuditedModel
from pipeline.records import ModelInput


@dataclass(frozen=True, slots=True)
class ResolutionDrift:
    """Differences between the images at a reduced and at the full resolution."""

    probability: float
    """Largest difference of a probability."""
    contours: float
    """Mean Jaccard distance of contours, which bounds the difference of mean IoUs with any masks."""


def resolution_drift(
    model: AuditedModel,
    coarse: Sequence[ModelInput],
    full: Sequence[ModelInput],
    *,
    rule: str,
    threshold: float,
) -> ResolutionDrift:
    """The drift between two inputs of the same images, with the contours that the rule draws."""
    batches = (model.classifier.tensor(inputs, batch_size=len(inputs)) for inputs in (coarse, full))
    reduced, reference = (model.explainer.explain(batch) for batch in batches)
    found = drift(reduced, reference, full, rule=rule, threshold=threshold)
    is_probability = model.classifier.card.activation == "none"
    first, second = (one.logits if is_probability else expit(one.logits) for one in (reduced, reference))
    return ResolutionDrift(float(np.abs(first - second).max()), found.contours)
