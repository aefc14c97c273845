"""Drift: how far another backend is from torch in float32, on example images; too far, and no run starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from pipeline.classifiers import prepare
from pipeline.contours.drawing import draw
from pipeline.contracts import Explained
from pipeline.errors import ConfigError
from pipeline.geometry import resized
from pipeline.joints.subject import CheckResult, Subject
from pipeline.phantoms.radiograph import phantom
from pipeline.records import Heatmap, Image, Intensity, Mask, ModelInput

EXAMPLES = 8
SIZE = 256
"""Rows and columns of an example image."""
SEED = 1


@dataclass(frozen=True, slots=True)
class Drift:
    """The distance between two explanations of the same images."""

    logit: float
    """The largest difference of a logit, as a share of the largest logit."""
    contours: float
    """1 - the mean IoU of the contours of both, over images, findings and methods.

    1 - IoU is a metric, so the mean IoU against masks, over the same, cannot be further apart than this.
    """


def prove_backend(
    subject: Subject, *, rule: str, threshold: float, logit: float, iou: float
) -> list[CheckResult]:
    """The drift as a check that was passed; none where torch explains. Beyond a bound: ConfigError."""
    if subject.reference is None:
        return []
    inputs = _example_inputs(subject)
    batch = subject.classifier.tensor(inputs, batch_size=len(inputs))
    ours, wanted = subject.explainer.explain(batch), subject.reference.explain(batch)
    found = drift(ours, wanted, inputs, rule=rule, threshold=threshold)
    for key, value, bound, of in (
        ("logit", found.logit, logit, "logits move by"),
        ("iou", found.contours, iou, "contours move by"),
    ):
        if not value <= bound:  # NaN is no agreement
            raise ConfigError(
                f"backend: {of} {value:.2%} from torch in float32 (backend_drift.{key} allows {bound:.2%}); "
                "use precision: float32, or backend: torch, or allow more"
            )
    detail = f"logits within {found.logit:.1e} of the largest, contours within {found.contours:.1e} (1 - IoU)"
    return [CheckResult("drift", "the backend gives what torch gives in float32", detail)]


def drift(
    ours: Explained, wanted: Explained, inputs: Sequence[ModelInput], *, rule: str, threshold: float
) -> Drift:
    """How far `ours` is from `wanted`, both the explanation of `inputs`."""
    largest = max(float(np.abs(wanted.logits).max()), float(np.finfo(np.float32).tiny))
    apart = []
    for method, (row, item) in product(wanted.maps, enumerate(inputs)):
        for pair in zip(ours.maps[method][row], wanted.maps[method][row], strict=True):
            first, second = (_drawn(relevance, item, rule=rule, threshold=threshold) for relevance in pair)
            apart.append(_jaccard_distance(first, second))
    return Drift(float(np.abs(ours.logits - wanted.logits).max()) / largest, float(np.mean(apart)))


def _drawn(relevance: Intensity, item: ModelInput, *, rule: str, threshold: float) -> Mask:
    rows, columns = relevance.shape
    heatmap = Heatmap("", "", "", relevance, "relative", resized(item.placement, (rows, columns)))
    return draw(heatmap, rule=rule, threshold=threshold, outlined=False).mask


def _jaccard_distance(first: Mask, second: Mask) -> float:
    """1 - IoU; 0 where both are empty."""
    union = np.count_nonzero(first | second)
    return 1 - np.count_nonzero(first & second) / union if union else 0.0


def _example_inputs(subject: Subject) -> list[ModelInput]:
    """Phantom films as the model takes them, the same every time: nearer to images than noise is."""
    films = [phantom(SEED, number, size=SIZE).pixels for number in range(EXAMPLES)]
    images = [Image(case_id="", pixels=pixels.astype(np.float32), spacing_mm=None) for pixels in films]
    return [prepare(image, subject.classifier.card.preprocessing) for image in images]
