"""Train: the reference model from phantoms, with its measured figures, as safetensors and a model card.

python -m tests.reference_model.train [--device cuda] [--out folder]; the committed model is a run on the CPU.
"""

from __future__ import annotations

import argparse
import logging
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from monai.networks.nets.densenet import DenseNet
from safetensors.torch import save

from pipeline import phantoms
from pipeline.phantoms.lesions import FINDINGS
from tests.reference_model.fitting import ARCHITECTURE, build, fit
from tests.reference_model.measuring import Pointing, auroc, logits, pointing, youden_threshold
from tests.reference_model.samples import INPUT_SIZE, Samples, samples

LOG = logging.getLogger(__name__)

NAME = "reference_model"
REFERENCE_MODEL = Path(phantoms.__file__).parent / NAME

TRAIN_SEED, TUNE_SEED, TEST_SEED = 101, 102, 103
"""Of the phantoms; no film is in two of the sets, nor in the built-in study set."""
TRAIN_COUNT, TUNE_COUNT, TEST_COUNT = 4000, 400, 600
TRAIN_SIZE, TEST_SIZE = 256, 512
"""Pixels that films are made at. What is measured is measured on films as study sets have them."""
EPOCHS = 20
SEED = 0
"""Of the fresh weights and of the order of films."""
THREADS = 2

LAYERS = {
    "last": "class_layers.relu",
    "features.denseblock2": "features.denseblock2",
    "features.transition1": "features.transition1",
    "features.denseblock1": "features.denseblock1",
}
"""What a card calls a layer → the module whose output it is."""
CODES = {
    "nodule": ("427359005", "Solitary nodule of lung"),
    "consolidation": ("95436008", "Pulmonary consolidation"),
    "effusion": ("60046008", "Pleural effusion"),
    "cardiomegaly": ("8186001", "Cardiomegaly"),
}
"""Finding → its code in SNOMED CT, and what it is called there."""
PURPOSE = (
    "Shows what an audit looks like, and tests it. Trained on Heatproof's phantoms alone, from image-level "
    "labels; not a medical device, and blind to what real radiographs show."
)


def main() -> None:
    """Make films, train, measure, write the model."""
    parser = argparse.ArgumentParser(description="Train the reference model.")
    parser.add_argument("--device", default="cpu", type=torch.device)
    parser.add_argument("--out", default=REFERENCE_MODEL, type=Path)
    parser.add_argument("--epochs", default=EPOCHS, type=int)
    parser.add_argument("--films", default=TRAIN_COUNT, type=int, help="to train on")
    parser.add_argument("--seed", default=SEED, type=int, help="of the fresh weights and the films' order")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(relativeCreated)7d ms  %(message)s")
    network = train(films=options.films, epochs=options.epochs, device=options.device, seed=options.seed)
    write_model(options.out, network, measured(network))


def train(*, films: int, epochs: int, device: torch.device, seed: int = SEED) -> DenseNet:
    """The reference network, trained; on the CPU the same weights every time, on one machine."""
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(mode=True)
    torch.manual_seed(seed)
    LOG.info("making %d films", films)
    known = samples(TRAIN_SEED, films, size=TRAIN_SIZE)
    network = build()
    labels = torch.from_numpy(known.labels).float()
    fit(network, torch.from_numpy(known.inputs), labels, epochs=epochs, seed=seed, device=device)
    return network.half().float()  # what is measured are the float16 weights that are stored


def measured(network: DenseNet) -> dict[str, Any]:
    """The parts of the model card that are found by measurement, on films the network never saw."""
    LOG.info("measuring")
    tune = samples(TUNE_SEED, TUNE_COUNT, size=TEST_SIZE, with_masks=True)
    test = samples(TEST_SEED, TEST_COUNT, size=TEST_SIZE, with_masks=True)
    layers = {name: pointing(network, test, module) for name, module in LAYERS.items()}
    return {
        "operating_thresholds": _thresholds(network, tune),
        # Chosen on other films than it is measured on, or its figure would flatter it.
        "target_layer": max(LAYERS, key=lambda name: pointing(network, tune, LAYERS[name]).overall),
        "figures": {
            "test_films": f"{TEST_COUNT} of seed {TEST_SEED}, {TEST_SIZE} pixels",
            "auroc": _auroc(network, test),
            "pointing_game": {name: _row(layer) for name, layer in layers.items()},
        },
    }


def write_model(folder: Path, network: DenseNet, parts: dict[str, Any]) -> None:
    """Write the weights, float16, and the model card."""
    tensors = {
        name: tensor.half() if tensor.is_floating_point() else tensor
        for name, tensor in network.state_dict().items()
    }
    content = save(tensors)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{NAME}.safetensors").write_bytes(content)
    card = _card(sha256(content).hexdigest(), parts)
    text = yaml.safe_dump(card, sort_keys=False, width=110, default_flow_style=None)
    (folder / f"{NAME}.yaml").write_text(_explained(text, parts), encoding="utf-8")
    LOG.info("%s", text)


def _card(digest: str, parts: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": NAME,
        "purpose": PURPOSE,
        "license": "Apache-2.0",
        "source": "make reference-model",
        "architecture": {"class": "DenseNet", "arguments": ARCHITECTURE},
        "findings": list(FINDINGS),
        "codes": {
            finding: {"scheme": "SCT", "value": value, "meaning": meaning}
            for finding, (value, meaning) in CODES.items()
        },
        "activation": "sigmoid",
        "operating_thresholds": parts["operating_thresholds"],
        "weights": f"{NAME}.safetensors",
        "sha256": digest,
        "target_layer": parts["target_layer"],
        "preprocessing": {
            "window": "header",
            "channels": 1,
            "resize": {"rule": "exact", "size": [INPUT_SIZE, INPUT_SIZE]},
            "intensity": {"rule": "none"},
        },
        "figures": parts["figures"],
    }


def _explained(text: str, parts: dict[str, Any]) -> str:
    """The card with the reason for its target layer above it."""
    layers = parts["figures"]["pointing_game"]
    listed = ", ".join(
        f"{name} (stride {row['stride']}) {row['overall']:.0%}" for name, row in layers.items()
    )
    reason = (
        "# Share of the findings in the test films for which Grad-CAM's maximum lies in a lesion, by layer:\n"
        f"# {listed}.\n"
        "# A cell's receptive field is 80 input pixels (of 128) wider in the last layer than in "
        "features.transition1,\n"
        "# and the evidence for a lesion may lie in any cell whose receptive field contains the lesion.\n"
    )
    return text.replace("target_layer:", f"{reason}target_layer:")


def _thresholds(network: DenseNet, tune: Samples) -> dict[str, float]:
    probabilities = 1 / (1 + np.exp(-logits(network, tune.inputs).astype(np.float64)))
    return {
        finding: round(youden_threshold(probabilities[:, number], tune.labels[:, number]), 4)
        for number, finding in enumerate(FINDINGS)
    }


def _auroc(network: DenseNet, test: Samples) -> dict[str, float]:
    scores = logits(network, test.inputs)
    return {
        finding: round(auroc(scores[:, number], test.labels[:, number]), 4)
        for number, finding in enumerate(FINDINGS)
    }


def _row(layer: Pointing) -> dict[str, float]:
    shares = {"overall": layer.overall, **layer.findings}
    return {"stride": layer.stride, **{name: round(share, 3) for name, share in shares.items()}}


if __name__ == "__main__":
    main()
