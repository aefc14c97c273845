import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from pipeline.metrics.ranking import auroc_of_counts, average_precision_of_counts, counted


def test_counts_are_of_each_distinct_score_the_lowest_first() -> None:
    score, label = np.array([0.5, 0.1, 0.5, 0.9]), np.array([True, False, False, True])
    positive, negative = counted(score, label, np.array([[1.0, 1, 1, 1], [2, 0, 3, 1]]))
    assert positive.tolist() == [[0, 1, 1], [0, 2, 1]]
    assert negative.tolist() == [[1, 1, 0], [0, 3, 0]]


def test_a_row_of_one_class_is_undefined() -> None:
    nothing, some = np.zeros((1, 2)), np.ones((1, 2))
    assert np.isnan(auroc_of_counts(nothing, some))
    assert np.isnan(auroc_of_counts(some, nothing))
    assert np.isnan(average_precision_of_counts(nothing, some))
    assert average_precision_of_counts(some, nothing) == 1


@pytest.mark.parametrize("seed", range(5))
def test_weighted_and_with_ties_they_equal_scikit_learn(seed: int) -> None:
    generator = np.random.default_rng(seed)
    score = generator.integers(0, 12, size=90) / 12
    label = generator.random(90) < score
    weights = generator.integers(0, 4, size=(3, 90)).astype(float)
    counts = counted(score, label, weights)
    for row, auroc, precision in zip(
        weights, auroc_of_counts(*counts), average_precision_of_counts(*counts), strict=True
    ):
        assert auroc == pytest.approx(roc_auc_score(label, score, sample_weight=row))
        assert precision == pytest.approx(average_precision_score(label, score, sample_weight=row))
