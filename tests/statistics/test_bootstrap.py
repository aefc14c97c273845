import time

import numpy as np
import pytest

from pipeline.statistics.bootstrap import (
    Replicated,
    Resampling,
    bootstrap_weights,
    jackknife_weights,
    per_patient,
    replicated,
    replicated_means,
    replicated_together,
    row_weights,
)
from pipeline.statistics.intervals import intervals_of_means


def test_resamples_hold_as_many_patients_as_there_are() -> None:
    (weights,) = bootstrap_weights(7, replicates=30, seed=0)
    assert weights.shape == (30, 7)
    assert (weights.sum(axis=1) == 7).all()


def test_many_patients_are_resampled_in_several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.concatenate(list(bootstrap_weights(7, replicates=5, seed=0)))
    monkeypatch.setattr("pipeline.statistics.bootstrap.BLOCK", 20)
    blocks = list(bootstrap_weights(7, replicates=5, seed=0))
    assert [len(block) for block in blocks] == [2, 2, 1]
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


def test_each_patient_is_left_out_once() -> None:
    (weights,) = jackknife_weights(3)
    assert weights.tolist() == [[0, 1, 1], [1, 0, 1], [1, 1, 0]]


def test_many_patients_are_left_out_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.statistics.bootstrap.JACKKNIFE_GROUPS", 2)
    monkeypatch.setattr("pipeline.statistics.bootstrap.BLOCK", 5)
    blocks = list(jackknife_weights(5))
    assert [block.tolist() for block in blocks] == [[[0, 1, 0, 1, 0]], [[1, 0, 1, 0, 1]]]


def test_sums_and_counts_are_of_each_patient_sorted() -> None:
    sums, counts = per_patient([1, 2, 4], ["b", "a", "b"])
    assert (sums.tolist(), counts.tolist()) == ([2, 5], [1, 2])
    sums, counts = per_patient([1, 2, 4], ["b", "a", "b"], np.array(["a", "aa", "b"]))
    assert (sums.tolist(), counts.tolist()) == ([2, 0, 5], [1, 0, 2])


def test_rows_have_the_weight_of_their_patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.statistics.bootstrap.BLOCK", 3)
    blocks = list(row_weights([np.array([[5.0, 7.0], [2.0, 0.0]])], np.array([1, 0, 1])))
    assert [block.tolist() for block in blocks] == [[[7, 5, 7]], [[0, 2, 0]]]


def test_a_statistic_is_taken_of_all_of_draws_and_of_all_but_one() -> None:
    values = np.array([1.0, 2.0, 6.0])
    found = replicated(
        lambda weights: (weights @ values)[:, None] / weights.sum(axis=1, keepdims=True),
        3,
        Resampling(replicates=4, seed=5),
    )
    drawn = np.random.default_rng(5).integers(3, size=(4, 3))
    assert found.estimate.tolist() == [3]
    assert found.drawn[:, 0] == pytest.approx(values[drawn].mean(axis=1))
    assert found.left_out[:, 0].tolist() == [4, 3.5, 1.5]
    assert found.units == 3


def test_statistics_together_are_each_as_alone() -> None:
    values = np.random.default_rng(1).random((2, 7))
    statistics = [lambda weights, row=row: (weights @ row)[:, None] for row in values]
    resampling = Resampling(replicates=20)
    together = replicated_together(statistics, 7, resampling)
    for found, statistic in zip(together, statistics, strict=True):
        alone = replicated(statistic, 7, resampling)
        for one, other in zip(found, alone, strict=True):
            np.testing.assert_array_equal(one, other)


def test_means_of_columns_meet_the_same_draws_of_all_patients() -> None:
    columns = [([1, 2, 3], ["a", "b", "c"]), ([5, 9], ["b", "b"])]
    found = replicated_means(columns, Resampling(replicates=50))
    drawn = np.random.default_rng(0).integers(3, size=(50, 3))
    assert found.estimate.tolist() == [2, 7]
    assert found.drawn[:, 0] == pytest.approx((1 + drawn).mean(axis=1))
    has_b = (drawn == 1).any(axis=1)
    assert set(found.drawn[has_b, 1]) == {7.0}
    assert np.isnan(found.drawn[~has_b, 1]).all()


def test_what_follows_from_a_statistic_follows_from_each_draw() -> None:
    start = Replicated(np.array([2.0, 4.0]), np.array([[1.0, 3.0]]), np.array([[5.0, 5.0]]), 7)
    found = start.transformed(lambda means: means[:, 1:] - means[:, :1])
    assert (found.estimate.tolist(), found.drawn.tolist(), found.left_out.tolist()) == ([2], [[2]], [[0]])
    assert found.units == 7


def test_twenty_summaries_of_10_000_cases_take_seconds() -> None:
    generator = np.random.default_rng(0)
    patients = [f"{number:09}" for number in range(10_000)]
    columns = [(generator.random(10_000), patients) for _ in range(20)]
    start = time.process_time()
    intervals_of_means(columns, Resampling())
    assert time.process_time() - start < 20  # measured: 1.7 s; a loop over draws takes minutes


def test_of_very_many_patients_one_draw_is_made_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.statistics.bootstrap.BLOCK", 3)
    assert [len(block) for block in bootstrap_weights(7, replicates=5, seed=0)] == [1] * 5
    assert [len(block) for block in jackknife_weights(7)] == [1] * 7
    assert [len(block) for block in row_weights([np.ones((3, 2))], np.array([0, 1, 1, 0]))] == [1] * 3


def test_no_more_than_a_thousand_groups_are_left_out_each_patient_once() -> None:
    left_out = np.concatenate(list(jackknife_weights(1500)))
    assert left_out.shape == (1000, 1500)
    assert ((1 - left_out).sum(axis=0) == 1).all()


def test_rows_without_a_unit_have_no_weights() -> None:
    (block,) = row_weights([np.ones((2, 3))], np.empty(0, np.intp))
    assert block.shape == (2, 0)


def test_percentiles_need_nobody_left_out() -> None:
    found = replicated_means([([1, 2], ["a", "b"])], Resampling(replicates=3, interval="percentile"))
    assert (found.drawn.shape, found.left_out.shape) == ((3, 1), (0, 1))
    found = replicated_means([([1, 2], ["a", "b"])], Resampling(replicates=3, interval="bca"))
    assert found.left_out.tolist() == [[2], [1]]


def test_a_resampling_is_2000_draws_at_95_percent_by_default() -> None:
    assert Resampling() == Resampling(2000, 0.95, 0, "expanded")
