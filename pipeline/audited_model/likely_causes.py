"""Likely causes: what would have to be otherwise for the network to give the logits that its card states."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from math import exp
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from pydantic import ValidationError
from torch import nn

from pipeline.classifiers import Preprocessing
from pipeline.classifiers.architecture import Architecture
from pipeline.classifiers.classifier import Classifier
from pipeline.classifiers.onnx.architecture import OnnxFile
from pipeline.classifiers.recipe import INTENSITY_PRESETS
from pipeline.errors import ConfigError

Logits: TypeAlias = Sequence[float]
LogitsOf: TypeAlias = Callable[[Classifier, Preprocessing], Logits]
GENERAL: Final = (
    "likely causes: another global pooling, batch norm epsilon or activation layer than the class's, or "
    "another preprocessing (window, resize filter, intensity); correct the card, or make the example again"
)


OF_FILE: Final = (
    "likely causes: another preprocessing (window, resize filter, intensity), or an example of another file; "
    "correct the card, or make the example again"
)
"""Of an ONNX file, which states its layers itself."""


def likely_causes(
    logits_of: LogitsOf,
    classifier: Classifier,
    stated: Logits,
    *,
    met: Callable[[Logits, Logits], bool],
    of_input: bool,
) -> str:
    """What was tried and would meet the stated logits, with the remedy; else the usual causes."""
    recipe = classifier.card.preprocessing
    found = logits_of(classifier, recipe)
    if met([_sigmoid(logit) for logit in found], stated):
        return "the stated values are probabilities, sigmoid(logit); state the logits"
    if met(sorted(found), sorted(stated)):
        return "the same logits in another order would meet it; correct the order of findings"
    for words, other in _other_networks(classifier):
        if met(logits_of(other, recipe), stated):
            return f"{words} would meet it"
    for words, other_recipe in () if of_input else _other_recipes(recipe):
        try:
            if met(logits_of(classifier, other_recipe), stated):
                return f"correct the card: preprocessing.{words} would meet it"
        except ConfigError:
            continue
    return OF_FILE if isinstance(classifier.card.architecture, OnnxFile) else GENERAL


def _sigmoid(logit: float) -> float:
    return 1 / (1 + exp(-max(min(logit, 500.0), -500.0)))


def _pooled(module: nn.Module) -> nn.Module | None:
    return nn.AdaptiveMaxPool2d(1) if isinstance(module, nn.AdaptiveAvgPool2d) else None


def _with_epsilon(module: nn.Module, *, epsilon: float) -> nn.Module | None:
    if not isinstance(module, nn.BatchNorm2d):
        return None
    module.eps = epsilon
    return module


def _leaky(module: nn.Module, *, slope: float) -> nn.Module | None:
    return nn.LeakyReLU(slope) if isinstance(module, nn.ReLU) else None


ARGUMENTS: Final = "correct the card: architecture.arguments"
CHANGES: Final[Mapping[str, Callable[[nn.Module], nn.Module | None]]] = MappingProxyType(
    {
        "correct the card: with architecture.pooling: max, a global max pooling": _pooled,
        f"{ARGUMENTS}.norm: [batch, {{eps: 0.001}}]": partial(_with_epsilon, epsilon=0.001),
        f"{ARGUMENTS}.norm: [batch, {{eps: 0.000001}}]": partial(_with_epsilon, epsilon=0.000001),
        f"{ARGUMENTS}.act: [leakyrelu, {{negative_slope: 0.01}}]": partial(_leaky, slope=0.01),
        f"{ARGUMENTS}.act: [leakyrelu, {{negative_slope: 0.1}}]": partial(_leaky, slope=0.1),
        f"{ARGUMENTS}.act: [leakyrelu, {{negative_slope: 0.2}}]": partial(_leaky, slope=0.2),
    }
)
"""Start of the remedy → function that gives a module's replacement, None where it stays."""


def _other_networks(classifier: Classifier) -> Iterator[tuple[str, Classifier]]:
    """The network with one kind of layer replaced."""
    architecture = classifier.card.architecture
    if isinstance(architecture, OnnxFile):  # which states its layers itself
        return
    known = type(architecture.arguments).model_fields if isinstance(architecture, Architecture) else {}
    for words, change in CHANGES.items():
        stated = words.removeprefix(f"{ARGUMENTS}.").partition(":")[0]
        if words.startswith(ARGUMENTS) and stated not in known:
            continue
        network = deepcopy(classifier.network)
        for parent in list(network.modules()):
            for name, module in list(parent.named_children()):
                if (other := change(module)) is not None:
                    setattr(parent, name, other)
        yield words, replace(classifier, network=network)


def _other_recipes(recipe: Preprocessing) -> Iterator[tuple[str, Preprocessing]]:
    """The preprocessing with one key changed."""
    values = recipe.model_dump(mode="json")
    changes: list[tuple[str, dict[str, Any]]] = [
        *((f"intensity: {name}", {"intensity": dict(rule)}) for name, rule in INTENSITY_PRESETS.items()),
        *((f"window: {name}", {"window": name}) for name in ("header", "full")),
        *((f"pad: {name}", {"pad": name}) for name in ("none", "square")),
        *(
            (f"resize.filter: {name}", {"resize": values["resize"] | {"filter": name}})
            for name in ("bilinear", "bicubic", "nearest")
        ),
    ]
    for words, change in changes:
        try:
            other = Preprocessing.model_validate(values | change)
        except ValidationError:
            continue
        if other != recipe:
            yield words, other
