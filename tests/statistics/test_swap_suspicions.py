"""Tests of swap suspicions: each has effects that turn it, and a twin that does not."""

from __future__ import annotations

import pytest

from pipeline.records.probes import Answer, Measure
from pipeline.statistics.learnt import Learnt
from pipeline.statistics.probe_answers import ProbeEffect
from pipeline.statistics.probe_suspicions import probe_suspicions


def swap(variant: str, answer: Answer, measure: Measure = "rise") -> ProbeEffect:
    return ProbeEffect("mass", "swap", variant, measure, answer, 20, 20, 1.5, 0.1, 1.4, 1.0, 1.8)


def lesion(finding: str, answer: Answer) -> ProbeEffect:
    return ProbeEffect(finding, "lesion", "inpaint", "log_odds", answer, 20, 20, 0.1, 0.0, 0.1, -0.1, 0.3)


ACCUSING = [
    (swap("both_places", "does_not_follow"), "lesion_not_followed"),
    (swap("both_places", "only_at_its_place"), "only_at_its_place"),
]


def found(*effects: ProbeEffect) -> dict[str, str]:
    """Rule → strength of what a swap accuses of."""
    rules = {rule for _, rule in ACCUSING}
    return {one.rule: one.strength for one in probe_suspicions(Learnt(effects)) if one.rule in rules}


@pytest.mark.parametrize(("effect", "rule"), ACCUSING)
def test_alone_they_are_weak_and_of_the_network(effect: ProbeEffect, rule: str) -> None:
    (one,) = probe_suspicions(Learnt([effect]))
    assert (one.finding, one.rule, one.suspect, one.strength) == ("mass", rule, "network", "weak")
    assert (one.estimate, one.low, one.high, one.n) == (1.4, 1.0, 1.8, 20)
    assert "SD" in one.sentence


@pytest.mark.parametrize(("effect", "rule"), ACCUSING)
def test_they_are_strong_where_the_lesion_is_not_needed_and_annotations_are_right(
    effect: ProbeEffect, rule: str
) -> None:
    unused, other = lesion("mass", "not_used"), lesion("effusion", "used")
    assert found(effect, unused, other) == {rule: "strong"}
    assert found(effect, unused) == {rule: "weak"}  # the annotations may be of other images


@pytest.mark.parametrize(("effect", "_rule"), ACCUSING)
def test_a_network_that_needs_its_own_lesions_is_not_accused(effect: ProbeEffect, _rule: str) -> None:
    assert found(effect, lesion("mass", "used"), lesion("effusion", "used")) == {}


@pytest.mark.parametrize(
    "twin",
    [
        swap("both_places", "follows"),
        swap("both_places", "cannot_tell"),
        swap("elsewhere", "does_not_follow"),
        swap("surroundings", "drops", "surroundings"),
        swap("surroundings", "holds", "surroundings"),
        swap("surroundings", "cannot_tell", "surroundings"),
    ],
)
def test_twins_accuse_nobody(twin: ProbeEffect) -> None:
    assert list(probe_suspicions(Learnt([twin]))) == []
    sure = [lesion("mass", "not_used"), lesion("effusion", "used")]
    assert [one.rule for one in probe_suspicions(Learnt([twin, *sure]))] == ["lesion_not_used"]


def test_surroundings_are_no_shortcut_that_clears_foreign_annotations() -> None:
    """Foreign annotations leave the lesions where they are, so that the surroundings seem to matter."""
    rows = [
        ProbeEffect(name, "frame", "other", "auroc", "holds", 64, 60, 0.9, 0.9) for name in ("mass", "edema")
    ]
    rows += [lesion(name, "not_used") for name in ("mass", "edema")]
    rules = {
        (one.rule, one.strength)
        for one in probe_suspicions(Learnt([*rows, swap("surroundings", "drops", "surroundings")]))
    }
    assert ("nothing_needed", "strong") in rules
