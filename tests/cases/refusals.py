"""Refusals: `heatproof audit` of a model on an empty study set, which is never reached."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from pipeline.cli import main
from tests.study import picture


def audit(card: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and error output."""
    studies = card.parent / "images"
    studies.mkdir(exist_ok=True)
    Image.fromarray(picture(0)).save(studies / "image.png")
    folders = ["--studies", str(studies), "--annotations", str(studies), "--out", str(card.parent / "run")]
    model = ["--model", str(card), "--weights", str(weights), "--set", "allow_pickle_weights=true"]
    code = main.main(["audit", *folders, *model])
    return code, capsys.readouterr().err


def changed(card: Path, **changes: Any) -> Path:
    """The card with keys replaced, in the same file."""
    card.write_text(yaml.safe_dump(yaml.safe_load(card.read_text()) | changes))
    return card
