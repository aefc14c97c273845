"""Endings: poolings and heads that a card states, worked by hand, with weights and maps."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from pipeline.attribution.explainer import open_explainer
from pipeline.classifiers import ModelCard
from pipeline.classifiers.architectures.endings import AttentionPool, GeneralisedMean
from pipeline.classifiers.networks import build_network
from pipeline.classifiers.weights import load_weights
from pipeline.errors import ConfigError
from tests.classifiers.architectures.networks import card_of, fill, published

LAYERS = [{"linear": 4}, "relu", "dropout", "linear"]
CELLS = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]]]])


def test_the_generalised_mean_of_four_cells() -> None:
    """p = 2: √((1 + 4 + 9 + 36) / 4) = √12.5; p = 1: the mean, 3."""
    assert float(GeneralisedMean(2.0)(CELLS)) == pytest.approx(12.5**0.5)
    assert float(GeneralisedMean(1.0)(CELLS)) == pytest.approx(3.0)
    assert dict(GeneralisedMean(None).named_parameters()).keys() == {"p"}


def test_attention_pooling_of_two_cells() -> None:
    """Scores 0 and ln 3 have sigmoids 1/2 and 3/4: the logit is (3/4 · ln 3) / (5/4)."""
    linear = nn.Linear(1, 1)
    linear.weight.data.fill_(1.0)
    linear.bias.data.fill_(0.0)
    score = torch.log(torch.tensor(3.0))
    pooled = AttentionPool(linear)(torch.tensor([[[[0.0, score]]]]))
    assert pooled.shape == (1, 1, 1, 1)
    assert float(pooled.detach()) == pytest.approx(0.6 * float(score))


@pytest.mark.parametrize("name", ["ResNet18", "DenseNet121", "Xception", "EfficientNetBN", "SEResNet50"])
@pytest.mark.parametrize("pooling", ["max", "pcam"])
def test_poolings_replace_the_global_average(name: str, pooling: str) -> None:
    extra = {"model_name": "efficientnet-b0"} if name == "EfficientNetBN" else {}
    network = build_network(card_of(name, size=75, ending={"pooling": pooling}, **extra)).eval()
    average = build_network(card_of(name, size=75, **extra)).eval()
    assert network.state_dict().keys() == average.state_dict().keys()
    fill(network)
    fill(average)
    inputs = torch.rand(1, 3, 75, 75, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert not torch.allclose(network(inputs), average(inputs))


@pytest.mark.parametrize(
    "ending", [{"pooling": "max"}, {"pooling": {"gem": 3}}, {"pooling": "pcam"}, {"head": LAYERS}]
)
def test_gradcam_goes_by_autograd_and_cam_is_refused(ending: dict[str, Any]) -> None:
    network = build_network(card_of("ResNet18", ending=ending)).eval()
    fill(network)
    network.double()
    inputs = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    explainer = open_explainer(network, methods=["gradcam"], example=inputs)
    assert explainer.targets["last"].call.module == "layer4"
    assert explainer.targets["last"].head is None
    kept = []
    handle = network.layer4.register_forward_hook(lambda _m, _i, output: kept.append(output))
    logits = network(inputs.clone().requires_grad_())
    handle.remove()
    (gradient,) = torch.autograd.grad(logits[:, 1].sum(), kept[0])
    exact = (gradient.sum(dim=(2, 3), keepdim=True) * kept[0]).sum(dim=1).detach()
    ours = torch.from_numpy(explainer.explain(inputs).maps["gradcam"])[:, 1]
    assert float((ours - exact).abs().max() / exact.abs().max()) < 1e-5
    with pytest.raises(ConfigError, match="not followed by a global average pool and one linear layer"):
        open_explainer(network, methods=["cam"], example=inputs)


@pytest.mark.parametrize(
    ("name", "own", "theirs"),
    [
        ("ResNet18", "fc", "fc"),
        ("DenseNet121", "class_layers.out", "classifier"),
        ("VGG11", "classifier.6", "classifier.6"),
        ("SEResNet50", "last_linear", "last_linear"),
    ],
)
def test_weights_of_a_head_of_layers_load(tmp_path: Path, name: str, own: str, theirs: str) -> None:
    card = card_of(name, ending={"head": LAYERS})
    trained = build_network(card).eval()
    fill(trained)
    assert {f"{own}.0.weight", f"{own}.3.bias"} <= trained.state_dict().keys()
    renamed = {
        re.sub(rf"^{re.escape(own)}\.", f"module.{theirs}.", key)
        if key.startswith(own)
        else f"module.{key}": value
        for key, value in trained.state_dict().items()
    }
    save_file(renamed, tmp_path / "w.safetensors")
    network = build_network(card).eval()
    load_weights(network, tmp_path / "w.safetensors", sha256=None, allow_pickle=False)
    assert all(torch.equal(value, trained.state_dict()[key]) for key, value in network.state_dict().items())


@pytest.mark.parametrize(
    ("ending", "complaint"),
    [
        ({"pooling": "gme"}, "architecture.pooling: unknown pooling; did you mean 'gem'?"),
        ({"pooling": {"gem": 0}}, "architecture.pooling: gem: wanted a power of 1 or more"),
        ({"head": []}, "architecture.head: wanted a list of layers; write for example"),
        ({"head": ["relu"]}, "architecture.head: the last layer gives the logits; end the list with linear"),
        ({"head": ["linear", "linear"]}, "only the last layer is linear without a number"),
        ({"head": ["rellu", "linear"]}, "architecture.head: unknown layer; did you mean 'relu'?"),
        ({"head": [{"linear": 0}, "linear"]}, "linear: wanted a whole number"),
        ({"pooling": "pcam", "head": ["linear"]}, "pcam applies one linear layer to each cell; remove head"),
    ],
)
def test_a_wrong_ending_is_refused_with_the_remedy(ending: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(complaint.partition(": ")[2] or complaint)):
        card_of("ResNet18", ending=ending)


@pytest.mark.parametrize(
    ("name", "ending", "complaint"),
    [
        ("VGG11", {"pooling": "max"}, r"architecture\.pooling: the network has no global average pool"),
        ("SqueezeNet1_1", {"head": ["linear"]}, r"architecture\.head: the network does not end in a linear"),
        ("SqueezeNet1_1", {"pooling": "pcam"}, r"architecture\.pooling: the network does not end in a lin"),
    ],
)
def test_an_ending_that_the_class_does_not_have(name: str, ending: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        build_network(card_of(name, ending=ending))


def test_a_card_with_an_ending_survives_json() -> None:
    card = card_of("ResNet18", ending={"pooling": {"gem": 3}, "head": LAYERS})
    assert ModelCard.model_validate(card.model_dump(mode="json")) == card


def test_a_trained_power_is_a_tensor_of_the_file(tmp_path: Path) -> None:
    network = published("ResNet18")
    state = {**network.state_dict(), "avgpool.p": torch.tensor([2.0])}
    save_file(state, tmp_path / "w.safetensors")
    again = build_network(card_of("ResNet18", ending={"pooling": "gem"}))
    load_weights(again, tmp_path / "w.safetensors", sha256=None, allow_pickle=False)
    assert float(again.avgpool.p.detach()) == 2.0


class Distilled(nn.Module):
    """Logits are the mean of two heads, as of a distilled DeiT."""

    def __init__(self, num_classes: int, in_chans: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_chans, 4, 3, stride=2)
        self.head, self.head_dist = nn.Linear(4, num_classes), nn.Linear(4, num_classes)

    def forward(self, inputs: Tensor) -> Tensor:
        features = self.conv(inputs).mean(dim=(2, 3))
        return (self.head(features) + self.head_dist(features)) / 2


def test_a_head_of_layers_for_one_of_two_heads_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    timm = ModuleType("timm")
    timm.list_models = lambda: ["deit"]  # type: ignore[attr-defined]
    timm.create_model = lambda _name, pretrained, **sizes: Distilled(**sizes)  # type: ignore[attr-defined]  # noqa: ARG005
    monkeypatch.setitem(sys.modules, "timm", timm)
    with pytest.raises(ConfigError, match=r"architecture\.head: the network has two heads, of which this"):
        build_network(card_of("timm:deit", ending={"head": LAYERS}))
