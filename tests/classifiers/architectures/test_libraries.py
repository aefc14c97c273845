"""Libraries: names of the registries of torchvision and timm, for which there are stand-ins here."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pipeline.classifiers.networks import build_network
from pipeline.errors import ConfigError
from tests.classifiers.architectures.networks import card_of


class Small(nn.Module):
    """A network as these libraries write them."""

    def __init__(self, num_classes: int = 9, in_chans: int = 3, width: int = 4, **_kwargs: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_chans, width, 3, stride=2, padding=1, bias=False)
        self.fc = nn.Linear(width, num_classes)

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.fc(self.conv(inputs).mean(dim=(2, 3)))
        return logits


@pytest.fixture(autouse=True)
def libraries(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What each library was asked for."""
    asked: list[dict[str, Any]] = []

    def made(name: str, **arguments: Any) -> nn.Module:
        asked.append({"name": name, **arguments})
        own = {k: v for k, v in arguments.items() if k in {"num_classes", "in_chans", "width"}}
        return Small(**own)

    models = ModuleType("torchvision.models")
    models.list_models = lambda **_module: ["small", "inception_v3"]  # type: ignore[attr-defined]
    models.get_model = made  # type: ignore[attr-defined]
    torchvision = ModuleType("torchvision")
    torchvision.models = models  # type: ignore[attr-defined]
    timm = ModuleType("timm")
    timm.list_models = lambda: ["small"]  # type: ignore[attr-defined]
    timm.create_model = made  # type: ignore[attr-defined]
    for name, module in (("torchvision", torchvision), ("torchvision.models", models), ("timm", timm)):
        monkeypatch.setitem(sys.modules, name, module)
    return asked


def test_torchvisions_network_gets_its_outputs_and_no_weights(libraries: list[dict[str, Any]]) -> None:
    network = build_network(card_of("torchvision:small", outputs=5))
    assert libraries == [{"name": "small", "weights": None, "num_classes": 5}]
    assert network.fc.out_features == 5


def test_one_channel_changes_only_torchvisions_first_convolution() -> None:
    network = build_network(card_of("torchvision:small", channels=1, width=6))
    assert network.conv.weight.shape == (6, 1, 3, 3)
    assert (network.conv.stride, network.conv.padding, network.conv.bias) == ((2, 2), (1, 1), None)


def test_timms_network_gets_channels_outputs_and_no_weights(libraries: list[dict[str, Any]]) -> None:
    build_network(card_of("timm:small", outputs=5, channels=1))
    assert libraries == [{"name": "small", "pretrained": False, "num_classes": 5, "in_chans": 1}]


@pytest.mark.parametrize("library", ["torchvision", "timm"])
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"widht": 3}, r"architecture\.arguments\.widht: unknown argument of .*:small; did you mean 'width'"),
        ({"num_classes": 3}, r"arguments\.num_classes: is out_channels on a card; remove it"),
        ({"pretrained": True}, r"arguments\.pretrained: unknown argument of .*:small"),
        ({"checkpoint_path": "x"}, r"arguments\.checkpoint_path: unknown argument of .*:small"),
        ({"width": -1}, r"cannot be built with .*width=-1; correct these arguments in the card"),
    ],
)
def test_arguments_are_those_of_the_librarys_class(
    library: str, arguments: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        build_network(card_of(f"{library}:small", **arguments))


@pytest.mark.parametrize("library", ["torchvision", "timm"])
def test_an_unknown_network_is_compared_with_the_registry(library: str) -> None:
    with pytest.raises(
        ConfigError, match=rf"{library}:smal: {library} has no such network; did you mean 'small'"
    ):
        build_network(card_of(f"{library}:smal"))


@pytest.mark.parametrize("library", ["torchvision", "timm"])
def test_a_missing_library_is_named_with_its_extra(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("torchvision.models", "torchvision", "timm"):
        monkeypatch.setitem(sys.modules, name, None)  # type: ignore[arg-type]
    with pytest.raises(
        ConfigError, match=rf"{library} cannot be imported .*; install heatproof\[{library}\]"
    ):
        build_network(card_of(f"{library}:small"))


def test_an_argument_that_no_tensor_shows_is_asked_for() -> None:
    with pytest.raises(ConfigError, match=r"arguments\.transform_input: is missing; set it to true if"):
        build_network(card_of("torchvision:inception_v3"))


def test_another_output_than_logits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Small, "forward", lambda self, inputs: self.conv(inputs))
    with pytest.raises(ConfigError, match=r"gives \(1, 4, 32, 32\) for one image, wanted 2 logits"):
        build_network(card_of("timm:small"))
    monkeypatch.setattr(Small, "forward", lambda _self, inputs: (inputs, torch.zeros(1)))
    with pytest.raises(ConfigError, match=r"gives a tuple for one image, wanted 2 logits"):
        build_network(card_of("timm:small"))
