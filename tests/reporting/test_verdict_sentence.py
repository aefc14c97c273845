"""Verdict sentence: every combination has ten to fifteen words, and says what the conclusion says."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest

from pipeline.records.names import Conclusion, Limit, Standing
from pipeline.reporting.verdict import Sentence
from pipeline.reporting.verdict_sentence import (
    CONTOURS,
    FAULTS,
    NOT_STORED,
    POINTING,
    SHOWN,
    STARTS,
    UNSCORED,
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
def test_every_sentence_has_ten_to_fifteen_words(conclusion: str) -> None:
    told = [verdict_sentence(conclusion, [one]) for one in answers()] + [verdict_sentence(conclusion, [])]
    for sentence in told:
        assert 10 <= len(sentence.split()) <= 15, sentence
        assert sentence.endswith(".")
        assert sentence.count(".") == 1


def test_sentences_that_need_no_answer_have_ten_to_fifteen_words() -> None:
    for sentence in (UNSCORED, NOT_STORED, *FAULTS.values(), *SHOWN.values()):
        assert 10 <= len(sentence.split()) <= 15, sentence


def test_every_conclusion_and_every_part_is_used() -> None:
    assert {*FAULTS, *STARTS} == {"", *get_args(Conclusion)}
    told = {verdict_sentence(code, [one]) for code, one in product(STARTS, answers())}
    for part in (*POINTING.values(), *CONTOURS.values()):
        assert any(sentence.endswith(f"; {part}.") for sentence in told), part
    assert set(SHOWN.values()) <= told


def test_a_fault_says_nothing_of_the_map() -> None:
    assert len({verdict_sentence("weights", [one]) for one in answers()}) == 1


def test_pointing_speaks_before_contours() -> None:
    both = [answer("worse", question="contours"), answer("better")]
    assert verdict_sentence("used", both) == (
        "It uses the annotated lesions; its map points better than any baseline."
    )


def test_what_is_not_confirmed_is_not_called_not_shown() -> None:
    told = verdict_sentence("too_few", [answer("no_better", unconfirmed="better")])
    assert told.endswith("; its map may beat baselines, not confirmed.")
