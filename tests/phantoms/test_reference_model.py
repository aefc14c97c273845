"""The committed reference model: its card, and what it does on phantoms that it never saw."""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from monai.networks.nets.densenet import DenseNet
from PIL import Image as Raster
from pydicom import dcmread
from pydicom.pixels import apply_voi_lut
from safetensors.torch import load_file

from pipeline.phantoms.lesions import FINDINGS
from pipeline.phantoms.study_set import write_study_set
from tests.reference_model.measuring import auroc, logits, pointing
from tests.reference_model.samples import INPUT_SIZE, Samples, samples
from tests.reference_model.train import LAYERS, REFERENCE_MODEL, TEST_SEED, TRAIN_SEED, TUNE_SEED

UNSEEN_SEED, COUNT = 77, 80
LARGEST_FILE = 10_000_000


@pytest.fixture(scope="module")
def card() -> Mapping[str, Any]:
    return yaml.safe_load((REFERENCE_MODEL / "reference_model.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def network(card: Mapping[str, Any]) -> DenseNet:
    network = DenseNet(**card["architecture"]["arguments"]).eval()
    network.load_state_dict(load_file(REFERENCE_MODEL / card["weights"]))
    return network


@pytest.fixture(scope="module")
def unseen() -> Samples:
    return samples(UNSEEN_SEED, COUNT, size=256, with_masks=True, processes=1)


def test_the_card_states_the_sha256_of_its_small_weights_file(card: Mapping[str, Any]) -> None:
    content = (REFERENCE_MODEL / card["weights"]).read_bytes()
    assert sha256(content).hexdigest() == card["sha256"]
    assert len(content) <= LARGEST_FILE


def test_the_cards_figures_reach_what_the_model_is_for(card: Mapping[str, Any]) -> None:
    figures = card["figures"]
    assert min(figures["auroc"].values()) >= 0.95
    assert figures["pointing_game"][card["target_layer"]]["overall"] >= 0.8
    assert figures["auroc"].keys() == card["operating_thresholds"].keys() == set(FINDINGS)
    assert figures["pointing_game"].keys() == LAYERS.keys()


def test_it_tells_findings_apart_on_phantoms_it_never_saw(network: DenseNet, unseen: Samples) -> None:
    assert UNSEEN_SEED not in {TRAIN_SEED, TUNE_SEED, TEST_SEED}
    scores = logits(network, unseen.inputs)
    for number in range(len(FINDINGS)):
        assert auroc(scores[:, number], unseen.labels[:, number]) >= 0.95


def test_its_maps_point_at_four_lesions_in_five(
    card: Mapping[str, Any], network: DenseNet, unseen: Samples
) -> None:
    assert pointing(network, unseen, LAYERS[card["target_layer"]]).overall >= 0.8


def test_most_calls_at_its_operating_points_are_right(
    card: Mapping[str, Any], network: DenseNet, unseen: Samples
) -> None:
    probabilities = 1 / (1 + np.exp(-logits(network, unseen.inputs)))
    thresholds = [card["operating_thresholds"][finding] for finding in FINDINGS]
    assert ((probabilities >= thresholds) == unseen.labels).mean(axis=0).min() >= 0.85


def test_a_dicom_film_gives_the_logits_of_the_film_it_was_made_from(
    network: DenseNet, tmp_path: Path
) -> None:
    write_study_set(tmp_path, seed=UNSEEN_SEED, count=7, size=256)  # one in each transfer syntax
    read = [_as_the_card_says(path) for path in sorted((tmp_path / "images").iterdir())]
    made = samples(UNSEEN_SEED, 7, size=256, processes=1)
    difference = logits(network, np.stack(read).astype(np.float16)) - logits(network, made.inputs)
    assert np.abs(difference).max() < 0.02  # rounding of the window, before float16


def _as_the_card_says(path: Path) -> np.ndarray:
    dataset = dcmread(path)
    shown = apply_voi_lut(dataset.pixel_array, dataset) / 4095
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        shown = 1 - shown
    film = Raster.fromarray(shown.astype(np.float32))
    return np.asarray(film.resize((INPUT_SIZE, INPUT_SIZE), Raster.Resampling.BILINEAR))
