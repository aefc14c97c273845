"""Convert: `heatproof convert`."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from pipeline.cli import main
from tests.study import write_model


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A card, and beside it the weights as a checkpoint w.ckpt."""
    card = write_model(tmp_path)
    tensors = load_file(card.with_suffix(".safetensors"))
    named = {f"model.{name}": tensor for name, tensor in tensors.items()}
    named["model.op_threshs"] = torch.tensor([0.0712, torch.nan])
    torch.save({"state_dict": {**named, "criterion.weight": torch.ones(2)}, "epoch": 3}, tmp_path / "w.ckpt")
    return card


def test_what_it_prints_completes_a_card(card: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = card.parent / "new" / "w.safetensors"
    given = ["convert", str(card.parent / "w.ckpt"), str(out), "--model", str(card)]
    assert main.main(given) == 0
    said = capsys.readouterr().out
    joined = " ".join(said.split())
    assert "Note: The prefix model. was left off the names of the weights." in joined
    assert "holds what was not read: epoch." in joined
    assert "only training needs were not read from the weights file (1): criterion.weight." in joined
    lines = yaml.safe_load(said[said.index("For the model card:") :])["For the model card"]
    assert lines["weights"] == "w.safetensors"
    assert lines["sha256"] == sha256(out.read_bytes()).hexdigest()
    assert lines["operating_thresholds"] == {"nodule": 0.0712, "effusion": "?"}
    assert load_file(out).keys() == {*load_file(card.with_suffix(".safetensors")), "op_threshs"}
    assert f"({len(load_file(out))} tensors, " in joined


def test_without_a_card_prefixes_stay(card: Path) -> None:
    out = card.parent / "w.safetensors"
    assert main.main(["convert", str(card.parent / "w.ckpt"), str(out)]) == 0
    assert "model.features.conv0.weight" in load_file(out)
    assert "criterion.weight" in load_file(out)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({1: "w.pth"}, "w.pth: wanted a name that ends in .safetensors; choose another"),
        ({1: "tiny.safetensors"}, "tiny.safetensors: exists already; choose another file"),
        ({0: "absent.ckpt"}, "absent.ckpt: the weights cannot be read (No such file"),
        ({2: "--model", 3: "absent.yaml"}, "absent.yaml does not exist"),
        (
            {2: "--state-dict", 3: "ema"},
            "holds no network under 'ema', as state_dict states, but under 'state_dict'",
        ),
    ],
    ids=["suffix", "exists", "no-weights", "no-card", "no-such-name"],
)
def test_what_cannot_start_ends_with_exit_code_2(
    card: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[int, str],
    complaint: str,
) -> None:
    monkeypatch.chdir(card.parent)
    given = {0: "w.ckpt", 1: "out.safetensors"} | changes
    assert main.main(["convert", *given.values()]) == 2
    said = capsys.readouterr().err
    assert complaint in " ".join(said.split())
    assert not (card.parent / "out.safetensors").exists()
