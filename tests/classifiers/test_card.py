from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.classifiers import ModelCard, load_card
from pipeline.classifiers.networks import build_network
from pipeline.errors import ConfigError
from tests.classifiers.conftest import CardWriter

SHIPPED = sorted((Path(__file__).parents[2] / "configs/models").glob("*.yaml"))
SHA256 = "0123456789abcdef" * 4


def of_class(name: str, **arguments: Any) -> dict[str, Any]:
    values = {"in_channels": 1, "out_channels": 2, **arguments}
    return {"architecture": {"class": name, "arguments": values}}


def test_omitted_keys_get_their_defaults(card: ModelCard) -> None:
    assert card.operating_thresholds == {"nodule": 0.5, "effusion": 0.5}
    assert card.target_layer == "last"
    assert card.weights is None
    assert card.preprocessing.intensity.rule == "none"
    assert card.preprocessing.shape == (32, 32)


def test_the_network_may_be_spelled_with_its_module(write_card: CardWriter) -> None:
    card = load_card(write_card(**{"architecture.class": "monai.networks.nets.DenseNet169"}))
    assert card.architecture.class_name == "DenseNet169"


def test_a_card_of_any_class_survives_json(write_card: CardWriter) -> None:
    changes = of_class("timm:convnext_tiny", drop_rate=0.1, kernel_sizes=[7, 7])
    card = load_card(write_card(**changes))
    assert card.architecture.arguments.model_dump()["kernel_sizes"] == (7, 7)
    assert ModelCard.model_validate(card.model_dump(mode="json")) == card


def test_thresholds_may_be_given_per_finding(write_card: CardWriter) -> None:
    card = load_card(write_card(operating_thresholds={"nodule": 0.2, "effusion": 0.7}))
    assert card.operating_thresholds == {"nodule": 0.2, "effusion": 0.7}


def test_findings_may_have_codes(write_card: CardWriter) -> None:
    code = {"scheme": "SCT", "value": "427359005", "meaning": "Solitary nodule of lung"}
    card = load_card(write_card(codes={"nodule": code}))
    assert {name: one.model_dump() for name, one in card.codes.items()} == {"nodule": code}


def test_a_card_survives_json(card: ModelCard) -> None:
    assert ModelCard.model_validate(card.model_dump(mode="json")) == card


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_card_is_valid_and_named_as_its_file(path: Path) -> None:
    assert load_card(path).name == path.stem


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"activaton": "sigmoid"}, "activaton: unknown key; did you mean 'activation'?"),
        ({"activation": "relu"}, "activation: wanted 'sigmoid', 'softmax' or 'none' (found 'relu')"),
        ({"name": "../elsewhere"}, "name: wanted a text of the pattern"),
        ({"architecture.class": "DenseNet122"}, "unknown network; did you mean 'DenseNet121'?"),
        ({"architecture.class": "os.system"}, "architecture.class: is not a network that a card can name"),
        ({"architecture.class": "monai.networks.nets.os.system"}, "architecture.class: is not a network"),
        ({"architecture.class": "$import os; os.system('true')"}, "architecture.class: is not a network"),
        ({"architecture.class": "U-Net"}, "score them with `heatproof score`"),
        ({"architecture.class": "U-Net"}, "torchvision:NAME and timm:NAME where these libraries are inst"),
        ({"architecture.class": "resnet50"}, "architecture.class: unknown network; did you mean 'ResNet50'?"),
        ({"architecture.class": "monai.networks.nets.ResNet50"}, "did you mean 'ResNet50'?"),
        ({"architecture.class": "torchvision:os.system"}, "architecture.class: is not a network"),
        ({"architecture.class": "timm:hf-hub:someone/model"}, "architecture.class: is not a network"),
        ({"architecture.class": "timm:../model"}, "architecture.class: is not a network"),
        (of_class("VGG16", batchnorm=True), "arguments.batchnorm: unknown key; did you mean 'batch_norm'?"),
        (
            of_class("VGG16", growth_rate=2),
            "unknown key; choose one of: batch_norm, hidden, in_channels, out",
        ),
        (of_class("VGG16", batch_norm="yes"), "arguments.batch_norm: wanted true or false; set"),
        (of_class("ResNet"), "architecture.arguments.block: is missing; add this key"),
        (
            of_class("EfficientNetBN", model_name="b9"),
            "arguments.model_name: wanted 'efficientnet-b0', 'effi",
        ),
        (
            of_class("timm:resnet50", act_layer={"code": 1}),
            "architecture.arguments.act_layer: wanted a number, a text, tr",
        ),
        ({"architecture._target_": "os.system"}, "architecture._target_: unknown key"),
        ({"_target_": "os.system"}, "_target_: unknown key"),
        ({"architecture.arguments.pretrained": True}, "architecture.arguments.pretrained: unknown key"),
        ({"architecture.arguments.spatial_dims": 3}, "spatial_dims: wanted 2 (found 3)"),
        ({"findings": ["nodule"]}, "findings: 1 findings for 2 logits"),
        ({"findings": []}, "findings: 0 findings for 2 logits"),
        ({"findings": ["nodule", "nodule"]}, "findings: nodule occurs more than once; remove the repeats"),
        ({"findings": ["nodule", " "]}, "findings.1: wanted a text of 1 or more characters"),
        (
            {"operating_thresholds": 1.5},
            "operating_thresholds.nodule: wanted 1 or less",
        ),
        ({"operating_thresholds": {"nodule": 0.5}}, "operating_thresholds: no threshold for effusion"),
        (
            {"operating_thresholds": {"nodul": 0.5, "effusion": 0.5}},
            "operating_thresholds: unknown finding 'nodul'; did you mean 'nodule'?",
        ),
        (
            {"codes": {"nodul": {"scheme": "SCT", "value": "427359005", "meaning": "Nodule"}}},
            "codes: unknown finding 'nodul'; did you mean 'nodule'?",
        ),
        ({"codes": {"nodule": {"scheme": "SCT", "value": "427359005"}}}, "codes.nodule.meaning: is missing"),
        (
            {"codes": {"nodule": {"scheme": "SCT", "value": 427359005, "meaning": "Nodule"}}},
            "codes.nodule.value: wanted a text",
        ),
        (
            {"codes": {"nodule": {"scheme": "SCT", "value": "1" * 17, "meaning": "Nodule"}}},
            "codes.nodule.value: wanted a text of 16 or fewer characters",
        ),
        (
            {"codes": {"nodule": {"scheme": "SCT", "value": "1", "meaning": "N" * 65}}},
            "codes.nodule.meaning: wanted a text of 64 or fewer characters",
        ),
        (
            {"codes": {"nodule": {"scheme": "S\\T", "value": "1", "meaning": "Nodule"}}},
            "codes.nodule.scheme: wanted a text of the pattern",
        ),
        (
            {
                "not_findings": ["nodule"],
                "codes": {"nodule": {"scheme": "SCT", "value": "1", "meaning": "Nodule"}},
            },
            "codes: 'nodule' is one of not_findings, which need no code; remove it",
        ),
        ({"weights": "small.safetensors"}, "sha256: is missing; add the SHA-256 of the weights file"),
        ({"sha256": SHA256[1:]}, "sha256: wanted a text of the pattern"),
        (
            {"preprocessing.channels": 3},
            "preprocessing: channels is 3, but the network takes 1 (architecture.arguments.in_channels)",
        ),
    ],
)
def test_a_wrong_card_is_refused_by_file_and_key(
    write_card: CardWriter, changes: dict[str, Any], complaint: str
) -> None:
    path = write_card(**changes)
    with pytest.raises(ConfigError) as refusal:
        load_card(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert complaint in str(refusal.value)


def test_a_card_is_read_without_loading_torch() -> None:
    lines = "import sys, pipeline.classifiers; sys.exit(bool({'torch', 'monai'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", lines], check=False).returncode == 0


def test_a_card_cannot_name_code_in_yaml_either(write_card: CardWriter, tmp_path: Path) -> None:
    marker, path = tmp_path / "ran", write_card()
    path.write_text(f"purpose: !!python/object/apply:pathlib.Path.touch [{marker}]\n" + path.read_text())
    with pytest.raises(ConfigError, match="is not valid YAML"):
        load_card(path)
    assert not marker.exists()


@pytest.mark.parametrize("layer", ["os.system", ["os.system", {"command": "true"}], "__import__"])
def test_a_layer_that_is_not_a_layer_is_refused(write_card: CardWriter, layer: object) -> None:
    with pytest.raises(ConfigError):
        build_network(load_card(write_card(**{"architecture.arguments.act": layer})))
