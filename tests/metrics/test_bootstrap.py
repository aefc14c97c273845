import numpy as np
import pytest
from scipy.stats import bootstrap

from pipeline.metrics.bootstrap import Interval, interval_of_mean, intervals_of_means, resamples

OPTIONS = {"replicates": 2000, "confidence": 0.95, "seed": 0}


def interval(values: list[float], patients: list[str], *, seed: int = 0, replicates: int = 2000) -> Interval:
    return interval_of_mean(values, patients, replicates=replicates, confidence=0.95, seed=seed)


def test_the_interval_equals_an_explicit_loop_over_drawn_patients() -> None:
    values, patients = [0.1, 0.4, 0.9, 0.3, 0.7, 1.0], ["b", "a", "b", "c", "c", "c"]
    rows_of = {"a": [0.4], "b": [0.1, 0.9], "c": [0.3, 0.7, 1.0]}
    drawn = np.random.default_rng(5).integers(3, size=(50, 3))
    means = [np.mean([v for unit in draw for v in rows_of["abc"[unit]]]) for draw in drawn]
    estimate, low, high = interval(values, patients, seed=5, replicates=50)
    assert estimate == pytest.approx(np.mean(values))
    assert (low, high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])))


def test_with_one_image_a_patient_it_agrees_with_scipy() -> None:
    values = np.random.default_rng(0).beta(2, 5, 80)
    theirs = bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    ours = interval(values.tolist(), [str(i) for i in range(80)], replicates=20_000)
    assert ours[1:] == pytest.approx((theirs.low, theirs.high), abs=0.002)


def test_the_mean_weighs_images_alike_however_many_a_patient_has() -> None:
    assert interval([1, 1, 1, 0], ["a", "a", "a", "b"]).estimate == 0.75


def test_resamples_hold_as_many_patients_as_there_are() -> None:
    (weights,) = resamples(7, replicates=30, seed=0)
    assert weights.shape == (30, 7)
    assert (weights.sum(axis=1) == 7).all()


def test_many_patients_are_resampled_in_several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.metrics.bootstrap.BLOCK", 20)
    assert [len(block) for block in resamples(7, replicates=5, seed=0)] == [2, 2, 1]


def test_the_order_of_rows_does_not_matter_to_the_last_bit() -> None:
    generator = np.random.default_rng(0)
    values, patients = generator.random(200), generator.integers(40, size=200).astype(str)
    order = generator.permutation(200)
    one = interval_of_mean(values, patients.tolist(), **OPTIONS)  # type: ignore[arg-type]
    other = interval_of_mean(values[order], patients[order].tolist(), **OPTIONS)  # type: ignore[arg-type]
    assert one == other


def test_the_seed_decides() -> None:
    values, patients = np.random.default_rng(0).random(50).tolist(), [str(i) for i in range(50)]
    assert interval(values, patients, seed=1) == interval(values, patients, seed=1)
    assert interval(values, patients, seed=1) != interval(values, patients, seed=2)


def test_one_patient_has_an_estimate_but_no_interval() -> None:
    assert interval([0.2, 0.4], ["a", "a"]) == (pytest.approx(0.3), None, None)


def test_without_values_nothing_is_defined() -> None:
    assert interval([], []) == (None, None, None)


def test_columns_over_the_same_patients_meet_the_same_resamples() -> None:
    # The second column is the first plus a constant, so its interval is moved by that constant.
    values, patients = np.random.default_rng(0).random(30), [str(i) for i in range(30)]
    short = (values[:9], patients[:9])
    one, other, alone = intervals_of_means([(values, patients), (values + 0.25, patients), short], **OPTIONS)  # type: ignore[arg-type]
    assert np.subtract(other, one) == pytest.approx([0.25, 0.25, 0.25])
    assert alone == pytest.approx(interval(values[:9].tolist(), patients[:9]))


def covered(*, clustered: bool) -> float:
    """In how many of 300 simulated study sets the interval holds the true mean of 0.

    40 patients of 6 images each, whose scores have twice the spread between patients that they have within.
    """
    generator = np.random.default_rng(3)
    of_image = np.repeat(np.arange(40), 6)
    patients = (of_image if clustered else np.arange(240)).astype(str).tolist()
    inside = 0
    for seed in range(300):
        scores = 2 * generator.normal(size=40)[of_image] + generator.normal(size=240)
        _, low, high = interval_of_mean(scores, patients, replicates=400, confidence=0.95, seed=seed)
        assert low is not None
        assert high is not None
        inside += low <= 0 <= high
    return inside / 300


def test_the_interval_over_patients_covers_the_truth() -> None:
    assert 0.91 <= covered(clustered=True) <= 0.98


def test_the_same_images_resampled_one_by_one_would_not_cover_it() -> None:
    assert covered(clustered=False) < 0.75
