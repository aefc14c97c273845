import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import bootstrap as scipy_bootstrap
from scipy.stats import rankdata
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from pipeline.metrics.ranking import auroc_of_counts, average_precision_of_counts, counted
from pipeline.records import Summary
from pipeline.statistics import bootstrap
from pipeline.statistics.bootstrap import Resampling, bootstrap_weights
from pipeline.statistics.classification import (
    MEASURES,
    auprc,
    auroc,
    classification_summaries,
    replicated_areas,
    replicated_auprc,
)
from pipeline.statistics.intervals import Interval
from pipeline.statistics.policy import apply_policy
from pipeline.statistics.predicted import Predicted
from pipeline.statistics.proportions import clopper_pearson
from tests.statistics.areas import interval_of_auroc

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
    by_finding: dict[str, list[Predicted]] = {}
    for one in rows:
        by_finding.setdefault(one[0], []).append(Predicted(*one))
    found = classification_summaries(
        by_finding.items(), findings=("effusion", "nodule", "mass"), resampling=Resampling(replicates=200)
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
    resampling = Resampling(replicates=60, confidence=0.9, seed=7, interval="percentile")
    found = interval_of_auroc(probability, label, patients, resampling)
    assert found.estimate == pytest.approx(roc_auc_score(label, probability))
    assert found[1:] == pytest.approx(tuple(np.quantile(replicates, [0.05, 0.95])))


@pytest.mark.parametrize("block", [1, 100, 280])
def test_blocks_of_any_size_give_the_same_interval(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    generator = np.random.default_rng(0)
    label, probability = generator.random(40) < 0.5, generator.random(40)
    patients = [f"{number % 12:02d}" for number in range(40)]

    def found() -> Interval:
        return interval_of_auroc(probability, label, patients, Resampling(replicates=60, seed=7))

    whole = found()
    monkeypatch.setattr(bootstrap, "BLOCK", block)
    assert found() == whole


def test_the_memory_of_an_interval_is_bounded() -> None:
    generator = np.random.default_rng(0)
    label, probability = generator.random(5000) < 0.5, generator.random(5000)
    patients = [f"{number % 50:02d}" for number in range(5000)]
    tracemalloc.start()
    interval_of_auroc(probability, label, patients, Resampling(replicates=400))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * 2**20  # in one piece: 400 × 5000 × 8 bytes × 6 arrays, 92 MiB


def test_replicates_of_one_class_are_left_out() -> None:
    found = interval_of_auroc([0.9, 0.2, 0.6], [1, 0, 0], ["a", "b", "c"], Resampling(replicates=50))
    assert found == (1.0, None, None)  # in every draw of both classes the positive goes first


def test_with_one_image_a_patient_its_bca_interval_agrees_with_scipy() -> None:
    generator = np.random.default_rng(0)
    label = generator.random(60) < 0.4
    probability = label + generator.normal(size=60)
    theirs = scipy_bootstrap(
        (probability, label),
        auroc_of_draws,
        paired=True,
        n_resamples=4000,
        method="BCa",
        rng=np.random.default_rng(1),
    ).confidence_interval
    patients = [f"{number:02d}" for number in range(60)]
    found = interval_of_auroc(probability, label, patients, Resampling(replicates=4000, interval="bca"))
    assert found[1:] == pytest.approx((theirs.low, theirs.high), abs=0.008)


def auroc_of_draws(probability: np.ndarray, label: np.ndarray, axis: int = -1) -> np.ndarray:
    """By the ranks of the positives, as Mann and Whitney count."""
    positives, images = label.sum(axis), label.shape[axis]
    ranks = np.where(label, rankdata(probability, axis=axis), 0).sum(axis)
    return (ranks - positives * (positives + 1) / 2) / (positives * (images - positives))


def test_precision_is_1_at_half_the_recall_and_two_thirds_at_all() -> None:
    # Sorted: present 0.9, absent 0.6, present 0.4, absent, absent.
    assert auprc([0.9, 0.4, 0.6, 0.3, 0.2], [1, 1, 0, 0, 0]) == pytest.approx((1 + 2 / 3) / 2)


@pytest.mark.parametrize("seed", range(3))
def test_auprc_and_its_draws_equal_scikit_learn(seed: int) -> None:
    generator = np.random.default_rng(seed)
    label = generator.random(40) < 0.4
    probability = np.round(0.3 * label + generator.random(40), 1)
    weights = generator.integers(0, 4, size=40)
    assert auprc(probability, label) == pytest.approx(average_precision_score(label, probability))
    assert auprc(probability, label, weights) == pytest.approx(
        average_precision_score(label, probability, sample_weight=weights)
    )
    patients = [f"{number:02d}" for number in range(40)]
    found = replicated_auprc(probability, label, patients, Resampling(replicates=20))
    drawn = np.random.default_rng(0).integers(40, size=(20, 40))
    expected = [average_precision_score(label[rows], probability[rows]) for rows in drawn]
    assert found.drawn[:, 0] == pytest.approx(np.array(expected))


def test_every_measure_by_hand() -> None:
    # Of 0.9 and 0.6, called positive, one is there; of 0.4, 0.3 and 0.2, called negative, one is.
    found = summaries(ROWS)
    values = {measure: found["nodule", measure] for measure in MEASURES}
    expected = {
        "auroc": 5 / 6,
        "auprc": 5 / 6,
        "sensitivity": 1 / 2,
        "specificity": 2 / 3,
        "ppv": 1 / 2,
        "npv": 2 / 3,
        "brier": (0.1**2 + 0.6**2 + 0.6**2 + 0.3**2 + 0.2**2) / 5,
    }
    assert {name: row.estimate for name, row in values.items()} == pytest.approx(expected)
    assert expected["brier"] == pytest.approx(brier_score_loss([1, 1, 0, 0, 0], [0.9, 0.4, 0.6, 0.3, 0.2]))
    assert {name: (row.n, row.patients) for name, row in values.items()} == {
        "auroc": (5, 5),
        "auprc": (5, 5),
        "sensitivity": (2, 2),
        "specificity": (3, 3),
        "ppv": (2, 2),
        "npv": (3, 3),
        "brier": (5, 5),
    }
    assert {name: row.undefined for name, row in values.items()} == {
        "auroc": {"not_labelled": 1},
        "auprc": {"not_labelled": 1},
        "sensitivity": {"not_labelled": 1, "healthy": 3},
        "specificity": {"not_labelled": 1, "finding_present": 2},
        "ppv": {"not_labelled": 1, "predicted_negative": 3},
        "npv": {"not_labelled": 1, "predicted_positive": 2},
        "brier": {"not_labelled": 1},
    }
    assert {(row.reader, row.method) for row in values.values()} == {("labels", "classifier")}


def test_with_one_image_a_patient_shares_have_exact_intervals() -> None:
    found = summaries(ROWS)
    for measure, counts in {
        "sensitivity": (1, 2),
        "specificity": (2, 3),
        "ppv": (1, 2),
        "npv": (2, 3),
    }.items():
        row = found["nodule", measure]
        assert (row.low, row.high) == clopper_pearson(*counts, confidence=0.95)


def test_a_perfect_network_has_bounds_that_grow_with_its_patients() -> None:
    found = {}
    for count in (8, 40):
        rows = [("nodule", f"{n:02}", float(n < count), n < count, n < count) for n in range(2 * count)]
        found[count] = summaries(rows)
        row = found[count]["nodule", "auroc"]
        assert (row.estimate, row.low, row.high) == (1, pytest.approx(0.025 ** (1 / count)), 1)
        brier = found[count]["nodule", "brier"]
        assert (brier.estimate, brier.low, brier.high) == (0, 0, pytest.approx(1 - 0.025 ** (1 / count / 2)))
    outcomes = {
        count: [
            row["outcome"]
            for row in apply_policy(
                {"min_auroc": 0.8}, findings=["nodule"], method="", summaries=rows.values(), skills=()
            )
        ]
        for count, rows in found.items()
    }
    assert outcomes == {8: ["warn"], 40: ["pass"]}


def test_a_network_that_is_always_wrong_has_an_upper_bound() -> None:
    rows = [("nodule", f"{n:02}", float(n >= 20), n >= 20, n < 20) for n in range(40)]
    row = summaries(rows)["nodule", "auroc"]
    assert (row.estimate, row.low, row.high) == (0, 0, pytest.approx(1 - 0.025**0.05))


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


def test_areas_of_distinct_scores_are_those_from_counts_to_the_last_bit() -> None:
    random = np.random.default_rng(0)
    patients = [f"{number % 50:02}" for number in range(80)]
    score, label = random.random(80), random.random(80) < 0.3
    found = replicated_areas(score, label, patients, Resampling(replicates=50))
    draws = next(bootstrap_weights(50, replicates=50, seed=0))[:, [int(patient) for patient in patients]]
    counts = counted(score, label, draws)
    expected = np.stack([auroc_of_counts(*counts), average_precision_of_counts(*counts)], axis=1)
    np.testing.assert_array_equal(found.drawn, expected)
