"""Subject: the model under audit, loaded, and proved fit to be explained before the first study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from scipy.ndimage import gaussian_filter

from pipeline.attribution import BACKENDS
from pipeline.attribution.explainer import MEMORY_MB, Explainer, open_explainer
from pipeline.attribution.specs import MethodSpec
from pipeline.checks import CHECKS
from pipeline.classifiers import ModelCard, load_card, prepare
from pipeline.classifiers.classifier import Classifier, open_classifier
from pipeline.contracts import Explained, LoadedModel
from pipeline.errors import CheckError
from pipeline.records import Image

EXAMPLE_SHAPE = (320, 256)
EXAMPLES = 2


@dataclass(frozen=True, slots=True)
class Subject:
    """A classifier with its explainer."""

    classifier: Classifier
    explainer: Explainer
    reference: Explainer | None = None
    """Torch in float32, where another backend explains: what it must not drift away from."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A self-check that was passed."""

    name: str
    title: str
    detail: str


def open_subject(
    card_path: Path,
    *,
    weights: Path | None,
    allow_pickle: bool,
    device: str,
    precision: Literal["float32", "bfloat16"],
    methods: Sequence[MethodSpec],
    memory_mb: float = MEMORY_MB,
    backend: Literal["torch", "openvino"] = "torch",
) -> Subject:
    """The model of a card with its weights, and an explainer with `methods`; complaints are ConfigErrors."""
    card = load_card(card_path)
    classifier = open_classifier(
        card,
        card_path=card_path,
        weights=weights,
        device=device,
        precision=precision if backend == "torch" else "float32",
        allow_pickle=allow_pickle,
    )
    example = _example(classifier, card)
    explainer = open_explainer(
        classifier.network,
        methods=methods,
        default_layer=card.target_layer,
        example=example,
        memory_mb=memory_mb,
    )
    if backend == "torch":
        return Subject(classifier, explainer)
    return Subject(classifier, BACKENDS[backend](explainer, example=example, precision=precision), explainer)


def prove(subject: Subject) -> list[CheckResult]:
    """Every self-check of `checks/`; the first that fails is a CheckError, and there is no report."""
    card = subject.classifier.card
    targets = subject.explainer.targets
    model = LoadedModel(
        network=subject.classifier.network,
        findings=card.findings,
        example=_example(subject.classifier, card),
        read=subject.explainer.read,
        layers={layer: (target.call.module, target.call.nth) for layer, target in targets.items()},
        explain=cache(subject.explainer.explain),  # several checks look at the example's maps
        explainer_of=_explain_another,
        prepare=partial(prepare, preprocessing=card.preprocessing),
        reads_input=any(method.reads_input for method in subject.explainer.methods),
    )
    results = []
    for name, check in CHECKS.items():
        try:
            detail = check(model)
        except CheckError as error:
            raise CheckError(f"self-check '{name}' failed: {error}") from error
        results.append(CheckResult(name, _title(check), detail))
    return results


def _title(check: object) -> str:
    """The first line of the check's module, without its noun: what it makes sure of."""
    module = __import__(check.__module__, fromlist=["__doc__"])
    first: str = (module.__doc__ or "").strip().splitlines()[0]
    return first.partition(": ")[2].rstrip(".")


def _explain_another(network: Any, example: Any) -> Any:
    explainer = open_explainer(network, methods=("gradcam",), default_layer="last", example=example)

    def explain(inputs: Any) -> Explained:
        return explainer.explain(inputs)

    return explain


def _example(classifier: Classifier, card: ModelCard) -> Any:
    """A batch of smooth random images through the card's own preprocessing; the same every time."""
    random = np.random.default_rng(0)
    inputs = []
    for number in range(EXAMPLES):
        noise = gaussian_filter(random.standard_normal(EXAMPLE_SHAPE), 2.0 + 6 * number)
        pixels = (noise - noise.min()) / np.ptp(noise)
        image = Image(case_id=f"example-{number}", pixels=pixels.astype(np.float32), spacing_mm=None)
        inputs.append(prepare(image, card.preprocessing))
    return classifier.tensor(inputs, batch_size=EXAMPLES)
