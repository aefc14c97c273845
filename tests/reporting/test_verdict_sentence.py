"""Verdict sentence: every combination has ten to fifteen words, and says what the conclusion says."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest

from pipeline.records.names import Conclusion, Limit, Standing
from pipeline.reporting.verdict import Sentence
from pipeline.reporting.verdict_sentence import (
    AGAINST,
    CONTOURS,
    FAULTS,
    NOT_STORED,
    NOT_TESTED,
    POINTING,
    SHOWN,
    UNSCORED,
    USES,
    verdict_sentence,
)


def answer(
    standing: str, because: str = "", *, unconfirmed: str = "", question: str = "pointing"
) -> Sentence:
    return Sentence("", standing, question, because, unconfirmed)


def answers() -> list[Sentence]:
    """Every answer that a run can give."""
    plain = [
        answer(standing, question=asked)
        for standing in get_args(Standing)
        for asked in ("pointing", "contours")
    ]
    limited = [answer("unknown", why) for why in get_args(Limit) if why.startswith("auroc")]
    placed = [answer(standing, "same_place") for standing in ("no_better", "worse")]
    uncertain = [answer(standing, "auroc_uncertain") for standing in ("no_better", "worse")]
    open_ones = [
        answer("no_better", unconfirmed=side, question=asked)
        for side in ("better", "worse")
        for asked in ("pointing", "contours")
    ]
    lacking = [Sentence("", "unknown", lacks=what) for what in ("no_annotation", "no_baseline")]
    return [*plain, *limited, *placed, *uncertain, *open_ones, *lacking]


@pytest.mark.parametrize("conclusion", ["", *get_args(Conclusion)])
@pytest.mark.parametrize("partly", [False, True])
@pytest.mark.parametrize("untested", ["", *NOT_TESTED])
def test_every_sentence_has_ten_to_fifteen_words(conclusion: str, *, partly: bool, untested: str) -> None:
    for given in (*([one] for one in answers()), []):
        sentence = verdict_sentence(conclusion, given, untested=untested, partly=partly)
        assert 10 <= len(sentence.split()) <= 15, sentence
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert sentence.count(".") == 1


def test_sentences_that_need_no_answer_have_ten_to_fifteen_words() -> None:
    for sentence in (UNSCORED, NOT_STORED, *FAULTS.values(), *SHOWN.values()):
        assert 10 <= len(sentence.split()) <= 15, sentence


def test_every_conclusion_and_every_part_is_used() -> None:
    assert {*FAULTS, *AGAINST, *USES} == {"", *get_args(Conclusion)}
    told = {verdict_sentence(code, [one]) for code, one in product((*AGAINST, *USES), answers())}
    for part in (*POINTING.values(), *CONTOURS.values()):
        assert any(sentence.lower().startswith(f"{part.lower()}; ") for sentence in told), part
        assert any(sentence.endswith(f"; {part}.") for sentence in told), part
    assert set(SHOWN.values()) <= told


@pytest.mark.parametrize("code", USES)
def test_the_map_comes_first_because_the_row_has_its_colour(code: str) -> None:
    told = verdict_sentence(code, [answer("worse", question="contours")])
    assert told.startswith("Its contours fit worse than a baseline; ")


@pytest.mark.parametrize("code", AGAINST)
def test_what_speaks_against_the_network_comes_first(code: str) -> None:
    assert verdict_sentence(code, [answer("better")]).startswith(f"{AGAINST[code]}; its map")


def test_what_was_not_tested_is_not_called_unclear() -> None:
    assert verdict_sentence("too_few", [answer("better")], untested="probes") == (
        "Its map points better than any baseline; use of lesions not tested (probes: off)."
    )
    assert "unclear" in verdict_sentence("too_few", [answer("better")])


def test_lesions_without_which_most_decisions_stay_are_partly_used() -> None:
    for code in ("shown", "not_shown", "used"):
        for one in answers():
            whole, partly = (verdict_sentence(code, [one], partly=some) for some in (False, True))
            assert partly == whole.replace("t uses the annotated", "t partly uses the annotated") != whole


def test_a_fault_says_nothing_of_the_map() -> None:
    assert len({verdict_sentence("weights", [one]) for one in answers()}) == 1


def test_pointing_speaks_before_contours() -> None:
    both = [answer("worse", question="contours"), answer("better")]
    assert verdict_sentence("used", both) == (
        "Its map points better than any baseline; it uses the annotated lesions."
    )


def test_what_is_not_confirmed_is_not_called_not_shown() -> None:
    told = verdict_sentence("too_few", [answer("no_better", unconfirmed="better")])
    assert told.startswith("Its map may beat baselines, not confirmed; ")
