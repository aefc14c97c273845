"""Outcome: what share of the images was missed, and whether a run has passed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.config import Policy
from pipeline.records import Case, Skipped
from pipeline.run.outcome import Outcome, missed_share, outcome
from pipeline.run.tables import Results
from tests.cohort.cases import case

CASES = [case(stem) for stem in "abcd"]
INDEX = Path("run/index.html")


def skipped(stage: str, reason: str = "any", subject: str = "case-a-0") -> Skipped:
    return Skipped(subject, stage, reason, "a sentence")


def results(*of: Skipped, outcomes: tuple[str, ...] = ()) -> Results:
    return Results((), of, (), tuple({"outcome": one} for one in outcomes), ())


def ended(*of: Skipped, outcomes: tuple[str, ...] = (), cases: list[Case] = CASES, **policy: Any) -> Outcome:
    return outcome(INDEX, results(*of, outcomes=outcomes), cases, Policy(**policy))


@pytest.mark.parametrize("stage", ["load", "explain", "score"])
def test_an_image_that_was_given_up_at_any_stage_is_missed(stage: str) -> None:
    assert missed_share(CASES, results(skipped(stage))) == 1 / 4


@pytest.mark.parametrize("stage", ["annotations", "heatmaps"])
def test_an_annotation_or_a_map_that_was_left_out_is_no_missed_image(stage: str) -> None:
    assert missed_share(CASES, results(skipped(stage))) == 0


def test_an_image_that_was_skipped_twice_is_missed_once() -> None:
    assert missed_share(CASES, results(skipped("load"), skipped("score"))) == 1 / 4


def test_a_file_that_could_not_be_read_may_be_an_image_and_counts_on_both_sides() -> None:
    files = [skipped("index", "truncated", "file-1"), skipped("index", "truncated", "file-2")]
    assert missed_share(CASES, results(*files)) == 2 / 6
    assert missed_share(CASES, results(*files, skipped("load"))) == 3 / 6


@pytest.mark.parametrize("reason", ["not_dicom", "no_pixels", "not_an_image", "repeated_sop_instance_uid"])
def test_a_file_that_is_no_image_or_a_second_one_is_not_missed(reason: str) -> None:
    assert missed_share(CASES, results(skipped("index", reason, "file-1"))) == 0


def test_a_run_passes_up_to_the_share_of_missed_images_that_the_policy_allows() -> None:
    assert ended(skipped("load"), max_skipped=0.25).passed
    assert not ended(skipped("load"), max_skipped=0.24).passed


@pytest.mark.parametrize(
    ("outcomes", "passed"), [((), True), (("pass", "warn", "unknown"), True), (("pass", "fail"), False)]
)
def test_a_run_passes_where_no_limit_is_broken(outcomes: tuple[str, ...], passed: bool) -> None:  # noqa: FBT001
    assert ended(outcomes=outcomes).passed == passed


def test_a_broken_limit_is_not_made_good_by_images_that_are_all_there() -> None:
    assert not ended(outcomes=("fail",), max_skipped=1.0).passed


def test_an_outcome_says_where_the_report_is_and_what_it_is_of() -> None:
    found = ended(skipped("load"))
    assert (found.index, found.images, found.missed_share) == (INDEX, 4, 0.25)
    assert found.results.skipped == (skipped("load"),)
