"""Tests of words that are spelled otherwise."""

from __future__ import annotations

import pytest

from pipeline.annotations.spelling import nearest, plain, same

FINDINGS = ("Pleural Effusion", "Mass")


@pytest.mark.parametrize("word", ["pleural_effusion", "PLEURAL EFFUSION", "Pleural-Effusion"])
def test_case_and_punctuation_do_not_count(word: str) -> None:
    assert plain(word) == "pleuraleffusion"
    assert same(word, FINDINGS) == "Pleural Effusion"


def test_a_known_word_is_itself_and_two_alike_are_neither() -> None:
    assert same("mass", ["mass", "Mass"]) == "mass"
    assert same("MASS", ["mass", "Mass"]) is None
    assert same("--", FINDINGS) is None


@pytest.mark.parametrize(
    ("word", "finding"),
    [("Efusion", "effusion"), ("nodule/mass", "mass"), ("mass_2", "mass"), ("cat", ""), ("", "")],
)
def test_the_nearest_finding(word: str, finding: str) -> None:
    assert nearest(word, ["effusion", "mass"]) == finding
