"""New card: what the tensors of each DenseNet say, and questions that the loader refuses until answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from monai.networks import nets
from safetensors.torch import save_file
from torch import Tensor, nn

from pipeline.classifiers import load_card
from pipeline.classifiers.classifier import open_classifier
from pipeline.classifiers.networks import build_network
from pipeline.classifiers.new_card import new_card
from pipeline.classifiers.recognition.densenets import told_by
from pipeline.errors import ConfigError
from tests.study import ARGUMENTS, GRID

ANSWERS: dict[str, Any] = {
    "purpose": "tests",
    "findings": ["nodule", "effusion"],
    "activation": "sigmoid",
    "operating_thresholds": 0.5,
}
RECIPE = {
    "window": "full",
    "channels": 1,
    "pad": "none",
    "resize": {"rule": "exact", "size": GRID, "filter": "bilinear"},
    "crop": {},
    "intensity": "none",
}


def meta(name: str, **arguments: Any) -> dict[str, Tensor]:
    """Tensors of a network without values."""
    with torch.device("meta"):
        return dict(
            getattr(nets, name)(
                **{"spatial_dims": 2, "in_channels": 3, "out_channels": 5} | arguments
            ).state_dict()
        )


@pytest.mark.parametrize(
    ("name", "arguments", "class_name"),
    [
        ("DenseNet169", {}, "DenseNet169"),
        ("DenseNet201", {}, "DenseNet201"),
        (
            "DenseNet",
            {"init_features": 96, "growth_rate": 48, "block_config": (6, 12, 36, 24)},
            "DenseNet161",
        ),
        ("DenseNet121", {"in_channels": 1, "out_channels": 14}, "DenseNet121"),
        ("DenseNet", {"growth_rate": 12, "block_config": (6, 12, 24, 16), "bn_size": 2}, "DenseNet"),
    ],
)
def test_the_class_and_its_arguments_are_told_by_shapes(
    name: str, arguments: dict[str, Any], class_name: str
) -> None:
    shapes = {f"net.{key}": tuple(tensor.shape) for key, tensor in meta(name, **arguments).items()}
    ((found, told),) = told_by(shapes)
    assert found == class_name
    assert told.get("growth_rate", 32) == arguments.get("growth_rate", 32) or class_name != "DenseNet"
    assert told.get("bn_size", 4) == arguments.get("bn_size", 4)


def test_an_answered_card_loads_the_weights_that_it_was_written_from(tmp_path: Path) -> None:
    network = nets.DenseNet(**ARGUMENTS).eval()
    torch.save({"state_dict": network.state_dict()}, tmp_path / "my weights.pth")
    path = tmp_path / "card.yaml"
    text, notices = new_card(tmp_path / "my weights.pth", out=path)
    assert [notice.names for notice in notices] == [("state_dict",)]
    path.write_text(text)
    with pytest.raises(
        ConfigError, match=r"purpose, findings\.0, findings\.1, activation, .*question that is open"
    ):
        load_card(path)
    path.write_text(yaml.safe_dump(yaml.safe_load(text) | ANSWERS | {"preprocessing": RECIPE}))
    card = load_card(path)
    assert card.name == "my_weights"
    classifier = open_classifier(
        card, card_path=path, weights=None, device="cpu", precision="float32", allow_pickle=True
    )
    images = torch.linspace(0, 1, GRID * GRID).reshape(1, 1, GRID, GRID)
    torch.testing.assert_close(classifier.network(images), network(images))


def test_a_densenet_161_is_the_one_of_the_paper(tmp_path: Path) -> None:
    answers = ANSWERS | {"name": "large", "preprocessing": RECIPE | {"resize": {"rule": "exact", "size": 64}}}
    arguments = {"spatial_dims": 2, "in_channels": 1, "out_channels": 2}
    path = tmp_path / "card.yaml"
    path.write_text(
        yaml.safe_dump(answers | {"architecture": {"class": "DenseNet161", "arguments": arguments}})
    )
    network = build_network(load_card(path))
    assert network.class_layers.out.in_features == 2208


@pytest.mark.parametrize(
    ("tensors", "found"),
    [
        (nn.Conv2d(1, 1, 1).state_dict(), r"torchvision and timm installed.*`heatproof score`"),
        (
            meta("DenseNet121", spatial_dims=3),
            r"nearest is DenseNet121, .*features\.conv0\.weight \(64, 3, 7, 7, 7\)",
        ),
        (
            meta("DenseNet121", in_channels=2),
            r"nearest is DenseNet121, of whose 6\d\d tensors .* fit: 1 of another",
        ),
    ],
    ids=["convolution", "3d", "2-channels"],
)
def test_weights_of_another_network_are_told_of_score(
    tmp_path: Path, tensors: dict[str, Tensor], found: str
) -> None:
    values = {name: torch.zeros(tensor.shape) for name, tensor in tensors.items()}
    save_file(values, tmp_path / "w.safetensors")
    with pytest.raises(ConfigError, match=rf"are not those of a network that a card can name.*{found}"):
        new_card(tmp_path / "w.safetensors", out=tmp_path / "card.yaml")


def test_tensors_beside_the_network_are_refused(tmp_path: Path) -> None:
    tensors = nets.DenseNet(**ARGUMENTS).state_dict() | {"features.gate.weight": torch.zeros(1)}
    torch.save(tensors, tmp_path / "w.pth")
    with pytest.raises(ConfigError, match=r"nearest is DenseNet \(.* 1 unexpected: features\.gate\.weight"):
        new_card(tmp_path / "w.pth", out=tmp_path / "card.yaml")


def test_operating_points_of_torchxrayvision_are_shown(tmp_path: Path) -> None:
    tensors = nets.DenseNet(**ARGUMENTS).state_dict() | {"op_threshs": torch.tensor([0.25, 0.5])}
    torch.save(tensors, tmp_path / "w.pth")
    text, _ = new_card(tmp_path / "w.pth", out=tmp_path / "card.yaml")
    assert "which `file` takes over: 0.25, 0.5" in text
