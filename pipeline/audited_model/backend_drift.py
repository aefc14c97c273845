"""Backend drift: differences between another backend and torch, on example images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from pipeline.audited_model.loading import AuditedModel, CheckResult
from pipeline.classifiers import prepare
from pipeline.contours.drawing import draw
from pipeline.contracts import Explanation
from pipeline.errors import ConfigError
from pipeline.geometry import placed
from pipeline.phantoms.radiograph import phantom
from pipeline.records import Heatmap, Image, Intensity, Mask, ModelInput, Placement

EXAMPLES = 8
SIZE = 256
"""Rows and columns of an example image."""
SEED = 1


@dataclass(frozen=True, slots=True)
class Drift:
    """Differences between two explanations of the same images."""

    logit: float
    """Largest difference of a logit, as a share of the largest logit."""
    contours: float
    """Mean Jaccard distance, 1 - IoU, between the contours of both, over images, findings and methods.

    The Jaccard distance is a metric, so the mean IoUs of both with any masks differ by at most this value.
    """


def check_backend(
    audited: AuditedModel, *, rule: str, threshold: float, logit: float, iou: float
) -> list[CheckResult]:
    """The result of the drift check, none for the torch backend. Raises ConfigError beyond a bound."""
    if audited.reference is None:
        return []
    inputs = _example_inputs(audited)
    batch = audited.classifier.tensor(inputs, batch_size=len(inputs))
    explanation, reference = audited.explainer.explain(batch), audited.reference.explain(batch)
    found = drift(explanation, reference, inputs, rule=rule, threshold=threshold)
    plain = f"torch in {audited.classifier.precision}"
    for key, subject, value, bound in (
        ("logit", "logits", found.logit, logit),
        ("iou", "contours", found.contours, iou),
    ):
        if not value <= bound:  # NaN fails too
            raise ConfigError(
                f"backend: {subject} differ by {value:.2%} from {plain} (backend_drift.{key} allows "
                f"{bound:.2%}); set precision: float32 or backend: torch, or raise backend_drift.{key}"
            )
    detail = f"logits differ by {found.logit:.1e} of the largest, contours by {found.contours:.1e} (1 - IoU)"
    return [CheckResult("drift", f"the backend agrees with {plain}", detail)]


def drift(
    explanation: Explanation,
    reference: Explanation,
    inputs: Sequence[ModelInput],
    *,
    rule: str,
    threshold: float,
) -> Drift:
    """Differences between two explanations of `inputs`; logits are relative to the largest of `reference`."""
    largest = max(float(np.abs(reference.logits).max()), float(np.finfo(np.float32).tiny))
    distances = []
    for method, (row, item) in product(reference.maps, enumerate(inputs)):
        placement = placed(item.placement, reference.cells[method])
        for pair in zip(explanation.maps[method][row], reference.maps[method][row], strict=True):
            first, second = (
                _contour_mask(relevance, placement, rule=rule, threshold=threshold) for relevance in pair
            )
            distances.append(_jaccard_distance(first, second))
    return Drift(
        float(np.abs(explanation.logits - reference.logits).max()) / largest, float(np.mean(distances))
    )


def _contour_mask(relevance: Intensity, placement: Placement, *, rule: str, threshold: float) -> Mask:
    heatmap = Heatmap("", "", "", relevance, "relative", placement)
    return draw(heatmap, rule=rule, threshold=threshold, outlined=False).mask


def _jaccard_distance(first: Mask, second: Mask) -> float:
    """1 - IoU; 0 if both are empty."""
    union = np.count_nonzero(first | second)
    return 1 - np.count_nonzero(first & second) / union if union else 0.0


def _example_inputs(audited: AuditedModel) -> list[ModelInput]:
    """Model inputs made from phantom radiographs, which resemble real images; the same in every run."""
    phantoms = [phantom(SEED, number, size=SIZE).pixels for number in range(EXAMPLES)]
    images = [Image(case_id="", pixels=pixels.astype(np.float32), spacing_mm=None) for pixels in phantoms]
    return [prepare(image, audited.classifier.card.preprocessing) for image in images]
