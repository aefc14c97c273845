"""Drifting: the effect of compiled graphs on logits and on the mean IoU of contours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import pipeline
from pipeline.attribution import BACKENDS
from pipeline.attribution.explainer import Explainer, Explanation, open_explainer
from pipeline.classifiers import load_card
from pipeline.classifiers.classifier import open_classifier
from pipeline.contours.drawing import draw
from pipeline.geometry import resized, whole
from pipeline.records import Heatmap
from tests.reference_model.samples import Samples, samples

CARD = Path(pipeline.__file__).parent / "phantoms" / "reference_model" / "reference_model.yaml"
FILMS, SIZE, SEED = 64, 256, 103
"""Of the seed that the reference model is tested with."""


def drifts(explainer: Explainer, compiled: Mapping[str, Explainer], inputs: Tensor) -> Iterator[str]:
    """One sentence per compiled precision."""
    if not compiled:
        return
    wanted = explainer.explain(inputs).logits
    films = samples(SEED, FILMS, size=SIZE, with_masks=True)
    batch = torch.from_numpy(films.inputs.astype(np.float32)).unsqueeze(1)
    reference = _reference(batch)
    by_torch = mean_iou(reference.explain(batch), films)
    for precision, model in compiled.items():
        off = float(np.abs(model.explain(inputs).logits - wanted).max() / np.abs(wanted).max())
        same = BACKENDS["openvino"](reference, example=batch, precision=precision)
        iou = mean_iou(same.explain(batch), films)
        yield (
            f"OpenVINO {precision}: logits differ by {off:.1e} of the largest; the mean IoU of the reference "
            f"model's contours over {FILMS} phantoms by {iou - by_torch:+.1e} from {by_torch:.3f}"
        )


def mean_iou(explanation: Explanation, films: Samples) -> float:
    """Mean IoU of the contours at 0.6 of the maximum with the masks, over all present findings."""
    values = []
    for (row, present), finding in product(enumerate(films.labels), range(films.labels.shape[1])):
        if present[finding]:
            mask = (films.masks[row] >> finding & 1).astype(bool)
            relevance = explanation.maps["gradcam@last"][row, finding]
            rows, columns = relevance.shape
            placement = resized(whole(mask.shape), (rows, columns))
            drawn = draw(
                Heatmap("", "", "", relevance, "logit", placement),
                rule="fraction",
                threshold=0.6,
                outlined=False,
            ).mask
            values.append((drawn & mask).sum() / (drawn | mask).sum())
    return float(np.mean(values))


def _reference(batch: Tensor) -> Explainer:
    card = load_card(CARD)
    classifier = open_classifier(
        card, card_path=CARD, weights=None, device="cpu", precision="float32", allow_pickle=False
    )
    return open_explainer(classifier.network, methods=["gradcam@last"], example=batch[:2])
