"""Loading: the model under audit, with its explainer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from scipy.ndimage import gaussian_filter
from torch import nn, no_grad

from pipeline.attribution import BACKENDS
from pipeline.attribution.explainer import MEMORY_MB, Explainer, open_explainer
from pipeline.attribution.layers import Call, resolve, trace
from pipeline.attribution.specs import MethodSpec
from pipeline.audited_model.example import Example, check_example
from pipeline.classifiers import ModelCard, NetworkCard, load_card, prepare
from pipeline.classifiers.classifier import Classifier, classifier_of, open_classifier
from pipeline.classifiers.grids import last_grid, smallest_side
from pipeline.classifiers.onnx.architecture import OnnxFile
from pipeline.classifiers.recipe import Preprocessing
from pipeline.config import AUTO, COMPILE, TORCH
from pipeline.errors import ConfigError
from pipeline.plan import AuditPlan
from pipeline.records import Image, Notice

OF_TORCH = {AUTO, TORCH}
"""Backends of which the model is loaded in torch; `backend.fastest` may change what auto comes to."""
IN_ITS_PRECISION = {*OF_TORCH, COMPILE}
"""Backends of which torch holds the network in the precision that it runs in."""
LAST = "last"
"""The default layer of the maps: the last one with a grid of more than one cell."""
FEW_CELLS = 4
"""Sides of a grid that the next layer may shrink to one cell; strides are at most 4."""
EXAMPLE_SHAPE = (320, 256)
EXAMPLES = 2


@dataclass(frozen=True, slots=True)
class AuditedModel:
    """A classifier with its explainer."""

    classifier: Classifier
    explainer: Explainer
    reference: Explainer | None = None
    """The torch explainer, which another backend is compared with; None for backend torch."""
    notices: tuple[Notice, ...] = ()
    """Contradictions between card, weights and outputs that do not stop the run."""
    example: Example | None = None
    """The card's example, which the network met; None without one."""
    backend: str = TORCH
    """The library that runs the network: what the config names, or what its `auto` came to."""

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the attribution methods; the verdict is about the first."""
        return tuple(method.name for method in self.explainer.methods)

    @property
    def preprocessing(self) -> Preprocessing:
        """Preprocessing declared by the model card."""
        return self.classifier.card.preprocessing


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of a self-check that passed."""

    name: str
    title: str
    detail: str


def load_model(plan: AuditPlan, *, methods: Sequence[MethodSpec] | None = None) -> AuditedModel:
    """The plan's model; `methods` overrides the config's."""
    config = plan.config
    return open_model(
        plan.card_path,
        weights=config.weights,
        allow_pickle=config.allow_pickle_weights,
        device=config.device,
        precision=config.precision,
        methods=config.methods if methods is None else methods,
        memory_mb=config.memory_mb,
        backend=config.backend,
        batch_size=config.batch_size,
    )


def open_model(
    card_path: Path,
    *,
    weights: Path | None,
    allow_pickle: bool,
    device: str,
    precision: Literal["float32", "bfloat16"],
    methods: Sequence[MethodSpec],
    memory_mb: float = MEMORY_MB,
    backend: str = TORCH,
    batch_size: int = EXAMPLES,
) -> AuditedModel:
    """The model of a card with its weights, and an explainer for `methods`. Raises ConfigError."""
    card = load_card(card_path)
    classifier = open_classifier(
        card,
        card_path=card_path,
        weights=weights,
        device=device,
        precision=precision if backend in IN_ITS_PRECISION else "float32",
        allow_pickle=allow_pickle,
    )
    met = check_example(_plain(classifier, card_path, weights, allow_pickle=allow_pickle), card_path)
    return _explained(
        classifier,
        card_path,
        methods=methods,
        memory_mb=memory_mb,
        backend=backend,
        precision=precision,
        batch_size=batch_size,
        met=met,
    )


def open_network(network: nn.Module, plan: AuditPlan) -> AuditedModel:
    """The model of a network that is in memory, whose card the plan holds. Raises ConfigError.

    The network is copied, and stays as it is.
    """
    config = plan.config
    precision = config.precision if config.backend in IN_ITS_PRECISION else "float32"
    classifier = classifier_of(network, plan.card, device=config.device, precision=precision)
    _check_that_it_runs(classifier)
    return _explained(
        classifier,
        plan.card_path,
        methods=config.methods,
        memory_mb=config.memory_mb,
        backend=config.backend,
        precision=config.precision,
        batch_size=config.batch_size,
    )


def _check_that_it_runs(classifier: Classifier) -> None:
    """Raise ConfigError if the network in memory does not take the images that preprocessing makes."""
    example = example_batch(classifier)
    try:
        with no_grad():
            classifier.network(example)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(
            f"audit_network: preprocess: the network fails on a batch of the shape {tuple(example.shape)} "
            f"(images, channels, rows, columns): {error}; state its channels, as in channels: 3, and its size"
        ) from error


def _explained(
    classifier: Classifier,
    card_path: Path,
    *,
    methods: Sequence[MethodSpec],
    memory_mb: float,
    backend: str,
    precision: Literal["float32", "bfloat16"],
    batch_size: int,
    met: Example | None = None,
) -> AuditedModel:
    """The classifier with an explainer for `methods`."""
    card = classifier.card
    example = example_batch(classifier)
    if card.activation == "softmax" and len(card.outputs) == 1:
        raise ConfigError(
            f"{card_path}: activation: softmax of one output is 1 for every image; set activation: sigmoid, "
            "or list every output of the network"
        )
    explainer = open_explainer(
        classifier.network,
        methods=methods,
        default_layer=card.target_layer,
        example=example,
        memory_mb=memory_mb,
        activation=card.activation,
        explained=card.explained,
    )
    notices = (*classifier.notices, *_notices_of_grid(card, explainer))
    model = AuditedModel(classifier, explainer, notices=notices, example=met)
    if backend in OF_TORCH:
        return model
    return run_by(model, backend, precision=precision, batch_size=batch_size)


def run_by(
    model: AuditedModel,
    backend: str,
    *,
    precision: Literal["float32", "bfloat16"],
    batch_size: int = EXAMPLES,
    kept_at: Path | None = None,
) -> AuditedModel:
    """The model of torch, run by another backend in batches of a size. Raises ConfigError if that fails.

    `kept_at`: where OpenVINO finds the converted network of an earlier run, or keeps it.
    """
    example = example_batch(model.classifier)
    example = example.repeat(-(-batch_size // len(example)), *(1 for _ in example.shape[1:]))[:batch_size]
    kept = {"kept_at": kept_at} if kept_at else {}
    fast = BACKENDS[backend](model.explainer, example=example, precision=precision, **kept)
    return replace(model, explainer=fast, reference=model.explainer, backend=backend)


def _plain(
    classifier: Classifier, card_path: Path, weights: Path | None, *, allow_pickle: bool
) -> Classifier:
    """The classifier in float32 on the CPU, in which examples are compared."""
    if classifier.card.example is None or (
        classifier.device.type == "cpu" and classifier.precision == "float32"
    ):
        return classifier
    return open_classifier(
        classifier.card,
        card_path=card_path,
        weights=weights,
        device="cpu",
        precision="float32",
        allow_pickle=allow_pickle,
    )


def _notices_of_grid(card: ModelCard, explainer: Explainer) -> Iterator[Notice]:
    """A notice if "last" is a layer of tokens, or a layer before the last grid because that is one cell."""
    if LAST not in explainer.targets:
        return
    shape, call = card.preprocessing.shape, explainer.targets[LAST].call
    if call.tokens is not None:
        yield _notice_of_tokens(call)
    if isinstance(card, NetworkCard) or isinstance(card.architecture, OnnxFile):
        return  # nothing says at which size it would have more cells
    if not (remedy := _larger_input(card, explainer, call)):
        return
    cells = " x ".join(map(str, call.grid))
    yield Notice(
        "guess",
        "target_layer",
        f"For an input of {shape[0]} x {shape[1]} px the network's last grid is a single cell, so the layer "
        f"'{LAST}' is {call.module} ({cells} cells). {remedy}",
    )


def _notice_of_tokens(call: Call) -> Notice:
    """Which tokens of a transformer the maps are made of."""
    cells, beside = " x ".join(map(str, call.grid)), sum(call.tokens or ())
    others = f"; {beside} more, such as a class token, are left out" if beside else ""
    return Notice(
        "guess",
        "target_layer",
        f"The layer '{LAST}' is {call.module}, the last whose tokens of patches ({cells}) an output depends "
        f"on{others}. Name another layer in target_layer on the card, or as in gradcam@<module>.",
    )


def _larger_input(card: ModelCard, explainer: Explainer, call: Call) -> str:
    """What a larger input would change if the last grid is one cell; empty if it is not.

    Of a DenseNet the grids are known. Another network is run once with a larger input, if it takes one.
    """
    rows, columns = card.preprocessing.shape
    blocks = None if isinstance(card.architecture, OnnxFile) else card.architecture.blocks
    if blocks is not None:
        if max(last_grid((rows, columns), blocks=blocks)) > 1:
            return ""
        return f"The smallest input with a last grid of 2 x 2 is {smallest_side(2, blocks=blocks)} px."
    if max(call.grid) > FEW_CELLS:
        return ""
    network = explainer.engine.network
    one = next(network.parameters())
    larger = one.new_zeros(1, card.preprocessing.channels, 2 * rows, 2 * columns)
    try:
        module = resolve(trace(network, larger), larger, LAST).module
    except (AssertionError, ConfigError, RuntimeError, ValueError):  # it takes this size alone
        return ""
    return "" if module == call.module else f"For an input twice as large it is {module}."


def example_batch(classifier: Classifier) -> Any:
    """A batch of smooth random images through the card's own preprocessing; the same in every run."""
    random = np.random.default_rng(0)
    inputs = []
    for number in range(EXAMPLES):
        noise = gaussian_filter(random.standard_normal(EXAMPLE_SHAPE), 2.0 + 6 * number)
        pixels = (noise - noise.min()) / np.ptp(noise)
        image = Image(case_id=f"example-{number}", pixels=pixels.astype(np.float32), spacing_mm=None)
        inputs.append(prepare(image, classifier.card.preprocessing))
    return classifier.tensor(inputs, batch_size=EXAMPLES)
