"""Headline numbers: skill and policy as text for the verdict."""

from pathlib import Path

import pytest

from pipeline.reporting.headline_numbers import limits_of, limits_stated, skill_of, worst
from pipeline.reporting.run_folder import Method, RunFolder

SKILL = {
    "finding": "nodule", "reader": "A", "method": "gradcam", "metric": "hit", "measure": "skill",
    "prior": "location_prior", "ceiling": "perfect", "n": "42", "estimate": "-1.286", "low": "-3.8333",
    "high": "-0.2248",
}  # fmt: skip
LIMIT = {
    "finding": "nodule", "rule": "min_hit_rate", "limit": "0.5", "estimate": "0.238", "low": "0.104",
    "high": "0.412", "outcome": "fail",
}  # fmt: skip


def run(**tables):
    methods = (Method("gradcam", "network", "", "logit"),)
    return RunFolder(Path(), {"findings": ["nodule"]}, methods, (), (), (), tables)


def test_skill_has_its_interval_and_says_what_0_and_1_are():
    found = skill_of(run(skill=(SKILL,)), "nodule")
    assert (found.text, found.interval) == ("−1.29", "[−3.83 to −0.22]")
    assert (found.zero, found.one) == ("the location prior", "every image right")


def test_skill_is_of_masks_before_boxes_and_of_the_reader_with_most_images():
    rows = (
        SKILL | {"metric": "box_hit", "estimate": "0.1", "n": "90"},
        SKILL | {"reader": "B", "n": "41", "estimate": "0.2"},
        SKILL,
        SKILL | {"metric": "iou", "estimate": "0.3", "n": "99"},
    )
    assert skill_of(run(skill=rows), "nodule").text == "−1.29"


def test_skill_without_a_scale_is_reported_and_that_of_another_finding_is_not_shown():
    without = skill_of(run(skill=(SKILL | {"estimate": "", "low": "", "high": ""},)), "nodule")
    assert (without.text, without.interval) == ("", "")
    assert skill_of(run(skill=(SKILL | {"estimate": "", "n": "0"},)), "nodule") is None
    assert skill_of(run(skill=(SKILL,)), "effusion") is None
    assert skill_of(run(), "nodule") is None


def test_a_limit_says_what_is_wanted_and_what_was_found():
    (limit,) = limits_of(run(policy=(LIMIT,)), "nodule")
    assert limit.outcome == "fail"
    assert limit.text == "hit rate at least 50 %: found 24 % [10 to 41]"


def test_a_limit_without_a_number_says_so():
    lost = LIMIT | {"estimate": "", "low": "", "high": "", "outcome": "unknown"}
    (limit,) = limits_of(run(policy=(lost,)), "nodule")
    assert limit.text == "hit rate at least 50 %: there is no estimate"


@pytest.mark.parametrize(
    ("because", "words"),
    [
        ("too_few", "too few patients for an interval"),
        (
            "not_labelled",
            "the labels have no column of “nodule”; add it, or name it in annotations.labels.columns",
        ),
        ("single_class", "all images have the same label"),
        ("no_scale", "there is no baseline to measure skill from"),
    ],
)
def test_an_unknown_limit_says_why(because, words):
    lost = LIMIT | {"estimate": "", "low": "", "high": "", "outcome": "unknown", "because": because}
    (limit,) = limits_of(run(policy=(lost,)), "nodule")
    assert limit.text == f"hit rate at least 50 %: {words}"
    few = LIMIT | {"low": "", "high": "", "outcome": "unknown", "because": because}
    (limit,) = limits_of(run(policy=(few,)), "nodule")
    assert limit.text == f"hit rate at least 50 %: found 24 %; {words}"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, ""),
        ({"policy": "x"}, ""),
        (
            {"policy": {"max_skipped": 0.1, "min_iou": None}},
            "none is set, so no score decides whether the run passes",
        ),
        (
            {"policy": {"min_hit_rate": 0.5, "max_on_healthy": 0}},
            "hit rate at least 50 %; false positives at most 0 %",
        ),
    ],
)
def test_a_run_says_which_limits_were_set(config, words):
    assert limits_stated({"config": config}) == words


def test_the_worst_limit_decides():
    rows = (LIMIT | {"outcome": "pass"}, LIMIT | {"outcome": "warn"}, LIMIT | {"outcome": "unknown"})
    assert worst(limits_of(run(policy=rows), "nodule")) == "warn"
    assert worst(limits_of(run(policy=(*rows, LIMIT)), "nodule")) == "fail"
    assert worst(()) == ""
