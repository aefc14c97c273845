import numpy as np
import pytest
from scipy.stats import beta

from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.intervals import Interval
from pipeline.statistics.skill import share_of, skill

NAMES = ["a", "b", "c", "d"]
SCORE, PRIOR = [0.5, 0.3, 0.7, 0.1], [0.2, 0.2, 0.3, 0.1]
"""Means 0.4 and 0.2."""
PERCENTILE = Resampling(replicates=300, interval="percentile")


def test_a_quarter_of_the_way_from_the_prior_to_perfection() -> None:
    assert skill(SCORE, PRIOR, NAMES, PERCENTILE).estimate == pytest.approx((0.4 - 0.2) / (1 - 0.2))


def test_readers_who_agree_by_06_are_the_ceiling() -> None:
    ceiling = ([0.5, 0.7], ["a", "b"])
    found = skill(SCORE, PRIOR, NAMES, PERCENTILE, ceiling=ceiling)
    assert found.estimate == pytest.approx((0.4 - 0.2) / (0.6 - 0.2))


def test_where_lower_is_better_the_ceiling_is_nothing() -> None:
    # From 0.4 of images down to 0.2, where none would be perfect: half the way.
    assert skill(PRIOR, SCORE, NAMES, PERCENTILE, better="lower").estimate == pytest.approx(0.5)


def perfect(count: int, prior: list[float]) -> Interval:
    names = [f"{number:03}" for number in range(count)]
    return skill([1.0] * count, prior, names, Resampling(replicates=100))


def test_a_perfect_score_has_a_least_skill() -> None:
    """20 hits of 20, against 3 of 20: e <= 0.168, d = 0.85 and at least 0.621 (Clopper & Pearson)."""
    found = perfect(20, [1.0] * 3 + [0.0] * 17)
    error, distance, least = 1 - 0.025 ** (1 / 20), 0.85, 1 - beta.ppf(0.975, 4, 17)
    assert found == (1, pytest.approx(1 - error / np.sqrt(least * (2 * distance - least))), 1)
    assert found.low == pytest.approx(0.794, abs=0.001)


def test_the_least_skill_grows_with_the_patients_and_falls_with_the_prior() -> None:
    few, many = perfect(10, [0.0] * 10).low, perfect(200, [0.0] * 200).low
    assert few is not None
    assert many is not None
    assert few < 0.7
    assert many > 0.95
    assert many > (perfect(200, [1.0] * 100 + [0.0] * 100).low or 1)
    assert perfect(10, [0.25] * 10).low == pytest.approx(1 - (1 - 0.025**0.1) / 0.75)  # a prior that is known
    assert perfect(10, [1.0] * 10) == (None, None, None)


def test_the_least_skill_is_above_the_true_one_in_fewer_than_one_of_forty_runs() -> None:
    """True skill (0.85 - 0.3) / 0.7; all of 20 hit in 3.9 % of runs, and the prior's hits vary."""
    random, runs = np.random.default_rng(5), 20_000
    hits, priors = random.binomial(20, 0.85, runs), random.binomial(20, 0.3, runs)
    bounds = {k: perfect(20, [1.0] * k + [0.0] * (20 - k)).low for k in range(20)}
    missed = sum((bounds[int(k)] or 0) > 0.55 / 0.7 for k in priors[hits == 20])
    assert 0 < missed / runs < 0.025


def test_readers_who_agree_perfectly_are_a_ceiling_of_one() -> None:
    names = [f"{number:02}" for number in range(20)]
    known = skill([1.0] * 20, [0.0] * 20, names, PERCENTILE, ceiling=([1.0] * 4, names[:4]))
    assert known == perfect(20, [0.0] * 20)
    varied = skill([1.0] * 20, [0.0] * 20, names, PERCENTILE, ceiling=([1.0, 0.5] * 10, names))
    assert varied.estimate == pytest.approx(1 / 0.75)


def test_below_the_prior_it_is_negative() -> None:
    assert skill(PRIOR, SCORE, NAMES, PERCENTILE).estimate == pytest.approx((0.2 - 0.4) / (1 - 0.4))


@pytest.mark.parametrize("ceiling", [[0.2, 0.2], [0.1, 0.1]])
def test_where_readers_agree_no_better_than_the_prior_it_is_undefined(ceiling: list[float]) -> None:
    assert skill(SCORE, PRIOR, NAMES, PERCENTILE, ceiling=(ceiling, ["a", "b"])) == (None, None, None)


def test_without_cases_it_is_undefined() -> None:
    assert skill([], [], [], PERCENTILE) == (None, None, None)
    assert skill(SCORE, PRIOR, NAMES, PERCENTILE, ceiling=([], [])) == (None, None, None)


def test_score_prior_and_ceiling_meet_the_same_draws() -> None:
    ceiling = [0.9, 0.8, 0.8, 0.7]
    found = skill(SCORE, PRIOR, NAMES, PERCENTILE, ceiling=(ceiling, NAMES))
    drawn = np.random.default_rng(0).integers(4, size=(300, 4))
    score, prior, top = (np.array(column)[drawn].mean(axis=1) for column in (SCORE, PRIOR, ceiling))
    expected = np.quantile((score - prior) / (top - prior), [0.025, 0.975])
    assert found[1:] == pytest.approx(tuple(expected))


def test_draws_in_which_no_reader_pair_is_are_left_out() -> None:
    found = skill(SCORE, PRIOR, NAMES, PERCENTILE, ceiling=([0.6], ["d"]))
    drawn = np.random.default_rng(0).integers(4, size=(300, 4))
    drawn = drawn[(drawn == 3).any(axis=1)]
    score, prior = (np.array(column)[drawn].mean(axis=1) for column in (SCORE, PRIOR))
    expected = np.quantile((score - prior) / (0.6 - prior), [0.025, 0.975])
    assert found[1:] == pytest.approx(tuple(expected))


def test_the_share_of_reader_agreement_is_paired() -> None:
    agreement = [0.9, 0.8, 0.8, 0.7]
    found = share_of((SCORE, NAMES), (agreement, NAMES), PERCENTILE)
    drawn = np.random.default_rng(0).integers(4, size=(300, 4))
    score, top = (np.array(column)[drawn].mean(axis=1) for column in (SCORE, agreement))
    assert found.estimate == pytest.approx(0.4 / 0.8)
    assert found[1:] == pytest.approx(tuple(np.quantile(score / top, [0.025, 0.975])))


def test_a_share_of_nothing_is_undefined() -> None:
    assert share_of((SCORE, NAMES), ([0.0], ["a"]), PERCENTILE) == (None, None, None)
    assert share_of((SCORE, NAMES), ([], []), PERCENTILE) == (None, None, None)


def test_the_interval_is_the_one_asked_for() -> None:
    generator = np.random.default_rng(0)
    names = [f"{number:02}" for number in range(12)]
    score, prior = generator.beta(1, 3, 12), 0.1 * generator.random(12)
    narrow, wide = (
        skill(score, prior, names, Resampling(interval=kind)) for kind in ("percentile", "expanded")
    )  # type: ignore[arg-type]
    assert narrow.low is not None
    assert narrow.high is not None
    assert wide.low is not None
    assert wide.high is not None
    assert wide.high - wide.low > narrow.high - narrow.low
