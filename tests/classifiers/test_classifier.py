from __future__ import annotations

import csv
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pipeline.classifiers import load_card, prepare
from pipeline.classifiers.classifier import Classifier, Precision, open_classifier
from pipeline.errors import ConfigError
from pipeline.records import Image, ModelInput
from tests.classifiers.conftest import CardWriter

PROJECT = Path(__file__).parents[2]
SHARED = PROJECT / "../shared"


@pytest.fixture
def weights(network: nn.Module, tmp_path: Path) -> Path:
    path = tmp_path / "small.safetensors"
    save_file(network.state_dict(), path)
    return path


def opened(
    card_path: Path, weights: Path | None, *, device: str = "cpu", precision: Precision = "float32"
) -> Classifier:
    return open_classifier(
        load_card(card_path),
        card_path=card_path,
        weights=weights,
        device=device,
        precision=precision,
        allow_pickle=False,
    )


def inputs(classifier: Classifier, n: int) -> list[ModelInput]:
    pixels = np.random.default_rng(0).random((n, 40, 30), np.float32)
    return [prepare(Image(f"case{i}", p, None), classifier.card.preprocessing) for i, p in enumerate(pixels)]


def test_a_classifier_is_in_evaluation_mode_with_its_weights(
    write_card: CardWriter, weights: Path, network: nn.Module
) -> None:
    classifier = opened(write_card(), weights)
    assert classifier.findings == ("nodule", "effusion")
    assert classifier.weights_sha256 == sha256(weights.read_bytes()).hexdigest()
    assert classifier.device == torch.device("cpu")
    assert not classifier.network.training
    assert not any(parameter.requires_grad for parameter in classifier.network.parameters())
    batch = classifier.tensor(inputs(classifier, 2), batch_size=2)
    torch.testing.assert_close(classifier.network(batch), network(batch), rtol=0, atol=1e-5)


def test_the_weights_named_by_the_card_are_in_its_folder(write_card: CardWriter, weights: Path) -> None:
    stated = sha256(weights.read_bytes()).hexdigest()
    card_path = write_card(weights="small.safetensors", sha256=stated.upper())
    assert opened(card_path, None).weights_sha256 == stated


@pytest.mark.parametrize("way", ["../secret", "{root}/secret", "link", "linked/secret", "\0"])
def test_a_card_that_names_weights_outside_its_folder_tells_nothing_of_them(
    write_card: CardWriter, tmp_path: Path, way: str
) -> None:
    (tmp_path / "secret").write_bytes(b"root:x:0")
    folder = tmp_path / "of_a_stranger"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "linked").symlink_to(tmp_path)
    name = way.format(root=tmp_path)
    card_path = write_card(weights=name, sha256="0" * 64).rename(folder / "card.yaml")
    with pytest.raises(ConfigError, match="weights: leads out of the folder") as refused:
        opened(card_path, None)
    assert "sha256" not in str(refused.value)
    with pytest.raises(ConfigError, match=r"secret: sha256 is"):  # the user may name any file
        opened(card_path, tmp_path / "secret")


def test_weights_below_the_folder_of_the_card_are_read_also_through_a_link_to_there(
    write_card: CardWriter, weights: Path, tmp_path: Path
) -> None:
    stated = sha256(weights.read_bytes()).hexdigest()
    (tmp_path / "below").mkdir()
    weights.rename(tmp_path / "below" / "own.safetensors")
    (tmp_path / "latest.safetensors").symlink_to("below/own.safetensors")
    for name in ("below/own.safetensors", "latest.safetensors"):
        card_path = write_card(weights=name, sha256=stated)
        assert opened(card_path, None).weights_sha256 == stated


def test_weights_named_by_the_user_must_be_those_of_the_card(write_card: CardWriter, weights: Path) -> None:
    card_path = write_card(weights="elsewhere.safetensors", sha256="0" * 64)
    with pytest.raises(ConfigError, match=r"small\.safetensors: sha256 is "):
        opened(card_path, weights)


def test_a_card_without_weights_asks_for_them(write_card: CardWriter) -> None:
    with pytest.raises(
        ConfigError,
        match=r"card\.yaml: names no weights file; add weights and sha256 to the card, or use --weights",
    ):
        opened(write_card(), None)


def test_what_the_card_calls_unused_is_not_read(
    write_card: CardWriter, network: nn.Module, tmp_path: Path
) -> None:
    path = tmp_path / "two_heads.safetensors"
    save_file({**network.state_dict(), "view.weight": torch.ones(3, 4), "view.bias": torch.ones(3)}, path)
    with pytest.raises(ConfigError, match=r"2 unexpected: view\.bias, view\.weight"):
        opened(write_card(), path)
    (notice,) = opened(write_card(unused=["view"]), path).notices
    assert notice.text().endswith("was not read from the weights file (2): view.bias, view.weight.")


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "meta", "cpu:x"])
def test_a_device_that_is_not_there_is_refused(write_card: CardWriter, weights: Path, device: str) -> None:
    with pytest.raises(ConfigError, match=f"device: '{device}' cannot be used here"):
        opened(write_card(), weights, device=device)


def test_a_short_batch_is_filled_with_zeros(write_card: CardWriter, weights: Path) -> None:
    classifier = opened(write_card(), weights)
    images = inputs(classifier, 3)
    batch = classifier.tensor(images, batch_size=5)
    assert batch.shape == (5, 1, 32, 32)
    assert batch.is_contiguous(memory_format=torch.channels_last)
    for row, image in zip(batch, images, strict=False):
        np.testing.assert_array_equal(row.numpy(), image.tensor)
    assert not batch[3:].any()


def test_more_images_than_the_batch_holds_is_a_bug(write_card: CardWriter, weights: Path) -> None:
    classifier = opened(write_card(), weights)
    with pytest.raises(ValueError, match="zip"):
        classifier.tensor(inputs(classifier, 3), batch_size=2)


@pytest.mark.parametrize(
    ("activation", "logits", "probabilities"),
    [
        ("sigmoid", [0, 1.098612], [0.5, 0.75]),  # ln 3
        ("softmax", [-1.098612, 1.098612], [0.25, 0.75]),  # log-odds
        ("none", [-0.5, 0.625], [0, 0.625]),
    ],
)
def test_logits_become_probabilities_by_hand(
    write_card: CardWriter, weights: Path, activation: str, logits: list[float], probabilities: list[float]
) -> None:
    thresholds = {"nodule": 0.5, "effusion": 0.8}
    classifier = opened(write_card(activation=activation, operating_thresholds=thresholds), weights)
    padded_logits = torch.tensor([[9, 9], logits, [0, 0]])
    first, _, *predictions = classifier.predictions(["first", "second"], padded_logits)
    assert (first.case_id, first.finding, first.logit) == ("first", "nodule", 9)
    assert [(p.case_id, p.finding) for p in predictions] == [("second", "nodule"), ("second", "effusion")]
    assert [p.logit for p in predictions] == pytest.approx(logits)
    assert [p.probability for p in predictions] == pytest.approx(probabilities)
    assert [p.threshold for p in predictions] == [0.5, 0.8]
    assert [p.positive for p in predictions] == [probabilities[0] >= 0.5, False]


def test_logits_may_be_an_array(write_card: CardWriter, weights: Path) -> None:
    classifier = opened(write_card(), weights)
    logits = np.array([[0, 1.5]], np.float32)
    assert classifier.predictions(["case"], logits) == classifier.predictions(["case"], torch.tensor(logits))


def test_bfloat16_keeps_logits_in_float32_and_near(write_card: CardWriter, weights: Path) -> None:
    logits = {}
    precisions: tuple[Precision, ...] = ("float32", "bfloat16")
    for precision in precisions:
        classifier = opened(write_card(), weights, precision=precision)
        batch = classifier.tensor(inputs(classifier, 4), batch_size=4)
        assert batch.dtype == getattr(torch, precision)
        logits[precision] = classifier.network(batch)
    assert logits["bfloat16"].dtype == torch.float32
    difference = (logits["bfloat16"] - logits["float32"]).abs().max()
    assert 0 < difference < 0.02 * logits["float32"].abs().max()


def _dev_logits(n: int) -> dict[str, list[float]]:
    with (SHARED / "models/breast_ultrasound_densenet121.dev_logits.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {row["sop_instance_uid"]: [float(row["benign"]), float(row["malignant"])] for row in rows[:n]}


def _dev_images(uids: set[str]) -> list[Image]:
    """Images decoded without a window; the loader has its own tests."""
    images: dict[str, Any] = {}
    for path in sorted((SHARED / "studies/breast_ultrasound/images").glob("*.dcm")):
        uid = str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID)
        if uid in uids:
            images[uid] = pydicom.dcmread(path)
    return [
        Image(uid, (data.pixel_array / (2**data.BitsStored - 1)).astype(np.float32), None)
        for uid, data in images.items()
    ]


@pytest.mark.skipif(not SHARED.exists(), reason="the real network and study set are not here")
def test_a_real_network_gives_the_logits_of_its_training() -> None:
    expected = _dev_logits(12)
    classifier = opened(
        PROJECT / "configs/models/breast_ultrasound_densenet121.yaml",
        SHARED / "models/breast_ultrasound_densenet121.safetensors",
    )
    images = [prepare(image, classifier.card.preprocessing) for image in _dev_images(set(expected))]
    assert len(images) == 12
    with torch.inference_mode():
        logits = classifier.network(classifier.tensor(images, batch_size=16))
    np.testing.assert_allclose(logits[:12], [expected[image.case_id] for image in images], atol=1e-4)
