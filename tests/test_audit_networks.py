"""The field's networks, each from a card and a weights file to a report on phantoms."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from safetensors.torch import save_file

from pipeline.audit import audit
from pipeline.config import load_config
from pipeline.executors.here import Here
from pipeline.phantoms.lesions import FINDINGS
from pipeline.phantoms.study_set import write_study_set
from pipeline.plan import make_plan
from tests.attribution.transformers import Swin
from tests.classifiers.architectures.networks import CLASSICS, card_of, lively

IMAGES = 3
SIDE = 96
PHANTOM_CONFIG = Path(__file__).parents[1] / "configs" / "phantom.yaml"


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantoms")
    write_study_set(folder, seed=5, count=IMAGES, size=96)
    return folder


def write_card(folder: Path, name: str, **arguments: Any) -> Path:
    given: dict[str, Any] = {"size": SIDE, "outputs": len(FINDINGS), **arguments}
    save_file(lively(name, **given).state_dict(), folder / "weights.safetensors")
    card = card_of(name, **given).model_dump(mode="json", exclude_none=True)
    kept = {key: card[key] for key in ("name", "purpose", "architecture", "activation", "preprocessing")}
    path = folder / "card.yaml"
    path.write_text(yaml.safe_dump({**kept, "findings": list(FINDINGS)}))
    return path


def audited(phantoms: Path, folder: Path, card: Path, *methods: str) -> tuple[Path, dict[str, Any]]:
    """The report of a card and the run's manifest; all images have a score for each method."""
    overrides = {
        "studies": str(phantoms / "images"),
        "annotations.path": str(phantoms),
        "model": str(card),
        "weights": str(folder / "weights.safetensors"),
        "out": str(folder / "out"),
        "methods": list(methods),
        "workers": 1,
        "batch_size": IMAGES,
        "select": None,
        "baselines.location_prior": False,
        "contours.gate": "all",
        "statistics.replicates": 50,
    }
    outcome = audit(make_plan(load_config(PHANTOM_CONFIG, overrides)), executor=Here())
    run = outcome.index.parent
    with (run / "scores.csv").open(newline="") as file:
        scored = {(row["method"], row["case_id"]) for row in csv.DictReader(file)}
    for method in methods:
        assert sum(name == method for name, _ in scored) == IMAGES
    return outcome.index, json.loads((run / "manifest.json").read_text())


@pytest.mark.parametrize("name", CLASSICS)
def test_a_network_goes_from_its_card_to_a_report_on_phantoms(
    phantoms: Path, tmp_path: Path, name: str
) -> None:
    index, manifest = audited(phantoms, tmp_path, write_card(tmp_path, name), "gradcam")
    assert manifest["card"]["architecture"]["class"] == name
    assert index.read_text().count(name) > 0


SMALL_VIT = {
    "img_size": [SIDE, SIDE], "patch_size": 16, "hidden_size": 24, "mlp_dim": 48, "num_layers": 2,
    "num_heads": 3, "post_activation": "none",
}  # fmt: skip


def test_a_vit_goes_from_its_card_to_a_report_with_maps_of_tokens_and_attention(
    phantoms: Path, tmp_path: Path
) -> None:
    card = write_card(tmp_path, "ViT", **SMALL_VIT)
    index, manifest = audited(phantoms, tmp_path, card, "gradcam", "rollout", "chefer", "layercam@blocks.0")
    assert manifest["card"]["architecture"]["class"] == "ViT"
    page = index.read_text()
    assert page.count("ViT") > 0
    assert "is blocks.1.norm1, the last whose tokens of patches (6 x 6) an output depends on; 1 more" in page


def test_a_swin_goes_from_its_card_to_a_report(
    phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """timm is an extra; a network with the operations of its Swin stands in for it."""
    timm = ModuleType("timm")
    timm.list_models = lambda: ["swin"]  # type: ignore[attr-defined]
    timm.create_model = lambda _name, pretrained, **arguments: Swin(**arguments)  # type: ignore[attr-defined]  # noqa: ARG005
    monkeypatch.setitem(sys.modules, "timm", timm)
    card = write_card(tmp_path, "timm:swin")
    audited(phantoms, tmp_path, card, "gradcam", "cam", "hirescam@stride4")
