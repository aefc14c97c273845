"""A new card of an ONNX file states what the graph says: input, layout, logits and end."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from pipeline.classifiers import load_card
from pipeline.classifiers.classifier import open_classifier
from pipeline.classifiers.new_card import new_card
from pipeline.cli.main import main
from pipeline.errors import ConfigError
from tests.classifiers.onnx.test_card import FILE, FILES, SHA256
from tests.classifiers.onnx.writing import Shape, model, node


def written(folder: Path, *ends: bytes, shape: Shape = ("n", 3, 8, 6), **changes: Any) -> Path:
    """Mean of each channel times weights, behind a scaling of intensities, as a file."""
    last = shape[3] == 3
    nodes = [
        node("Mul", ["x", "half"], ["scaled"]),
        node("Transpose", ["scaled"], ["t"], perm=[0, 3, 1, 2]) if last else node("Relu", ["scaled"], ["t"]),
        node("Conv", ["t", "kernel"], ["c"]),
        node("GlobalAveragePool", ["c"], ["p"]),
        node("Flatten", ["p"], ["f"]),
        node("MatMul", ["f", "w"], ["logits"]),
        *ends,
    ]
    constants = {
        "half": np.array(0.5, np.float32),
        "kernel": np.ones((4, 3, 1, 1), np.float32),
        "w": np.ones((4, 2), np.float32),
    }
    given: dict[str, Any] = {"inputs": {"x": shape}, "outputs": {"logits": ("n", 2)}, **changes}
    path = folder / "network.onnx"
    path.write_bytes(model(nodes, constants, **given))
    return path


def lines_of(path: Path) -> tuple[str, dict[str, Any]]:
    text, _ = new_card(path, out=path.with_suffix(".yaml"))
    return text, yaml.safe_load(text)


def test_a_card_of_a_keras_network_needs_only_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(FILES / FILE, tmp_path)
    assert main(["card", "new", str(tmp_path / FILE)]) == 0
    assert "question marks to replace by answers" in capsys.readouterr().out
    path = (tmp_path / FILE).with_suffix(".yaml")
    text = path.read_text()
    assert re.search(rf"onnx: {FILE} +# 1 x 61 x 61 px, channels last \(NHWC\)", text)
    assert re.search(
        "activation: sigmoid +# the graph ends in Sigmoid; maps are of the logits before it", text
    )
    card = yaml.safe_load(text)
    assert card["sha256"] == SHA256
    assert card["preprocessing"]["resize"]["size"] == [61, 61]
    with pytest.raises(ConfigError, match=r"purpose, findings\.0, findings\.1, operating_thresholds, "):
        load_card(path)
    resize = {"rule": "exact", "size": [61, 61], "filter": "bilinear"}
    recipe = {"window": "full", "pad": "none", "crop": {}, "intensity": "none", "resize": resize}
    answers = {"purpose": "tests", "findings": ["nodule", "effusion"], "operating_thresholds": 0.5}
    path.write_text(yaml.safe_dump(card | answers | {"preprocessing": {**card["preprocessing"], **recipe}}))
    classifier = open_classifier(
        load_card(path), card_path=path, weights=None, device="cpu", precision="float32", allow_pickle=False
    )
    assert classifier.weights_sha256 == SHA256


def test_a_graph_without_an_end_leaves_the_activation_open(tmp_path: Path) -> None:
    text, card = lines_of(written(tmp_path))
    assert card["activation"] == "?"
    assert card["preprocessing"]["channels"] == 3
    assert card["preprocessing"]["resize"]["size"] == [8, 6]
    assert "# 3 x 8 x 6 px, channels first (NCHW)" in text
    assert "# the graph computes Mul, Relu first: if these scale intensities, none" in text
    assert "findings:  # what the 2 logits of logits stand for" in text


def test_a_softmax_is_told_and_any_size_is_a_question(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        node("Softmax", ["logits"], ["y"]),
        shape=("n", "rows", "columns", 3),
        outputs={"y": ("n", 2)},
    )
    text, card = lines_of(path)
    assert card["activation"] == "softmax"
    assert card["preprocessing"]["resize"]["size"] == "?"
    assert "# 3 x any x any px, channels last (NHWC)" in text


def test_one_of_several_outputs_is_taken_and_told(tmp_path: Path) -> None:
    path = written(tmp_path, outputs={"p": ("n", 4, 1, 1), "f": ("n", 4), "logits": ("n", 2)})
    text, notices = new_card(path, out=path.with_suffix(".yaml"))
    assert yaml.safe_load(text)["findings"] == ["?"] * 4
    told = [notice.text() for notice in notices]
    assert "'f' was taken for the findings, not logits." in told[-1]


def test_a_file_elsewhere_is_not_named(tmp_path: Path) -> None:
    path = written(tmp_path)
    text, _ = new_card(path, out=tmp_path / "below" / "card.yaml")
    assert "# onnx:" in text
    assert "copy network.onnx beside the card and name it" in text


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"shape": ("n", 5, 8, 6)}, "wanted 1 or 3 channels as the second or the last side"),
        ({"shape": ("n", 3, 8, 3)}, "wanted 1 or 3 channels as the second or the last side"),
        ({"outputs": {"p": ("n", 4, 1, 1)}}, "has no output of one number per image and finding (p)"),
        ({"inputs": {"x": ("n", 3, 8, 6), "age": ("n", 1)}}, "has 2 inputs (x, age)"),
    ],
)
def test_a_file_that_a_card_cannot_name_is_refused(
    tmp_path: Path, changes: dict[str, Any], found: str
) -> None:
    path = written(tmp_path, **changes)
    with pytest.raises(ConfigError) as refused:
        new_card(path, out=path.with_suffix(".yaml"))
    assert found in str(refused.value)
    assert str(refused.value).startswith(f"{path}: the ONNX file has ")
