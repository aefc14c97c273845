"""Tests of causal: which references a decision needs, and scores on these, worked out by hand."""

from __future__ import annotations

from math import log

import pandas as pd
import pytest

from pipeline.records import ProbedOutput, Score
from pipeline.records.probes import Answer
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.causal import Use, causal_rows, uses_of
from pipeline.statistics.effects import Row, StatisticsOptions
from pipeline.statistics.probe_answers import ProbeEffect
from pipeline.statistics.proportions import clopper_pearson
from pipeline.statistics.region_effects import judging_fill
from pipeline.statistics.summaries import columns_of, summarise
from tests.statistics.frames import scores_frame

RESAMPLING = Resampling(replicates=200)
OPTIONS = StatisticsOptions(("mass",), ("gradcam", "layercam"), ("center_prior",), RESAMPLING)
THRESHOLD = 0.2
TURNS = log(THRESHOLD / (1 - THRESHOLD))
"""The logit at the threshold, −1.386."""


def predicted(*logits: float, activation: str = "sigmoid") -> pd.DataFrame:
    """Predictions of cases 0, 1, … with a threshold of .2."""
    chances = logits if activation == "none" else [1 / (1 + 2.718281828459045 ** (-x)) for x in logits]
    return pd.DataFrame(
        {
            "case_id": [f"case-{number}" for number in range(len(logits))],
            "finding": "mass",
            "logit": list(logits),
            "probability": list(chances),
            "threshold": str(THRESHOLD),
        }
    )


def replaced(number: int, lesion: float, control: float, fill: str = "inpaint") -> list[ProbedOutput]:
    return [
        ProbedOutput(f"case-{number}", "lesion", f"{fill}/{part}", "mass", logit)
        for part, logit in (("lesion", lesion), ("control", control))
    ]


def effect(fill: str, *, control: float, answer: Answer) -> ProbeEffect:
    return ProbeEffect("mass", "lesion", fill, "log_odds", answer, 20, 20, after=control)


SOUND = effect("inpaint", control=0.1, answer="used")


@pytest.mark.parametrize(
    ("lesion", "control", "use"),
    [
        (TURNS - 0.01, TURNS + 0.01, "used"),  # just below the threshold without it, just above with
        (TURNS + 0.01, TURNS + 0.01, "not_used"),
        (TURNS - 0.01, TURNS - 0.01, "control_decides"),
        (TURNS + 0.01, TURNS - 0.01, "control_decides"),
    ],
)
def test_a_reference_is_used_if_the_decision_turns_without_it_alone(
    lesion: float, control: float, use: Use
) -> None:
    uses = uses_of(replaced(0, lesion, control), [SOUND], predicted(1.0))
    assert uses == {("mass", "case-0"): use}


def test_a_negative_decision_has_nothing_that_could_turn() -> None:
    """Image 0 is negative at −1.4; image 1 was not changed."""
    uses = uses_of(replaced(0, -5.0, 1.0), [SOUND], predicted(TURNS - 0.02, 1.0))
    assert uses == {("mass", "case-0"): "predicted_negative"}


def test_outputs_that_are_probabilities_are_compared_as_they_are() -> None:
    """With `activation: none`, .15 is negative; its sigmoid would be positive."""
    probed = [*replaced(0, 0.15, 0.9), *replaced(1, 0.25, 0.9)]
    uses = uses_of(probed, [SOUND], predicted(0.9, 0.8, activation="none"))
    assert list(uses.values()) == ["used", "not_used"]
    assert list(uses_of(probed, [SOUND], predicted(0.9, 0.8)).values()) == ["not_used", "not_used"]


def test_the_fill_that_judges_the_finding_judges_its_references() -> None:
    """The first moves the control by .6 SD; the second leaves it."""
    effects = [
        effect("inpaint", control=0.6, answer="cannot_tell"),
        effect("clone", control=-0.2, answer="cannot_tell"),
    ]
    probed = [*replaced(0, -9, 1.0), *replaced(0, 0.5, 1.0, "clone"), *replaced(1, -9, 1.0)]
    assert judging_fill(effects, "mass", "lesion") == "clone"
    uses = uses_of(probed, effects, predicted(1.0, 1.0))
    assert list(uses.values()) == ["not_used", "not_probed"]  # the second has no clone


def test_a_fill_that_raises_the_output_and_still_answers_judges() -> None:
    assert judging_fill([effect("inpaint", control=-0.6, answer="used")], "mass", "lesion") == "inpaint"
    assert judging_fill([SOUND], "nodule", "lesion") is None


def test_without_a_fill_that_leaves_the_control_nothing_is_judged() -> None:
    effects = [effect(fill, control=0.6, answer="cannot_tell") for fill in ("inpaint", "clone")]
    assert list(uses_of(replaced(0, -9, 1.0), effects, predicted(1.0)).values()) == ["fill_moves_output"]


def test_without_probes_there_is_no_row() -> None:
    uses = uses_of([], [], predicted(1.0, -9.0))
    assert uses == {}
    assert list(causal_rows(scored([1.0]), uses, OPTIONS)) == []


def scored(
    hits: list[float], *, metric: str = "hit", methods: tuple[str, ...] = ("gradcam",)
) -> pd.DataFrame:
    """Scores of cases 0, 1, …, each of a patient of its own."""
    return scores_frame(
        (Score(f"case-{number}", "mass", "anna", method, metric, hit, ""), f"{number:03}")
        for method in methods
        for number, hit in enumerate(hits)
    )


def uses(*of: Use) -> dict[tuple[str, str], Use]:
    return {("mass", f"case-{number}"): use for number, use in enumerate(of)}


def rows(scores: pd.DataFrame, of: dict[tuple[str, str], Use]) -> dict[str, Row]:
    return {row["references"]: row for row in causal_rows(scores, of, OPTIONS)}


def test_hits_on_used_and_unused_references_are_counted_by_hand() -> None:
    """5 of 6 used are hit, 1 of 5 unused, 0 of 3 others, of which one was not changed."""
    scores = scored([1, 1, 1, 1, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0])
    of = uses(*["used"] * 6, *["not_used"] * 5, "predicted_negative", "control_decides")
    found = rows(scores, of)
    assert {name: (row["n"], row["patients"], row["estimate"]) for name, row in found.items()} == {
        "all": (14, 14, 6 / 14), "used": (6, 6, 5 / 6), "not_used": (5, 5, 0.2), "not_judged": (3, 3, 0.0),
    }  # fmt: skip
    assert (found["used"]["low"], found["used"]["high"]) == clopper_pearson(5, 6, confidence=0.95)
    assert found["not_judged"]["reasons"] == "control_decides=1; not_probed=1; predicted_negative=1"
    assert {name: row["no_interval"] for name, row in found.items() if row["no_interval"]} == {
        "not_judged": "few_patients"
    }
    assert found["all"]["better"] == "higher"


def test_four_patients_have_no_interval_and_five_have_one() -> None:
    """However many images: the second four images are of the first four patients."""
    four = scored([1, 0, 1, 1, 0, 1, 1, 1]).assign(patient=[f"{number % 4}" for number in range(8)])
    few = rows(four, uses(*["used"] * 8))["used"]
    assert (few["n"], few["patients"], few["estimate"], few["low"], few["high"]) == (8, 4, 0.75, None, None)
    assert few["no_interval"] == "few_patients"
    five = rows(scored([1, 0, 1, 1, 0]), uses(*["used"] * 5))["used"]
    assert (five["no_interval"], five["low"] is None) == ("", False)
    none = rows(scored([1.0] * 5), uses(*["not_used"] * 5))["used"]
    assert (none["n"], none["estimate"], none["no_interval"]) == (0, None, "few_patients")


@pytest.mark.parametrize("metric", ["hit", "iou"])
def test_all_references_have_the_numbers_of_the_summary(metric: str) -> None:
    values = [1.0, 0.0, 1.0, 1.0, 0.0, 0.0] if metric == "hit" else [0.3, 0.1, 0.8, 0.4, 0.0, 0.2]
    scores = scored(values, metric=metric)
    (summary,) = summarise(columns_of(scores), findings=["mass"], resampling=RESAMPLING)
    row = rows(scores, uses("used"))["all"]
    assert (row["n"], row["patients"]) == (summary.n, summary.patients)
    assert (row["estimate"], row["low"], row["high"]) == pytest.approx(
        (summary.estimate, summary.low, summary.high)
    )


def test_equal_overlaps_have_no_interval_and_say_so() -> None:
    row = rows(scored([0.25] * 6, metric="iou"), uses(*["used"] * 6))["used"]
    assert (row["estimate"], row["low"], row["no_interval"]) == (0.25, None, "all_equal")


def test_all_methods_of_the_network_have_rows_and_no_baseline() -> None:
    scores = scored([1.0] * 6, methods=("gradcam", "layercam", "center_prior"))
    found = list(causal_rows(scores, uses("used"), OPTIONS))
    assert [row["method"] for row in found] == ["gradcam"] * 4 + ["layercam"] * 4
