"""Training script: the files it writes."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
import yaml
from safetensors.torch import load_file

from tests.reference_model import train
from tests.reference_model.fitting import build
from tests.reference_model.measuring import logits
from tests.reference_model.samples import Samples


def measured() -> dict[str, object]:
    shares = {"stride": 8, "overall": 0.9}
    return {
        "operating_thresholds": {"nodule": 0.5},
        "target_layer": "last",
        "figures": {"auroc": {"nodule": 0.99}, "pointing_game": {"last": shares}},
    }


def test_the_card_describes_the_weights_beside_it(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = build().half().float()
    train.write_model(tmp_path, network, measured())
    text = (tmp_path / "reference_model.yaml").read_text(encoding="utf-8")
    card = yaml.safe_load(text)
    weights = tmp_path / card["weights"]
    assert card["sha256"] == sha256(weights.read_bytes()).hexdigest()
    assert card["target_layer"] == "last"
    assert card["figures"]["auroc"] == {"nodule": 0.99}
    assert "\n# last (stride 8) 90%.\n" in text
    loaded = build()
    loaded.load_state_dict(load_file(weights))
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)


def test_thresholds_are_probabilities_chosen_for_each_finding() -> None:
    torch.manual_seed(0)
    network = build().eval()
    inputs = np.random.default_rng(0).random((8, 32, 32)).astype(np.float16)
    answers = logits(network, inputs)
    labels = answers > np.median(answers, axis=0)
    thresholds = train._thresholds(network, Samples(inputs, labels, np.zeros(0, np.uint8)))
    probabilities = 1 / (1 + np.exp(-answers))
    for number, threshold in enumerate(thresholds.values()):
        called = probabilities[:, number] >= threshold
        # Rounded to 4 digits, so a film closer than that to the threshold may be on either side.
        assert (called == labels[:, number])[np.abs(probabilities[:, number] - threshold) > 1e-4].all()


def test_the_training_tuning_and_test_films_are_of_different_seeds() -> None:
    assert len({train.TRAIN_SEED, train.TUNE_SEED, train.TEST_SEED}) == 3
