"""The field's networks, each from a card and a weights file to a report on phantoms."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import yaml
from safetensors.torch import save_file

from pipeline.audit import audit
from pipeline.config import load_config
from pipeline.executors.here import Here
from pipeline.phantoms.lesions import FINDINGS
from pipeline.phantoms.study_set import write_study_set
from pipeline.plan import make_plan
from tests.classifiers.architectures.networks import CLASSICS, card_of, lively

IMAGES = 3
SIDE = 96
PHANTOM_CONFIG = Path(__file__).parents[1] / "configs" / "phantom.yaml"


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms")
    write_study_set(folder, seed=5, count=IMAGES, size=96)
    return folder


def write_card(folder: Path, name: str) -> Path:
    save_file(lively(name, size=SIDE, outputs=len(FINDINGS)).state_dict(), folder / "weights.safetensors")
    card = card_of(name, size=SIDE, outputs=len(FINDINGS)).model_dump(mode="json")
    kept = {key: card[key] for key in ("name", "purpose", "architecture", "activation", "preprocessing")}
    path = folder / "card.yaml"
    path.write_text(yaml.safe_dump({**kept, "findings": list(FINDINGS)}))
    return path


@pytest.mark.parametrize("name", CLASSICS)
def test_a_network_goes_from_its_card_to_a_report_on_phantoms(
    phantoms: Path, tmp_path: Path, name: str
) -> None:
    overrides = {
        "studies": str(phantoms / "images"),
        "annotations.path": str(phantoms),
        "model": str(write_card(tmp_path, name)),
        "weights": str(tmp_path / "weights.safetensors"),
        "out": str(tmp_path / "out"),
        "workers": 1,
        "batch_size": IMAGES,
        "select": None,
        "baselines.location_prior": False,
        "contours.gate": "all",
        "statistics.replicates": 50,
    }
    outcome = audit(make_plan(load_config(PHANTOM_CONFIG, overrides)), executor=Here())
    run = outcome.index.parent
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["card"]["architecture"]["class"] == name
    with (run / "scores.csv").open(newline="") as file:
        scored = {row["case_id"] for row in csv.DictReader(file) if row["method"] == "gradcam"}
    assert len(scored) == IMAGES
    assert outcome.index.read_text().count(name) > 0
