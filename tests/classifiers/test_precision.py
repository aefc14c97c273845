"""Precision: networks of every family run in bfloat16, with logits near those in float32."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pipeline.attribution.explainer import open_explainer
from pipeline.classifiers.classifier import Precision, classifier_of
from pipeline.classifiers.precision import to_bfloat16
from pipeline.errors import ConfigError
from tests.classifiers.architectures.networks import card_of, lively

SIDE = 96
HEAD = [{"linear": 8}, "batch_norm", "relu", "layer_norm", "gelu", "linear"]
CASES: dict[str, dict[str, Any]] = {
    "AlexNet": {}, "VGG11": {}, "ResNet18": {}, "ResNet50": {}, "DenseNet121": {}, "SqueezeNet1_1": {},
    "SEResNet50": {}, "EfficientNetBN": {"model_name": "efficientnet-b0"},
    "max": {"pooling": "max"}, "gem": {"pooling": {"gem": 3}}, "pcam": {"pooling": "pcam"},
    "head": {"head": HEAD},
}  # fmt: skip
"""Class → its arguments; or what a ResNet18's end is replaced by."""
CLOSE = 0.03
"""Largest norm of the difference, relative to that of the logits: rounding by 2^-9 in each of 121 layers, of
random signs, adds up to 0.02."""


def outputs(name: str, precision: Precision) -> Tensor:
    own = CASES[name]
    is_ending = name.islower()
    options = {"ending": own} if is_ending else own
    class_name = "ResNet18" if is_ending else name
    network = lively(class_name, size=SIDE, **options)
    card = card_of(class_name, size=SIDE, **options)
    classifier = classifier_of(network, card, device="cpu", precision=precision)
    images = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return classifier.network(images.to(getattr(torch, precision)))


@pytest.mark.parametrize("name", CASES)
def test_logits_in_bfloat16_are_finite_float32_and_near(name: str) -> None:
    exact, rounded = outputs(name, "float32"), outputs(name, "bfloat16")
    assert rounded.dtype == torch.float32
    assert rounded.isfinite().all()
    assert float((rounded - exact).norm() / exact.norm()) < CLOSE
    assert not torch.equal(rounded, exact)


def test_the_layer_that_gives_the_logits_stays_float32() -> None:
    squeezenet = classifier_of(
        lively("SqueezeNet1_1", size=SIDE),
        card_of("SqueezeNet1_1", size=SIDE),
        device="cpu",
        precision="bfloat16",
    ).network
    assert squeezenet.classifier[1].weight.dtype == torch.float32
    assert squeezenet.features[0].weight.dtype == torch.bfloat16


@pytest.mark.parametrize("pooling", ["pcam", "max"])
def test_maps_in_bfloat16_are_near(pooling: str) -> None:
    card = card_of("ResNet18", size=SIDE, ending={"pooling": pooling})
    images = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    maps = []
    for precision in ("float32", "bfloat16"):
        network = lively("ResNet18", size=SIDE, ending={"pooling": pooling})
        classifier = classifier_of(network, card, device="cpu", precision=precision)  # type: ignore[arg-type]
        batch = images.to(getattr(torch, precision))
        explainer = open_explainer(classifier.network, methods=["gradcam"], example=batch)
        maps.append(torch.from_numpy(explainer.explain(batch).maps["gradcam"]))
    assert float((maps[1] - maps[0]).norm() / maps[0].norm()) < 0.1


class Mixing(nn.Module):
    """A network that multiplies by a weight of its own, without a layer of torch."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.weight, self.last = (
            nn.Conv2d(1, 4, 3),
            nn.Parameter(torch.ones(2, 4)),
            nn.Linear(2, 2),
        )

    def forward(self, images: Tensor) -> Tensor:
        return self.last(nn.functional.linear(self.first(images).mean(dim=(2, 3)), self.weight))


def test_a_network_that_cannot_is_refused_with_the_remedy() -> None:
    with pytest.raises(
        ConfigError, match=r"bfloat16 is not possible for this network, .*; set precision: float32"
    ):
        to_bfloat16(Mixing().eval(), channels=1, shape=(8, 8))


def test_a_network_of_another_size_is_left_to_whoever_traces_it() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2 * 6 * 6, 1))
    to_bfloat16(network, channels=1, shape=(9, 9))
    assert network[0].weight.dtype == torch.bfloat16
