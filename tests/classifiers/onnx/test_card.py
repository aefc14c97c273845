"""A card names an ONNX file instead of a class and weights."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from pipeline.audited_model.loading import open_model
from pipeline.classifiers import load_card
from pipeline.classifiers.classifier import Classifier, open_classifier
from pipeline.errors import ConfigError

FILES = Path(__file__).parent / "files"
FILE = "keras_xception.onnx"
SHA256 = hashlib.sha256((FILES / FILE).read_bytes()).hexdigest()


def written(folder: Path, **changes: Any) -> Path:
    shutil.copy(FILES / FILE, folder / FILE)
    card = {
        "name": "xception",
        "purpose": "tests",
        "architecture": {"onnx": FILE},
        "findings": ["nodule", "effusion"],
        "activation": "sigmoid",
        "sha256": SHA256,
        "preprocessing": {"window": "full", "resize": {"rule": "exact", "size": 61}},
        **changes,
    }
    path = folder / "card.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in card.items() if value is not None}))
    return path


def opened(path: Path, *, weights: Path | None = None, precision: Any = "float32") -> Classifier:
    return open_classifier(
        load_card(path),
        card_path=path,
        weights=weights,
        device="cpu",
        precision=precision,
        allow_pickle=False,
    )


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(ConfigError) as refused:
        opened(path, **options)
    return str(refused.value)


def test_a_card_with_an_onnx_file_opens_in_evaluation_mode_without_gradients(tmp_path: Path) -> None:
    classifier = opened(written(tmp_path))
    assert classifier.weights_sha256 == SHA256
    assert not any(module.training for module in classifier.network.modules())
    assert not any(parameter.requires_grad for parameter in classifier.network.parameters())
    with torch.no_grad():
        assert classifier.network(torch.zeros(3, 1, 61, 61)).shape == (3, 2)


def test_another_file_replaces_it_if_it_has_the_stated_hash(tmp_path: Path) -> None:
    path = written(tmp_path)
    other = tmp_path / "other.onnx"
    (tmp_path / FILE).rename(other)
    assert opened(path, weights=other).weights_sha256 == SHA256
    other.write_bytes(other.read_bytes() + b"\0")
    assert "but the model card states" in refusal(path, weights=other)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"sha256": None}, "sha256: is missing; add the SHA-256 of the ONNX file"),
        ({"weights": "w.pth"}, "weights: an ONNX file holds its weights (architecture.onnx); remove weights"),
        ({"unused": ["fc"]}, "unused: an ONNX file holds its weights (architecture.onnx); remove unused"),
        ({"architecture": {"onnx": ""}}, "architecture.onnx: wanted a text of 1 or more"),
        ({"architecture": {"onnx": FILE, "class": "DenseNet121"}}, "architecture.class: unknown key"),
        ({"architecture": {"onnx": f"../{FILE}"}}, "architecture.onnx: leads out of the folder"),
        ({"architecture": {"onnx": "none.onnx"}}, "none.onnx: the weights cannot be read"),
        ({"findings": ["nodule"]}, f"{FILE}: the ONNX file gives (2, 2) for a batch of 2"),
        ({"activation": "softmax"}, f"{FILE}: the ONNX file ends in Sigmoid, but the card says activation"),
        (
            {"preprocessing": {"window": "full", "channels": 3, "resize": {"rule": "exact", "size": 61}}},
            f"{FILE}: the ONNX file has an input of (any, 61, 61, 1), but the card's preprocessing gives 3",
        ),
    ],
)
def test_what_does_not_fit_the_file_is_named(tmp_path: Path, changes: dict[str, Any], found: str) -> None:
    assert found in refusal(written(tmp_path, **changes))


def test_an_output_that_was_never_trained_is_left_out_of_logits_and_maps(tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "weights": None, "allow_pickle": False, "device": "cpu", "precision": "float32", "methods": ["cam"],
    }  # fmt: skip
    images = torch.rand(2, 1, 61, 61, generator=torch.Generator().manual_seed(0))
    both = open_model(written(tmp_path), **given).explainer.explain(images)
    one = open_model(written(tmp_path, findings=[None, "effusion"]), **given).explainer.explain(images)
    torch.testing.assert_close(torch.tensor(one.logits), torch.tensor(both.logits[:, 1:]))
    torch.testing.assert_close(torch.tensor(one.maps["cam"]), torch.tensor(both.maps["cam"][:, 1:]))


def test_half_precision_is_refused(tmp_path: Path) -> None:
    assert "set precision: float32" in refusal(written(tmp_path), precision="bfloat16")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, sha256=hashlib.sha256(b"\x08\x01\x12\x90\x01").hexdigest())
    (tmp_path / FILE).write_bytes(b"\x08\x01\x12\x90\x01")
    assert f"{tmp_path / FILE}: the ONNX file is damaged" in refusal(path)
