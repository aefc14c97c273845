from itertools import pairwise
from typing import Literal

import numpy as np
import pytest
from scipy.stats import bootstrap, norm
from scipy.stats import t as student

from pipeline.records import Values
from pipeline.statistics.bootstrap import Replicated, Resampling, bootstrap_weights
from pipeline.statistics.intervals import (
    Interval,
    bca_correction,
    critical_value,
    interval_of_mean,
    intervals,
    intervals_of_means,
    share_below,
)

Kind = Literal["expanded", "bca", "percentile"]
KINDS: tuple[Kind, ...] = ("percentile", "bca", "expanded")


def interval(
    values: object,
    patients: list[str],
    *,
    seed: int = 0,
    replicates: int = 2000,
    kind: Kind = "percentile",
) -> Interval:
    resampling = Resampling(replicates=replicates, seed=seed, interval=kind)
    return interval_of_mean(values, patients, resampling)  # type: ignore[arg-type]


def names(count: int) -> list[str]:
    return [f"{number:04}" for number in range(count)]


def test_the_interval_equals_an_explicit_loop_over_drawn_patients() -> None:
    values, patients = [0.1, 0.4, 0.9, 0.3, 0.7, 1.0], ["b", "a", "b", "c", "c", "c"]
    rows_of = {"a": [0.4], "b": [0.1, 0.9], "c": [0.3, 0.7, 1.0]}
    drawn = np.random.default_rng(5).integers(3, size=(50, 3))
    means = [np.mean([v for unit in draw for v in rows_of["abc"[unit]]]) for draw in drawn]
    estimate, low, high = interval(values, patients, seed=5, replicates=50)
    assert estimate == pytest.approx(np.mean(values))
    assert (low, high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])))


SKEWED = np.random.default_rng(0).beta(0.5, 3, 60)


@pytest.mark.parametrize(("kind", "theirs"), [("percentile", "percentile"), ("bca", "BCa")])
def test_with_one_image_a_patient_it_agrees_with_scipy(kind: Kind, theirs: str) -> None:
    generator = np.random.default_rng(1)
    expected = bootstrap(
        (SKEWED,), np.mean, n_resamples=20_000, method=theirs, rng=generator
    ).confidence_interval
    found = interval(SKEWED, names(60), replicates=20_000, kind=kind)
    assert found[1:] == pytest.approx((expected.low, expected.high), abs=0.0015)


def test_bca_is_no_percentile_interval() -> None:
    # Of a mean skewed to the right both bounds are higher, by more than the comparison with scipy allows.
    plain, corrected = (interval(SKEWED, names(60), replicates=20_000, kind=kind) for kind in KINDS[:2])
    assert all(
        a is not None and b is not None and b - a > 0.002
        for a, b in zip(plain[1:], corrected[1:], strict=True)
    )


def replicated_mean(values: Values, replicates: int) -> Replicated:
    n = len(values)
    (weights,) = bootstrap_weights(n, replicates=replicates, seed=0)
    left_out = (values.sum() - values) / (n - 1)
    return Replicated(np.array([values.mean()]), (weights @ values / n)[:, None], left_out[:, None], n)


def test_of_a_mean_the_acceleration_is_a_sixth_of_its_skewness() -> None:
    # Efron & Tibshirani, eq. 14.15 of a mean: Σ(x - x̄)³ / (6 (Σ(x - x̄)²)^1.5), with the sign of the skew.
    found = replicated_mean(SKEWED, 500)
    away = SKEWED - SKEWED.mean()
    expected = (away**3).sum() / (6 * (away**2).sum() ** 1.5)
    shift, acceleration = bca_correction(
        float(found.estimate[0]), found.drawn[:, 0], found.left_out[:, 0], Resampling(interval="bca")
    )
    assert acceleration == pytest.approx(expected)
    assert acceleration > 0
    assert shift == pytest.approx(norm.ppf((found.drawn[:, 0] < SKEWED.mean()).mean()))


def test_the_levels_of_bca_by_hand() -> None:
    # Draws 0, 0.001 … 1 make a quantile its own level. 400.5 of 1001 draws lie below the estimate.
    draws = np.linspace(0, 1, 1001)
    left_out = np.array([0.0, 0.0, 3.0])  # away from their mean: 1, 1, -2; cubes sum to -6, squares to 6
    found = Replicated(np.array([0.4]), draws[:, None], left_out[:, None], 3)
    (plain,) = intervals(found, Resampling(interval="percentile"))
    (bca,) = intervals(found, Resampling(interval="bca"))
    assert plain == pytest.approx((0.4, 0.025, 0.975))
    z0, a = norm.ppf(400.5 / 1001), -6 / (6 * 6**1.5)
    levels = [norm.cdf(z0 + (z0 + z) / (1 - a * (z0 + z))) for z in norm.ppf([0.025, 0.975])]
    assert bca == pytest.approx((0.4, *levels))


def test_far_out_in_the_tails_of_few_patients_the_bounds_are_the_outermost_draws() -> None:
    # t(2) at 99.95 % is 31.6: times the acceleration it is more than 1, and the plain formula turns around.
    draws = np.linspace(0, 1, 1001)
    for left_out in ([0.0, 0.0, 3.0], [3.0, 3.0, 0.0]):
        found = Replicated(np.array([0.4]), draws[:, None], np.array(left_out)[:, None], 3)
        (interval,) = intervals(found, Resampling(confidence=0.999))
        assert interval == pytest.approx((0.4, 0, 1), abs=1e-6)


def test_expanded_levels_are_those_of_student_wider_by_the_bias_of_the_spread() -> None:
    # Of 10 patients: t(9) at 97.5 % is 2.262, times √(10/9) is 2.385 instead of 1.960.
    resampling = Resampling()
    assert critical_value(0.025, 10, resampling) == pytest.approx(student.ppf(0.975, 9) * (10 / 9) ** 0.5)
    assert critical_value(0.025, 10, resampling) == pytest.approx(2.385, abs=1e-3)
    assert critical_value(0.025, 10, Resampling(interval="bca")) == pytest.approx(1.960, abs=1e-3)
    assert critical_value(0.025, 100_000, resampling) == pytest.approx(1.960, abs=1e-3)


def test_the_default_is_wider_than_bca_for_few_patients_and_alike_for_many() -> None:
    for count, factor in ((8, 1.3), (2000, 1.0)):
        values = np.random.default_rng(2).normal(size=count)
        narrow, wide = (interval(values, names(count), kind=kind) for kind in KINDS[1:])
        width = [high - low for _, low, high in (narrow, wide) if low is not None and high is not None]
        assert width[1] / width[0] == pytest.approx(factor, abs=0.1 if count == 8 else 0.01)


def test_draws_equal_to_the_estimate_count_half_also_after_rounding() -> None:
    draws = np.array([0.1, 0.3, 0.3 + 1e-15, 0.3 + 2e-15, 0.9])
    assert share_below(draws, 0.3) == pytest.approx((1 + 1.5) / 5)
    assert share_below(draws, 5.0) == pytest.approx(4.5 / 5)
    assert share_below(draws, -5.0) == pytest.approx(0.5 / 5)


@pytest.mark.parametrize("kind", KINDS)
def test_scores_that_are_all_alike_tell_nothing_of_others(kind: Kind) -> None:
    assert interval([0.3] * 20, names(20), kind=kind) == (pytest.approx(0.3), None, None)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [2, 3, 5, 30])
@pytest.mark.parametrize("seed", range(5))
def test_an_interval_lies_within_its_draws_in_order(kind: Kind, count: int, seed: int) -> None:
    values = np.random.default_rng(seed).beta(0.3, 3, count)
    estimate, low, high = interval(values, names(count), kind=kind)
    assert low is not None
    assert high is not None
    assert all(a <= b + 1e-12 for a, b in pairwise([values.min(), low, high, values.max()]))
    assert estimate == pytest.approx(values.mean())


@pytest.mark.parametrize("kind", KINDS)
def test_draws_without_a_value_are_left_out(kind: Kind) -> None:
    found = replicated_mean(SKEWED, 500)
    holes = found._replace(
        drawn=np.concatenate([found.drawn, [[np.nan]]]), left_out=np.concatenate([found.left_out, [[np.nan]]])
    )
    resampling = Resampling(interval=kind)
    assert intervals(holes, resampling) == intervals(found, resampling)


def test_what_is_undefined_has_no_interval() -> None:
    found = replicated_mean(SKEWED, 10)
    assert intervals(found._replace(estimate=np.array([np.nan])), Resampling()) == [(None, None, None)]


def test_the_mean_weighs_images_alike_however_many_a_patient_has() -> None:
    assert interval([1, 1, 1, 0], ["a", "a", "a", "b"]).estimate == 0.75


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_rows_does_not_matter_to_the_last_bit(kind: Kind) -> None:
    generator = np.random.default_rng(0)
    values, patients = generator.random(200), generator.integers(40, size=200).astype(str)
    order = generator.permutation(200)
    one = interval(values, patients.tolist(), kind=kind)
    other = interval(values[order], patients[order].tolist(), kind=kind)
    assert one == other


def test_the_seed_decides() -> None:
    values, patients = np.random.default_rng(0).random(50), names(50)
    assert interval(values, patients, seed=1) == interval(values, patients, seed=1)
    assert interval(values, patients, seed=1) != interval(values, patients, seed=2)


def test_one_patient_has_an_estimate_but_no_interval() -> None:
    assert interval([0.2, 0.4], ["a", "a"]) == (pytest.approx(0.3), None, None)


def test_without_values_nothing_is_defined() -> None:
    assert interval([], []) == (None, None, None)


@pytest.mark.parametrize("kind", KINDS)
def test_columns_over_the_same_patients_meet_the_same_resamples(kind: Kind) -> None:
    # The second column is the first plus a constant, so its interval is moved by that constant.
    values, patients = np.random.default_rng(0).random(30), names(30)
    short = (values[:9], patients[:9])
    one, other, alone = intervals_of_means(
        [(values, patients), (values + 0.25, patients), short], Resampling(interval=kind)
    )
    assert np.subtract(other, one) == pytest.approx([0.25, 0.25, 0.25])
    assert alone == pytest.approx(interval(values[:9], patients[:9], kind=kind))


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
        _, low, high = interval(scores, patients, seed=seed, replicates=400, kind="expanded")
        assert low is not None
        assert high is not None
        inside += low <= 0 <= high
    return inside / 300


def test_the_interval_over_patients_covers_the_truth() -> None:
    assert 0.92 <= covered(clustered=True) <= 0.98


def test_the_same_images_resampled_one_by_one_would_not_cover_it() -> None:
    assert covered(clustered=False) < 0.75


@pytest.mark.parametrize(
    ("estimate", "apart", "bounded"),
    [(0.0, 1e-12, False), (0.0, 1.5e-12, True), (2000.0, 1e-9, False), (2000.0, 4e-9, True)],
)
def test_draws_that_differ_by_rounding_alone_are_all_the_same(
    estimate: float, apart: float, bounded: object
) -> None:
    """Rounding is relative to the numbers, and to 1 where they are smaller."""
    draws = np.array([[estimate], [estimate + apart]])
    found = Replicated(np.array([estimate]), draws, np.empty((0, 1)), 5)
    ((_, low, _),) = intervals(found, Resampling(interval="percentile"))
    assert (low is not None) == bounded


@pytest.mark.parametrize(
    ("value", "away", "share"),
    [(0.0, 5e-13, 0.5), (0.0, 1.5e-12, 0.25), (2000.0, 1e-9, 0.5), (2000.0, 4e-9, 0.25)],
)
def test_draws_as_near_to_a_value_as_rounding_count_half(value: float, away: float, share: float) -> None:
    """Of two draws, one at the value and one a little above; and mirrored below."""
    assert share_below(np.array([value, value + away]), value) == share
    assert share_below(np.array([value, value - away]), value) == 1 - share


def test_a_statistic_that_is_undefined_in_every_draw_has_no_interval() -> None:
    found = Replicated(np.array([0.5]), np.full((4, 1), np.nan), np.array([[0.4], [0.6]]), 2)
    for kind in KINDS:
        assert intervals(found, Resampling(interval=kind)) == [(0.5, None, None)]


def test_where_leaving_patients_out_changes_nothing_there_is_no_acceleration() -> None:
    draws = np.array([0.0, 1.0])
    for left_out in ([0.5, 0.5, 0.5], [np.nan], []):
        found = bca_correction(0.5, draws, np.array(left_out), Resampling(interval="bca"))
        assert found == (0, 0)


def test_two_patients_have_an_interval() -> None:
    assert None not in interval([0.2, 0.4], ["a", "b"])
