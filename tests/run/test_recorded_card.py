"""Tests of what the run id and the manifest hold of a model card."""

from __future__ import annotations

from pathlib import Path

from pipeline import phantoms
from pipeline.classifiers import load_card
from pipeline.run.recorded_card import card_facts, recorded_card

CARD = load_card(Path(phantoms.__file__).parent / "reference_model" / "reference_model.yaml")
WITHOUT_CODES = CARD.model_copy(update={"codes": {}})


def test_codes_are_recorded_but_do_not_change_the_run_id() -> None:
    assert CARD.codes
    assert card_facts(CARD) == card_facts(WITHOUT_CODES)
    assert "codes" not in card_facts(CARD)
    recorded = recorded_card(CARD, CARD.operating_thresholds)["codes"]
    assert recorded["effusion"] == {"scheme": "SCT", "value": "60046008", "meaning": "Pleural effusion"}
    assert recorded_card(WITHOUT_CODES, CARD.operating_thresholds)["codes"] == {}


def test_the_thresholds_are_those_that_were_used() -> None:
    assert recorded_card(CARD, {"nodule": 0.25})["operating_thresholds"] == {"nodule": 0.25}


def test_files_are_named_without_their_folders() -> None:
    assert (
        card_facts(CARD.model_copy(update={"weights": "below/a.safetensors"}))["weights"] == "a.safetensors"
    )
