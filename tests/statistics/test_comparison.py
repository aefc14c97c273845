from typing import Literal

import numpy as np
import pytest
from scipy.stats import false_discovery_control, permutation_test, ttest_rel

from pipeline.statistics.bootstrap import Replicated, Resampling, replicated_means
from pipeline.statistics.classification import replicated_auroc
from pipeline.statistics.comparison import (
    difference,
    difference_of_columns,
    difference_of_means,
    holm,
    p_value,
    sign_test,
    with_p_values,
)
from pipeline.statistics.intervals import ROUNDING, interval_of_mean, intervals

Kind = Literal["expanded", "bca", "percentile"]
KINDS: tuple[Kind, ...] = ("percentile", "bca", "expanded")
NAMES = [f"{number:04}" for number in range(40)]


def test_the_difference_is_the_first_less_the_second_and_its_interval_is_paired() -> None:
    generator = np.random.default_rng(0)
    first = generator.random(40)
    second = first - 0.1 - 0.01 * generator.random(40)
    found = difference_of_means(first, second, NAMES, Resampling())
    assert found.estimate == pytest.approx((first - second).mean())
    assert found[:3] == interval_of_mean(first - second, NAMES, Resampling())
    assert found.low is not None
    assert found.low > 0.1  # the scores scatter by 0.3, their differences by 0.003


def test_no_difference_at_all_has_a_p_value_of_one() -> None:
    scores = np.random.default_rng(0).random(40)
    assert difference_of_means(scores, scores, NAMES, Resampling()) == (0, None, None, 1)


def test_of_nothing_and_of_one_patient_nothing_is_known() -> None:
    assert difference_of_means([], [], [], Resampling()) == (None, None, None, None)
    assert difference_of_means([1.0, 2], [0.5, 0.5], ["a", "a"], Resampling()) == (1, None, None, None)


def test_the_p_value_counts_draws_on_the_other_side_by_hand() -> None:
    # Of 99 draws 2 are not above 0: one-sided (2 + 1) / (99 + 1), twice that for both sides.
    draws = np.concatenate([[-0.5, 0.0], np.linspace(0.1, 1, 97)])
    found = Replicated(np.array([0.5]), draws[:, None], np.empty((0, 1)), 50)
    assert p_value(found, 0, Resampling(interval="percentile")) == pytest.approx(0.06)
    mirrored = found._replace(estimate=-found.estimate, drawn=-found.drawn)
    assert p_value(mirrored, 0, Resampling(interval="percentile")) == pytest.approx(0.06)


@pytest.mark.parametrize("kind", KINDS)
def test_where_every_draw_is_on_one_side_p_is_as_small_as_draws_can_show(kind: Kind) -> None:
    found = difference_of_means(np.arange(40) + 100, np.zeros(40), NAMES, Resampling(interval=kind))
    assert found.p is not None
    assert 2 / 2001 <= found.p < 0.005


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(8))
def test_p_is_below_5_percent_where_the_95_percent_interval_leaves_out_0(kind: Kind, seed: int) -> None:
    """The shift is moved in small steps until p crosses 5 %: there a bound of the interval is at 0."""
    generator = np.random.default_rng(seed)
    scores = generator.beta(0.5, 3, 25)
    patients = NAMES[:25]
    resampling = Resampling(interval=kind)
    _, low, high = interval_of_mean(scores, patients, resampling)
    assert low is not None
    assert high is not None
    for bound, inward in ((low, 1), (high, -1)):
        outside, inside = (
            difference_of_means(scores, np.full(25, bound + step), patients, resampling).p
            for step in (-0.006 * inward, 0.006 * inward)
        )
        assert outside is not None
        assert inside is not None
        assert outside < 0.05 < inside


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("left_out", [[0.0, 0, 0, 0, 9], [9.0, 9, 9, 9, 0]], ids=["skewed", "skewed back"])
@pytest.mark.parametrize("zero", [0.02, 0.2, 0.9])
def test_p_is_what_the_widest_interval_without_0_leaves_out(
    kind: Kind, left_out: list[float], zero: float
) -> None:
    draws = np.linspace(0, 1, 40_001) - zero
    found = Replicated(np.array([0.4 - zero]), draws[:, None], np.array(left_out)[:, None], 5)

    def leaves_out_zero(confidence: float) -> bool:
        ((_, low, high),) = intervals(found, Resampling(confidence=confidence, interval=kind))
        return low is not None and high is not None and not low <= 0 <= high

    least, most = 1e-6, 1 - 1e-6
    for _ in range(40):
        middle = (least + most) / 2
        least, most = (middle, most) if leaves_out_zero(middle) else (least, middle)
    assert p_value(found, 0, Resampling(interval=kind)) == pytest.approx(1 - least, abs=2e-3)


@pytest.mark.parametrize("seed", range(5))
def test_it_agrees_with_students_test_and_with_permutations(seed: int) -> None:
    generator = np.random.default_rng(seed)
    first, second = generator.normal(0.4, 1, 40), generator.normal(0, 1, 40)
    found = difference_of_means(first, second, NAMES, Resampling(replicates=10_000))
    permuted = permutation_test(
        (first - second,),
        np.mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=10_000,
        rng=np.random.default_rng(0),
    )
    assert found.p == pytest.approx(ttest_rel(first, second).pvalue, abs=0.04)
    assert found.p == pytest.approx(permuted.pvalue, abs=0.04)


def test_a_group_and_the_rest_meet_the_same_draws_of_all_patients() -> None:
    # Patient c has images in both.
    inside, rest = ([0.9, 0.7, 0.8], ["a", "b", "c"]), ([0.1, 0.3], ["c", "d"])
    found = difference_of_columns(inside, rest, Resampling(replicates=100, interval="percentile"))
    drawn = np.random.default_rng(0).integers(4, size=(100, 4))
    draws = []
    for draw in drawn:
        in_group = [[0.9], [0.7], [0.8], []]
        in_rest: list[list[float]] = [[], [], [0.1], [0.3]]
        ours, theirs = ([v for unit in draw for v in of[unit]] for of in (in_group, in_rest))
        if ours and theirs:
            draws.append(np.mean(ours) - np.mean(theirs))
    assert found.estimate == pytest.approx(0.8 - 0.2)
    assert found[1:3] == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])))


def test_two_models_are_compared_by_auroc_on_the_same_draws() -> None:
    generator = np.random.default_rng(0)
    label = generator.random(40) < 0.5
    good, poor = label + generator.normal(size=40), 0.3 * label + generator.normal(size=40)
    resampling = Resampling(replicates=300)
    one, other = (replicated_auroc(score, label, NAMES, resampling) for score in (good, poor))
    (found,) = difference(one, other, resampling)
    assert found.estimate == pytest.approx(float(one.estimate[0] - other.estimate[0]))
    apart = Replicated(
        one.estimate - other.estimate, one.drawn - other.drawn, one.left_out - other.left_out, 40
    )
    assert found[:3] == intervals(apart, resampling)[0]
    (none,) = difference(one, one, resampling)
    assert (none.estimate, none.p) == (0, 1)


def test_columns_are_tested_one_by_one() -> None:
    values = np.random.default_rng(0).normal(size=40)
    both = replicated_means([(values, NAMES), (values + 3, NAMES)], Resampling())
    near, far = with_p_values(both, Resampling())
    assert near.p is not None
    assert far.p is not None
    assert far.p < 0.005 < near.p


def test_holm_by_hand() -> None:
    # Sorted 0.01 · 3, 0.02 · 2, 0.04 · 1; the last may not be less than the one before.
    assert holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.03, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.6, 0.7]) == [1, 1]
    assert holm([]) == []


def test_holm_neither_changes_nor_counts_what_is_undefined() -> None:
    assert holm([None, 0.02, None, 0.01]) == pytest.approx([None, 0.02, None, 0.02])


@pytest.mark.parametrize("seed", range(3))
def test_holm_lies_between_no_correction_and_bonferroni_and_above_false_discovery(seed: int) -> None:
    p = np.random.default_rng(seed).random(8) ** 3
    corrected = np.array(holm(p.tolist()), np.float64)
    assert (corrected >= p).all()
    assert (corrected <= np.minimum(8 * p, 1)).all()
    assert (corrected >= false_discovery_control(p) - 1e-12).all()


def test_the_sign_test_is_mcnemars_for_one_row_a_patient() -> None:
    first, second = [1, 1, 1, 1, 0, 1], [0, 0, 0, 1, 1, 1]  # three differ one way, one the other
    assert sign_test(first, second, list("abcdef")) == pytest.approx(2 * (4 + 1) / 16)
    assert sign_test(first, first, list("abcdef")) == 1


def test_rows_of_a_patient_count_once_in_the_sign_test() -> None:
    assert sign_test([1, 1, 1, 1], [0, 0, 0, 0], ["a", "a", "a", "a"]) == 1
    assert sign_test([1, 0], [0, 1], ["a", "a"]) == 1  # they cancel


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("kind", "estimate"), [("percentile", 0.5), ("bca", 0.95)])
def test_no_p_value_is_below_two_of_the_draws_and_one(kind: Kind, estimate: float, sign: int) -> None:
    """All of 99 draws are on one side of 0; of the higher estimate the bias correction would make it less."""
    draws = sign * np.linspace(0.1, 1, 99)
    found = Replicated(np.array([sign * estimate]), draws[:, None], np.zeros((3, 1)), 3)
    assert p_value(found, 0, Resampling(interval=kind)) == pytest.approx(2 / 100)


def test_of_few_draws_no_difference_still_has_a_p_value_of_one() -> None:
    for replicates in (1, 2, 3):
        found = difference_of_means([0.5] * 9, [0.5] * 9, NAMES[:9], Resampling(replicates=replicates))
        assert found.p == 1


def test_draws_that_are_0_up_to_rounding_are_on_neither_side() -> None:
    """As by hand above, where two draws were not above 0."""
    draws = np.concatenate([[ROUNDING, -ROUNDING], np.linspace(0.1, 1, 97)])
    found = Replicated(np.array([0.5]), draws[:, None], np.empty((0, 1)), 50)
    for sign in (1, -1):
        mirrored = found._replace(estimate=sign * found.estimate, drawn=sign * found.drawn)
        assert p_value(mirrored, 0, Resampling(interval="percentile")) == pytest.approx(0.06)


def test_where_the_statistic_or_every_draw_is_undefined_nothing_is_known() -> None:
    found = Replicated(np.array([0.5]), np.array([[0.4], [0.6]]), np.array([[0.5], [0.5]]), 2)
    assert p_value(found, 0, Resampling()) is not None  # two patients suffice
    undefined = found._replace(estimate=np.array([np.nan]))
    never = found._replace(drawn=np.full((2, 1), np.nan))
    assert p_value(undefined, 0, Resampling()) is None
    assert p_value(never, 0, Resampling()) is None
    assert p_value(found._replace(units=1), 0, Resampling()) is None


def test_undefined_draws_are_not_counted_among_the_draws() -> None:
    draws = np.concatenate([[-0.5, 0.0], np.linspace(0.1, 1, 97), [np.nan] * 50])
    found = Replicated(np.array([0.5]), draws[:, None], np.empty((0, 1)), 50)
    assert p_value(found, 0, Resampling(interval="percentile")) == pytest.approx(0.06)


def test_a_tie_takes_no_side_in_the_sign_test() -> None:
    assert sign_test([1, 1, 0, 1], [0, 0, 0, 1], list("abcd")) == pytest.approx(2 * 0.5**2)
