"""Outputs outside 0 … 1 are no probabilities, whatever the card says.

CheXNet ends in a sigmoid without tensors, so its users write `activation: none`, but what a card builds ends
in a linear layer: its logits were clipped, and 1.3166 became probability 1.0. Right: refuse, or warn. Shared
case: model-activation-none-on-logits. Source: gaetandi/cheXpert#3, arnoweng/CheXNet#26.
"""

from pathlib import Path
from typing import Any

import pytest

from pipeline.audit import audit
from pipeline.config import load_config
from pipeline.errors import ConfigError
from pipeline.executors.here import Here
from pipeline.plan import make_plan
from pipeline.run.outcome import Outcome
from tests.brightness import write_bright_study, write_brightness_model


def audited(folder: Path, *outputs: tuple[float, float], **card: Any) -> Outcome:
    model = write_brightness_model(folder / "model", *outputs, findings=["nodule"], **card)
    write_bright_study(folder)
    overrides = {
        "studies": str(folder / "images"),
        "annotations.path": str(folder),
        "model": str(model),
        "out": str(folder / "out"),
        "statistics.replicates": 200,
    }
    return audit(make_plan(load_config(None, overrides)), executor=Here())


def test_logits_are_no_probabilities(tmp_path: Path) -> None:
    wanted = r"bright: activation: none .* outputs are 1\.\d+, outside 0 … 1; set activation: sigmoid"
    with pytest.raises(ConfigError, match=wanted):
        audited(tmp_path, (8.0, -0.2), activation="none")
    assert not (tmp_path / "out" / "cases").exists()


def test_outputs_within_0_and_1_are(tmp_path: Path) -> None:
    outcome = audited(tmp_path, (1.0, 0.0), activation="none")
    assert len(outcome.results.audited) == 4
