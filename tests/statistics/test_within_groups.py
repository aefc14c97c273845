"""Within groups: AUROCs of pairs of one group, by hand and against pairs counted one by one."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.statistics.auroc import interval_of_auroc, ranked
from pipeline.statistics.within_groups import ranked_within

RANDOM = np.random.default_rng(5)


def test_pairs_of_two_groups_do_not_count() -> None:
    """Group a: .9 and .7 against .8, one of two; group b: .2 against .1, one of one."""
    found = ranked_within(
        [0.9, 0.7, 0.8, 0.2, 0.1], [1, 1, 0, 1, 0], list("vwxyz"), ["a", "a", "a", "b", "b"]
    )
    assert found is not None
    assert found.estimate == pytest.approx(2 / 3)
    assert found.n == 5
    assert ranked_within([0.1, 0.2], [1, 0], list("xy"), list("ab")) is None


def test_one_group_is_the_plain_area() -> None:
    score, label = RANDOM.normal(size=40), np.arange(40) % 3 == 0
    patients = [f"{n // 2}" for n in range(40)]
    whole, one = ranked(score, label, patients), ranked_within(score, label, patients, ["a"] * 40)
    assert interval_of_auroc(one, 0.95) == pytest.approx(interval_of_auroc(whole, 0.95))


def test_it_is_the_share_of_pairs_counted_one_by_one() -> None:
    score, label = np.round(RANDOM.normal(size=60), 1), RANDOM.random(60) < 0.4
    group = RANDOM.integers(0, 3, size=60).astype(str)
    wins = [
        float(score[i] > score[j]) + 0.5 * float(score[i] == score[j])
        for i in np.flatnonzero(label)
        for j in np.flatnonzero(~label)
        if group[i] == group[j]
    ]
    found = ranked_within(score, label, [f"{n}" for n in range(60)], group.tolist())
    assert found is not None
    assert found.estimate == pytest.approx(np.mean(wins))


def test_intervals_hold_the_truth() -> None:
    """Of 200 study sets in which a score tells the group alone, some 95 % hold one half."""
    held = 0
    for _ in range(200):
        group = np.arange(80) % 2
        label = RANDOM.random(80) < 0.2 + 0.6 * group
        score = RANDOM.normal(size=80) + 3 * group
        found = ranked_within(score, label, [f"{n:02}" for n in range(80)], group.astype(str).tolist())
        _, low, high = interval_of_auroc(found, 0.95)
        assert low is not None
        assert high is not None
        held += low <= 0.5 <= high
    assert 0.92 <= held / 200 <= 0.98
