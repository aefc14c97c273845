"""Tests of the meaning of annotators' words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pipeline.errors import ConfigError
from pipeline.ground_truth.words import Meanings, meanings_of

FINDINGS = ("nodule", "effusion")


def meanings(counts: Mapping[str, int], **changes: Any) -> Meanings:
    return meanings_of(counts, **{"names": {}, "denials": (), "findings": FINDINGS, **changes})


def test_findings_and_translations_need_no_notice() -> None:
    found = meanings({"nodule": 2, "Mass": 1, "Old": 1}, names={"Mass": "nodule", "Old": None})
    assert found.findings == {"nodule": "nodule", "Mass": "nodule", "Old": None}
    assert not found.notices


def test_other_spellings_of_findings_translations_and_denials_are_one_guess() -> None:
    counts = {"Nodule": 1, "MASS": 1, "no finding": 1}
    found = meanings(counts, names={"Mass": "effusion"}, denials=["No Finding"])
    assert found.findings == {"Nodule": "nodule", "MASS": "effusion"}
    assert found.denials == {"no finding"}
    (guess,) = found.notices
    assert guess.kind == "guess"
    assert guess.pin == {
        "annotations": {
            "findings": {"Nodule": "nodule", "MASS": "effusion"},
            "no_finding": ["no finding"],
        }
    }
    assert guess.text() == (
        "Words that are spelled otherwise than those of model and config: Nodule is nodule, "
        "MASS is effusion, no finding is none of the findings"
    )


def test_unknown_words_are_counted_and_have_their_nearest_finding() -> None:
    found = meanings({"noduls": 3, "Rib": 1, "": 7})
    assert not found.knows("noduls")
    (warning,) = found.notices
    assert warning.text() == (
        "Not used: 4 annotations of words that are no finding: noduls (nearest finding: nodule), Rib"
    )
    assert warning.pin == {"annotations": {"findings": {"noduls": "nodule", "Rib": None}}}
    assert "noduls" not in warning.text(lambda _: "x")
    assert "noduls" not in warning.line(lambda _: "x")


@pytest.mark.parametrize("word", ["No finding", "normal", "NO_FINDINGS"])
def test_a_word_that_looks_like_none_of_the_findings_is_a_warning_of_its_own(word: str) -> None:
    (warning,) = meanings({word: 2}).notices
    assert warning.pin == {"annotations": {"no_finding": [word]}}


def test_a_finding_called_normal_is_a_finding() -> None:
    assert not meanings({"normal": 2}, findings=("normal",)).notices


def test_two_meanings_of_a_word_in_the_config_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"'Mass' is in annotations\.findings, too; remove one"):
        meanings({}, names={"Mass": "nodule"}, denials=["Mass"])
