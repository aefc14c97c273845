import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pipeline.metrics import bootstrap, classification
from pipeline.metrics.bootstrap import Interval
from pipeline.metrics.classification import (
    MEASURES,
    auroc,
    classification_summaries,
    interval_of_auroc,
)
from pipeline.records import Summary

Row = tuple[str, str, float, bool, bool | None]

ROWS: list[Row] = [
    ("nodule", "a", 0.9, True, True),
    ("nodule", "b", 0.4, False, True),
    ("nodule", "c", 0.6, True, False),
    ("nodule", "d", 0.3, False, False),
    ("nodule", "e", 0.2, False, False),
    ("nodule", "f", 0.8, True, None),
    ("effusion", "a", 0.1, False, False),
    ("effusion", "b", 0.7, True, False),
]


def summaries(rows: list[Row]) -> dict[tuple[str, str], Summary]:
    found = classification_summaries(
        rows, findings=("effusion", "nodule", "mass"), replicates=200, confidence=0.95, seed=0
    )
    return {(row.finding, row.metric): row for row in found}


def test_a_positive_above_two_of_three_negatives_and_one_above_all_is_five_sixths() -> None:
    assert auroc([0.9, 0.4, 0.6, 0.3, 0.2], [1, 1, 0, 0, 0]) == pytest.approx(5 / 6)


def test_a_tie_counts_half() -> None:
    assert auroc([0.5, 0.5], [1, 0]) == 0.5
    assert auroc([0.5, 0.5, 0.1], [1, 0, 0]) == 0.75


def test_of_one_class_it_is_undefined() -> None:
    assert np.isnan(auroc([0.5, 0.6], [1, 1]))
    assert np.isnan(auroc([0.5, 0.6], [1, 0], [1, 0]))


@pytest.mark.parametrize("seed", range(5))
def test_it_equals_scikit_learn_with_ties_and_weights(seed: int) -> None:
    generator = np.random.default_rng(seed)
    probability = generator.integers(0, 12, size=90) / 12
    label = generator.random(90) < probability
    weights = generator.integers(0, 4, size=90)
    assert auroc(probability, label) == pytest.approx(roc_auc_score(label, probability))
    assert auroc(probability, label, weights) == pytest.approx(
        roc_auc_score(label, probability, sample_weight=weights)
    )


def test_its_interval_equals_an_explicit_loop_over_drawn_patients() -> None:
    generator = np.random.default_rng(0)
    unit = np.sort(np.append(np.arange(12), generator.integers(12, size=28)))
    label = generator.random(40) < 0.5
    probability = np.round(0.3 * label + generator.random(40), 1)
    replicates = [
        roc_auc_score(label[rows], probability[rows])
        for draw in np.random.default_rng(7).integers(12, size=(60, 12))
        for rows in [np.concatenate([np.flatnonzero(unit == drawn) for drawn in draw])]
    ]
    patients = [f"{number:02d}" for number in unit]
    found = interval_of_auroc(probability, label, patients, replicates=60, confidence=0.9, seed=7)
    assert found.estimate == pytest.approx(roc_auc_score(label, probability))
    assert found[1:] == pytest.approx(tuple(np.quantile(replicates, [0.05, 0.95])))


@pytest.mark.parametrize("block", [1, 100, 280])
def test_blocks_of_any_size_give_the_same_interval(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    generator = np.random.default_rng(0)
    label, probability = generator.random(40) < 0.5, generator.random(40)
    patients = [f"{number % 12:02d}" for number in range(40)]

    def found() -> Interval:
        return interval_of_auroc(probability, label, patients, replicates=60, confidence=0.9, seed=7)

    whole = found()
    monkeypatch.setattr(classification, "BLOCK", block)
    monkeypatch.setattr(bootstrap, "BLOCK", block)
    assert found() == whole


def test_the_memory_of_an_interval_is_bounded() -> None:
    generator = np.random.default_rng(0)
    label, probability = generator.random(5000) < 0.5, generator.random(5000)
    patients = [f"{number % 50:02d}" for number in range(5000)]
    tracemalloc.start()
    interval_of_auroc(probability, label, patients, replicates=400, confidence=0.9, seed=7)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * 2**20  # in one piece: 400 × 5000 × 8 bytes × 6 arrays, 92 MiB


def test_replicates_of_one_class_are_left_out() -> None:
    found = interval_of_auroc(
        [0.9, 0.2, 0.6], [1, 0, 0], ["a", "b", "c"], replicates=50, confidence=0.95, seed=0
    )
    assert found == (1.0, 1.0, 1.0)


def test_auroc_sensitivity_and_specificity_by_hand() -> None:
    found = summaries(ROWS)
    values = [found["nodule", measure] for measure in ("auroc", "sensitivity", "specificity")]
    assert [row.estimate for row in values] == pytest.approx([5 / 6, 1 / 2, 2 / 3])
    assert [(row.n, row.patients) for row in values] == [(5, 5), (2, 2), (3, 3)]
    assert [row.undefined for row in values] == [
        {"not_labelled": 1},
        {"not_labelled": 1, "healthy": 3},
        {"not_labelled": 1, "finding_present": 2},
    ]
    assert {(row.reader, row.method) for row in values} == {("labels", "classifier")}


def test_a_finding_of_one_class_has_no_auroc_and_says_why() -> None:
    found = summaries(ROWS)
    assert found["effusion", "auroc"].undefined == {"single_class": 2}
    assert found["effusion", "auroc"].estimate is None
    assert found["effusion", "sensitivity"].estimate is None
    assert found["effusion", "specificity"].estimate == 0.5


def test_a_finding_without_predictions_has_empty_rows() -> None:
    row = summaries(ROWS)["mass", "auroc"]
    assert (row.n, row.patients, row.undefined, row.estimate, row.low) == (0, 0, {}, None, None)


def test_findings_come_in_the_order_given_and_rows_in_any() -> None:
    found = summaries(ROWS)
    assert list(dict.fromkeys(finding for finding, _ in found)) == ["effusion", "nodule", "mass"]
    assert found == summaries(ROWS[::-1])


def test_intervals_hold_their_estimate() -> None:
    row = summaries(ROWS)["nodule", "specificity"]
    assert row.low is not None
    assert row.high is not None
    assert all(lower <= upper for lower, upper in pairwise([0, row.low, 2 / 3, row.high, 1]))


def test_every_measure_is_described() -> None:
    assert {metric for _, metric in summaries(ROWS)} == set(MEASURES)
