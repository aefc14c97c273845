"""Pairs of readers, and single readers, with unusually low agreement."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from pipeline.validation.checks.readers import PAIR_APART, READER_APART, unusual_below
from pipeline.validation.facts import Agreement, ImageFacts
from tests.validation.facts import found, image, study

SIX = list(combinations("abcd", 2))


def agreeing(
    name: str, *pairs: tuple[str, str, float], finding: str = "nodule", kind: Any = "mask"
) -> ImageFacts:
    return image(
        name, agreements=tuple(Agreement(finding, kind, (one, other), dice) for one, other, dice in pairs)
    )


def test_the_fence_lies_three_spreads_of_the_lower_half_below_the_median() -> None:
    """Median 0.8; values at and below it are 0, 0.1, 0.1 and 0.2 away: median 0.1, spread 0.14826."""
    values = [0.6, 0.7, 0.7, 0.8, 0.85, 0.9, 0.95]
    assert unusual_below(values) == pytest.approx(0.8 - 3 * 1.4826 * 0.1)


def test_the_fence_is_at_least_two_tenths_below_the_median() -> None:
    assert unusual_below([0.9] * 10) == pytest.approx(0.7)


def test_the_upper_half_does_not_widen_the_fence() -> None:
    lower = [0.55, 0.6, 0.65, 0.7]
    assert unusual_below([*lower, 0.71, 0.72, 0.73]) == unusual_below([*lower, 0.9, 0.95, 1.0])


def pairs(*values: float, **facts: Any) -> list[ImageFacts]:
    return [agreeing(f"{n}", ("anna", "bert", value), **facts) for n, value in enumerate(values)]


def test_a_pair_is_reported_below_the_fence_alone() -> None:
    (problem,) = found(PAIR_APART, *pairs(*[0.9] * 10, 0.71, 0.69))
    assert (problem.subjects, problem.reader) == (("11",), "anna, bert")
    assert problem.message == (
        "anna and bert agree with a Dice of 0.69; the median of 12 pairs is 0.90, and values below 0.70 are "
        "unusual."
    )


def test_fewer_than_eight_pairs_have_no_usual() -> None:
    assert found(PAIR_APART, *pairs(*[0.9] * 6, 0.0)) == []
    assert len(found(PAIR_APART, *pairs(*[0.9] * 7, 0.0))) == 1


def test_findings_and_kinds_have_a_usual_of_their_own() -> None:
    usual, loose = pairs(*[0.9] * 20), [0.4, 0.45, 0.5] * 3
    assert found(PAIR_APART, *usual, *pairs(*loose, finding="scar")) == []
    assert found(PAIR_APART, *usual, *pairs(*loose, kind="box")) == []
    assert len(found(PAIR_APART, *usual, *pairs(*loose))) == 9


def trios(readers: str, dice: Any, count: int = 12) -> list[ImageFacts]:
    """Images that all of `readers` annotated; `dice(number, one, other)` gives each pair's Dice."""
    return [
        agreeing(str(n), *((one, other, dice(n, one, other)) for one, other in combinations(readers, 2)))
        for n in range(count)
    ]


def test_the_reader_who_agrees_with_nobody_is_reported_and_no_other() -> None:
    images = trios("abc", lambda n, one, other: 0.9 if (one, other) == ("a", "b") else 0.6 + 0.01 * (n % 3))
    (problem,) = found(READER_APART, *images)
    assert problem.reader == "c"
    assert problem.message.startswith(
        "On 12 images the Dice of c with the other readers is on average 0.29 lower"
    )


@pytest.mark.parametrize(("gap", "reported"), [(0.09, False), (0.11, True)])
def test_a_reader_is_reported_from_a_tenth_on(gap: float, *, reported: bool) -> None:
    images = trios("abc", lambda _, one, other: 0.9 if "c" not in (one, other) else 0.9 - gap)
    assert bool(found(READER_APART, *images)) == reported


def test_four_images_are_too_few_for_a_reader() -> None:
    def dice(_: int, one: str, other: str) -> float:
        return 0.9 if "c" not in (one, other) else 0.2

    assert found(READER_APART, *trios("abc", dice, count=4)) == []
    assert len(found(READER_APART, *trios("abc", dice, count=5))) == 1


def test_a_difference_within_three_standard_errors_is_not_reported() -> None:
    """0.6 lower on half of the images, 0.3 higher on the others: 0.15 on average, standard error 0.14."""
    images = trios("abc", lambda n, one, other: 0.6 if "c" not in (one, other) else 0.0 if n % 2 else 0.9)
    assert found(READER_APART, *images) == []


def test_whoever_reads_the_difficult_images_is_not_blamed_for_them() -> None:
    """d reads only the difficult images, with a and b; the easy images are read by a, b and c."""
    easy = trios("abc", lambda *_: 0.9)
    difficult = [agreeing(f"x{n}", ("a", "b", 0.3), ("a", "d", 0.3), ("b", "d", 0.3)) for n in range(12)]
    assert found(READER_APART, *easy, *difficult) == []


def test_two_readers_cannot_say_which_of_them_is_wrong() -> None:
    assert found(READER_APART, *pairs(*[0.1] * 20)) == []
    assert READER_APART.count(study(*pairs(*[0.1] * 20))) == 0
    assert PAIR_APART.count(study(*pairs(*[0.1] * 20))) == 20


def test_readers_who_differ_by_chance_are_rarely_reported() -> None:
    """200 sets of 40 images with four equally good readers, whose Dice varies by image and by pair."""
    random = np.random.default_rng(4)
    reported = pairs_reported = 0
    for _ in range(200):
        level = random.beta(12, 4, 40)[:, None] + random.normal(0, 0.05, (40, 6))
        images = [
            agreeing(str(n), *((*pair, float(dice)) for pair, dice in zip(SIX, row.clip(0, 1), strict=True)))
            for n, row in enumerate(level)
        ]
        reported += bool(found(READER_APART, *images))
        pairs_reported += len(found(PAIR_APART, *images))
    assert reported == 0
    assert pairs_reported / (200 * 40 * 6) < 0.01
