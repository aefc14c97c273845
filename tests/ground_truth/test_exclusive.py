"""Tests of labels that contradict a softmax."""

from __future__ import annotations

from pipeline.ground_truth.exclusive import exclusive_notices

FINDINGS = ("mass", "nodule")
BOTH, ONE, NONE, UNKNOWN = ({"mass": 1, "nodule": 1}, {"mass": 1, "nodule": 0}, {"mass": 0, "nodule": 0}, {})


def kinds(*labels: dict[str, int], activation: str = "softmax") -> list[str]:
    return [one.kind for one in exclusive_notices(labels, FINDINGS, activation=activation)]


def test_several_findings_in_a_tenth_of_the_labelled_images_contradict_a_softmax() -> None:
    assert kinds(BOTH, *[ONE] * 9, *[UNKNOWN] * 50) == ["error"]


def test_a_single_image_with_several_findings_may_be_a_mistake_of_its_label() -> None:
    assert kinds(BOTH, *[ONE] * 10) == ["warning"]


def test_one_finding_per_image_or_none_agrees_with_a_softmax() -> None:
    assert kinds(*[ONE] * 10, NONE, UNKNOWN) == []


def test_sigmoids_allow_several_findings() -> None:
    assert kinds(*[BOTH] * 10, activation="sigmoid") == []


def test_the_sentence_counts_labelled_images() -> None:
    (notice,) = exclusive_notices([BOTH, ONE, UNKNOWN], FINDINGS, activation="softmax")
    assert "1 of 2 labelled images have several" in notice.text()
