"""Fastest backend: what `backend: auto` comes to for a network and a number of images.

The choice depends on counts alone, never on a clock, so that the same run makes it again when it resumes.
"""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from pipeline import __version__
from pipeline.attribution.work import multiplications
from pipeline.audited_model.backend_drift import check_backend
from pipeline.audited_model.loading import AuditedModel, CheckResult, example_batch, run_by
from pipeline.classifiers import NetworkCard
from pipeline.config import AUTO
from pipeline.errors import ConfigError
from pipeline.plan import AuditPlan

OPENVINO: Final = "openvino"
WORTH: Final = 550e9
"""Multiplications of all images from which OpenVINO saves more than it costs: those of 200 images of
DenseNet-121 at 224 x 224 (2.75e9 each).

Measured once, in seconds of a processor, on two cores of an x86 server: an image took 0.115 in torch and
0.083 in OpenVINO; trace, conversion and compilation took 2.8, and the comparison with torch on 8 images 1.6.
So it begins to pay at some 140 images.
"""
FEWEST: Final = 16
"""Images below which not even the multiplications are counted."""
COMPILED: Final = ".compiled"
"""Folder beside the runs that keeps converted networks, each under the hash of all that it was made from."""


def fastest(
    model: AuditedModel, plan: AuditPlan, *, images: int
) -> tuple[AuditedModel, tuple[CheckResult, ...]]:
    """The model, which torch runs, by the backend that suits `images` images, with its comparison with torch.

    It stays as it is unless the config says `auto`, and where OpenVINO is not installed, cannot run the
    network or its methods, differs from torch by more than `backend_drift`, or is not worth its start.
    """
    config = plan.config
    if config.backend != AUTO or find_spec(OPENVINO) is None or not _is_worth(model, images):
        return model, ()
    bounds, contours = config.backend_drift, config.contours
    try:
        fast = run_by(model, OPENVINO, precision=config.precision, kept_at=_place(model, plan))
        drift = check_backend(
            fast, rule=contours.rule, threshold=contours.threshold, logit=bounds.logit, iou=bounds.iou
        )
    except ConfigError:
        return model, ()
    return fast, tuple(drift)


def _is_worth(model: AuditedModel, images: int) -> bool:
    if images < FEWEST:
        return False
    one = example_batch(model.classifier)[:1]
    return images * multiplications(model.explainer.engine.network, one) >= WORTH


def _place(model: AuditedModel, plan: AuditPlan) -> Path | None:
    """Where the converted network is kept; None for a network in memory, whose code has no hash."""
    card = model.classifier.card
    if isinstance(card, NetworkCard):
        return None
    layers = {name: (target.call.module, target.call.nth) for name, target in model.explainer.targets.items()}
    made_from = [
        card.model_dump(mode="json"),
        model.classifier.weights_sha256,
        layers,
        [method.name for method in model.explainer.methods],
        [__version__, *map(version, ("torch", "monai", OPENVINO))],
    ]
    digest = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()
    return plan.config.out / COMPILED / f"{digest[:16]}.xml"
