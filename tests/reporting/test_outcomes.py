"""Outcomes: what a contour, its peak and its overlap make of a finding, case by case."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.reporting.first_screen import CAPTIONS
from pipeline.reporting.outcomes import OUTCOMES, RANK, outcome_of
from pipeline.reporting.typical import HITS, MISSES
from tests.reporting.judged_case import BOX, MASK, NOTHING, POINT, judged, score


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (judged(references=[MASK], drawn=True, hits=[0.0], iou=0.57), "outlined"),
        (judged(references=[MASK], drawn=True, hits=[1.0], iou=0.5), "outlined"),
        (judged(references=[MASK], drawn=True, hits=[1.0], iou=0.494), "located"),
        (judged(references=[MASK], drawn=True, hits=[1.0], iou=0.22), "located"),
        (judged(references=[MASK], drawn=True, hits=[1.0], iou=0.01), "located"),
        (judged(references=[MASK, MASK], drawn=True, hits=[1.0, 0.0], iou=0.01), "located"),
        (judged(references=[MASK], drawn=True, hits=[0.0], iou=0.1), "located"),
        (judged(references=[MASK], drawn=True, hits=[0.0], iou=0.09), "elsewhere"),
        (judged(references=[MASK], drawn=True, hits=[0.0]), "elsewhere"),
        (judged(references=[MASK], drawn=False, hits=[0.0]), "not_drawn"),
        (judged(references=[BOX], drawn=True, scores=[score("box_hit", 1.0)]), "located"),
        (judged(references=[BOX], drawn=True, scores=[score("box_hit", 0.0)]), "elsewhere"),
        (judged(references=[BOX], drawn=True, scores=[score("box_iou", 0.6)]), "outlined"),
        (judged(references=[MASK, BOX], drawn=True, iou=0.2, scores=[score("box_iou", 0.6)]), "located"),
        (judged(references=[POINT], drawn=True, scores=[score("point_hit", 1.0)]), "located"),
        (judged(references=[POINT], drawn=True, scores=[score("point_hit", 0.0)]), "elsewhere"),
        (judged(references=[NOTHING], drawn=True), "false_contour"),
        (judged(references=[NOTHING], drawn=False), "clear"),
        (judged(label=0, drawn=True), "false_contour"),
        (judged(label=0), "clear"),
        (judged(references=[MASK], label=0, drawn=True, hits=[1.0]), "located"),
        (judged(references=[NOTHING], label=1, drawn=True), "false_contour"),
        (judged(label=1, drawn=True), "unjudged"),
        (judged(references=[MASK], drawn=True), "unjudged"),
    ],
)
def test_the_outcome_of_a_finding(given: dict[str, Any], wanted: str) -> None:
    assert outcome_of(given, "nodule", "cam") == wanted


def test_several_readers_are_judged_by_the_mean_that_the_page_shows() -> None:
    scores = [score("iou", 0.7), score("iou", 0.2, reader="B")]
    assert (
        outcome_of(judged(references=[MASK, MASK], drawn=True, scores=scores), "nodule", "cam") == "located"
    )


def test_what_is_shown_as_half_counts_as_half() -> None:
    given = judged(references=[MASK], drawn=True, iou=0.4951)
    assert outcome_of(given, "nodule", "cam") == "outlined"


def test_of_two_contours_the_one_that_overlaps_more_never_has_the_worse_outcome() -> None:
    for hit in (0.0, 1.0):
        given = [judged(references=[MASK], drawn=True, hits=[hit], iou=step / 20) for step in range(21)]
        ranks = [RANK[outcome_of(one, "nodule", "cam")] for one in given]
        assert ranks == sorted(ranks)


def test_every_outcome_has_a_meaning_of_one_sentence_and_words_of_its_own() -> None:
    assert len({outcome.text for outcome in OUTCOMES.values()}) == len(OUTCOMES)
    assert all(outcome.meaning.endswith(".") for outcome in OUTCOMES.values())
    assert {code for code, outcome in OUTCOMES.items() if outcome.is_scored} == {
        *("elsewhere", "not_drawn", "located", "outlined")
    }


def test_pictures_of_the_first_screen_stand_for_all_outcomes_of_lesions():
    assert {*HITS, *MISSES} == {code for code, outcome in OUTCOMES.items() if outcome.is_scored}
    assert CAPTIONS.keys() == {*HITS, *MISSES}
