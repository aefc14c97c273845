"""Readouts: findings, attributes and a nonsense label, read from features that hold them or not."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.records import Features
from pipeline.statistics.linear_readout import linear_readout
from pipeline.statistics.probe_effects import Outputs
from pipeline.statistics.readouts import (
    NONSENSE,
    attribute_rows,
    by_median,
    finding_rows,
    is_odd,
)

IMAGES = 60
RANDOM = np.random.default_rng(11)
CASES = tuple(f"case-{number}" for number in range(IMAGES))
UNITS = {case_id: f"{number:09}" for number, case_id in enumerate(CASES)}
PRESENT = np.arange(IMAGES) % 2 == 0
NOISE = RANDOM.normal(size=(IMAGES, 100)).astype(np.float32)
TELLING = NOISE.copy()
TELLING[:, :10] += 3.0 * PRESENT[:, None]


def outputs(logits: np.ndarray, labels: np.ndarray | None = None) -> Outputs:
    found = Outputs(units=dict(UNITS))
    found.logits["mass"] = dict(zip(CASES, map(float, logits), strict=True))
    given = PRESENT if labels is None else labels
    found.labels["mass"] = {case_id: bool(one) for case_id, one in zip(CASES, given, strict=True)}
    return found


DEAF = outputs(RANDOM.normal(size=IMAGES))
"""An output that does not know the finding."""


def test_a_finding_that_the_features_tell_and_the_output_does_not() -> None:
    (row,) = finding_rows(Features(CASES, TELLING), DEAF, ["mass"], 0.95)
    assert (row.kind, row.name, row.n, row.patients, row.positives) == ("finding", "mass", 60, 60, 30)
    assert row.auroc is not None
    assert row.auroc > 0.95
    assert row.output == pytest.approx(0.5, abs=0.2)
    assert row.difference == row.auroc - (row.output or 0)
    assert row.corrected_p is not None
    assert row.corrected_p < 0.001


def test_an_output_that_tells_as_much_as_the_features_differs_from_neither() -> None:
    heard = outputs(TELLING[:, :10].mean(axis=1))
    (row,) = finding_rows(Features(CASES, TELLING), heard, ["mass"], 0.95)
    assert row.output is not None
    assert row.output > 0.95
    assert row.corrected_p is None or row.corrected_p > 0.05


def test_images_without_a_label_or_an_output_are_left_out() -> None:
    known = outputs(RANDOM.normal(size=IMAGES))
    known.labels["mass"][CASES[0]] = None
    del known.logits["mass"][CASES[1]]
    (row,) = finding_rows(Features(CASES, TELLING), known, ["mass"], 0.95)
    read = linear_readout(TELLING[2:], PRESENT[2:], [UNITS[case_id] for case_id in CASES[2:]])
    assert (row.n, row.auroc) == (58, read.interval(0.95).estimate)


def test_a_finding_of_too_few_patients_or_without_labels_says_why() -> None:
    few = outputs(RANDOM.normal(size=IMAGES), np.arange(IMAGES) < 4)
    row, unknown = finding_rows(Features(CASES, TELLING), few, ["mass", "nodule"], 0.95)
    assert (row.auroc, row.difference, row.because) == (None, None, "fewer than 5 patients with it")
    assert row.output is not None
    assert (unknown.n, unknown.auroc, unknown.because) == (0, None, "fewer than 5 patients with it")


def attribute(values: list[str], features: np.ndarray = TELLING) -> list[tuple[str, int, int, str]]:
    """(group, n, positives, because) of each row of the attribute."""
    rows = attribute_rows(
        Features(CASES, features), {"maker": dict(zip(CASES, values, strict=True))}, UNITS, 0.95
    )
    return [(row.group, row.n, row.positives, row.because) for row in rows if row.kind == "attribute"]


def test_of_two_groups_one_is_read_and_of_three_each() -> None:
    assert attribute(["A", "B"] * 30) == [("A", 60, 30, "")]
    assert attribute(["A", "B", "C"] * 20) == [("A", 60, 20, ""), ("B", 60, 20, ""), ("C", 60, 20, "")]


def test_small_groups_are_the_rest_of_others_and_unknown_values_are_left_out() -> None:
    assert attribute(["A"] * 50 + ["B"] * 4 + ["C"] * 4 + [""] * 2) == [("A", 58, 50, "")]
    why = "no group of 5 patients beside 5 others"
    assert attribute(["A"] * 56 + ["B"] * 4) == [("", 60, 0, why)]
    assert attribute([""] * IMAGES) == []


def test_an_attribute_is_read_from_features_that_hold_it_alone() -> None:
    values = {"view": {case_id: "PA" if of else "AP" for case_id, of in zip(CASES, PRESENT, strict=True)}}
    for features, is_read in ((TELLING, True), (NOISE, False)):
        row, *_ = attribute_rows(Features(CASES, features), values, UNITS, 0.95)
        assert (row.name, row.group, row.output) == ("view", "AP", None)
        assert row.low is not None
        assert row.high is not None
        assert row.low > 0.8 if is_read else row.low < 0.5 < row.high


def test_age_is_read_as_above_its_median() -> None:
    ages = {case_id: str(20 + number) for number, case_id in enumerate(CASES)} | {CASES[-1]: "90+"}
    halves = by_median(ages | {"unknown": ""})
    assert [halves[case_id] for case_id in (CASES[0], CASES[-1], "unknown")] == [
        "up to 49.5",
        "above 49.5",
        "",
    ]
    assert by_median({"a": ""}) == {"a": ""}
    row, nonsense = attribute_rows(Features(CASES, NOISE), {"age": halves}, UNITS, 0.95)
    assert (row.name, row.group, row.n, row.positives) == ("age", "above 49.5", 60, 30)
    assert (nonsense.kind, nonsense.name) == ("nonsense", NONSENSE)


def test_the_nonsense_label_is_one_per_patient_and_half_of_them() -> None:
    assert 450 < sum(is_odd(f"{number:09}") for number in range(1000)) < 550
    (row,) = attribute_rows(Features(CASES, NOISE), {}, dict.fromkeys(CASES, "a"), 0.95)
    assert row.because.startswith("fewer than 5 patients")
