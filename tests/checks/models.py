"""Models: loaded models as the self-checks see them, honest and with one defect each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from monai.networks.nets import DenseNet
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.attribution.attention import AttentionMode, alone
from pipeline.attribution.explainer import open_explainer
from pipeline.classifiers import Preprocessing, prepare
from pipeline.contracts import LoadedModel
from pipeline.records import Cells, Image, ModelInput
from tests.study import ARGUMENTS, FINDINGS, picture

RECIPES: Mapping[str, Mapping[str, Any]] = {
    "exact": {"resize": {"rule": "exact", "size": [64, 48]}},
    "bicubic": {"resize": {"rule": "exact", "size": 64, "filter": "bicubic"}, "intensity": "z_score"},
    "small": {"resize": {"rule": "exact", "size": 28}},
    "centre-crop": {
        "resize": {"rule": "shorter_side", "size": 64},
        "crop": {"centre": [56, 56]},
        "intensity": "z_score",
    },
    "slight-crop": {"resize": {"rule": "exact", "size": 128}, "crop": {"centre": [120, 120]}},
    "square": {"pad": "square", "resize": {"rule": "exact", "size": 64}, "intensity": "min_max"},
    "longer-side": {"resize": {"rule": "longer_side", "size": 64}, "crop": {"centre": [64, 64]}},
    "mostly-padding": {"resize": {"rule": "none"}, "crop": {"centre": [400, 400]}},
    "colour": {
        "resize": {"rule": "exact", "size": 64},
        "channels": 3,
        "intensity": "imagenet",
    },
}
"""Each fills, cuts or scales in its own way."""


@dataclass(frozen=True)
class FixedExplanation:
    logits: NDArray[np.float32]
    maps: Mapping[str, NDArray[np.float32]]
    cells: Mapping[str, tuple[Cells, ...]] = field(default_factory=dict)


def recipe(name: str) -> Preprocessing:
    return Preprocessing.model_validate({"window": "full", **RECIPES[name]})


def honest(name: str = "exact", *, network: nn.Module | None = None) -> LoadedModel:
    """A tiny DenseNet (or `network`, of as many channels) with the preprocessing of a recipe."""
    preprocessing = recipe(name)
    images = [
        Image("example", picture(seed, (80, 64)).astype(np.float32) / 255, spacing_mm=None) for seed in (1, 2)
    ]
    example = torch.from_numpy(np.stack([prepare(image, preprocessing).tensor for image in images]))
    return loaded(
        network or densenet(preprocessing.channels),
        example,
        lambda image: prepare(image, preprocessing),
    )


def densenet(channels: int = 1) -> nn.Module:
    torch.manual_seed(3)
    return DenseNet(**{**ARGUMENTS, "in_channels": channels}).eval()


def loaded(
    network: nn.Module,
    example: Tensor,
    prepare_image: Callable[[Image], ModelInput],
    layers: tuple[str, ...] = ("last", "features.denseblock1"),
) -> LoadedModel:
    explainer = open_explainer(
        network, methods=[f"gradcam@{layer}" for layer in layers], default_layer="last", example=example
    )
    return LoadedModel(
        network=network,
        findings=FINDINGS,
        example=example,
        read=explainer.read,
        layers={layer: (t.call.module, t.call.nth) for layer, t in explainer.targets.items()},
        explain=explainer.explain,
        explainer_of=explain_another,
        apart=partial(AttentionMode, alone),
        prepare=prepare_image,
    )


def explain_another(network: nn.Module, example: Tensor) -> Callable[[Tensor], Any]:
    return open_explainer(network, methods=["gradcam"], default_layer="last", example=example).explain


def with_logits(model: LoadedModel, logits: list[list[float]]) -> LoadedModel:
    """The model, answering the same to every batch."""
    answer = FixedExplanation(np.array(logits, np.float32), {})
    return replace(model, explain=lambda _: answer)


def in_training_mode(kind: type[nn.Module]) -> LoadedModel:
    """An honest model whose modules of one kind are then left as they are during training."""
    torch.manual_seed(3)
    model = honest(network=DenseNet(**ARGUMENTS, dropout_prob=0.3).eval())
    for module in model.network.modules():
        if isinstance(module, kind):
            module.train()
    return model


class Mixes(DenseNet):
    """A network that takes half the mean image of its batch away from each."""

    def forward(self, inputs: Tensor) -> Tensor:
        return super().forward(inputs - inputs.mean(dim=0, keepdim=True) / 2)


def mixing_images() -> LoadedModel:
    return honest(network=Mixes(**ARGUMENTS).eval())


def with_gradients(model: LoadedModel, change: Callable[[Tensor], Tensor]) -> LoadedModel:
    """The model with an engine whose gradients are changed."""

    class Changed:
        def __init__(self, reading: Any) -> None:
            self.reading = reading
            self.logits, self.on_grid = reading.logits, reading.on_grid

        def gradients(self, layer: str) -> Tensor:
            return change(self.reading.gradients(layer))

        def input_gradients(self) -> Tensor:
            return change(self.reading.input_gradients())

    return replace(model, read=lambda inputs: Changed(model.read(inputs)))


def with_cells(model: LoadedModel, change: Callable[[Cells], Cells]) -> LoadedModel:
    """The model with an engine that takes its cells to lie elsewhere."""

    class Changed:
        def __init__(self, reading: Any) -> None:
            self.activations = reading.activations
            self.cells = lambda layer: tuple(map(change, reading.cells(layer)))

    return replace(model, read=lambda inputs: Changed(model.read(inputs)))


def shifted(cells: Cells) -> Cells:
    """Cells that lie 0.7 cells farther, and at least 3 pixels."""
    return replace(cells, start=cells.start + max(0.7 * cells.step, 3))


def with_maps(
    model: LoadedModel, change: Callable[[NDArray[np.float32]], NDArray[np.float32]]
) -> LoadedModel:
    """The model with an explainer that changes the maps of every network."""

    def explainer_of(network: nn.Module, example: Tensor) -> Callable[[Tensor], FixedExplanation]:
        explain = explain_another(network, example)

        def changed(inputs: Tensor) -> FixedExplanation:
            explained = explain(inputs)
            maps = {name: change(values) for name, values in explained.maps.items()}
            return FixedExplanation(explained.logits, maps, explained.cells)

        return changed

    return replace(model, explainer_of=explainer_of)


def with_placement(model: LoadedModel, change: Callable[[ModelInput, Image], ModelInput]) -> LoadedModel:
    """The model with a preprocessing that says the wrong thing of where its input lies."""
    return replace(model, prepare=lambda image: change(model.prepare(image), image))
