"""Masks that are reported as flipped or rotated, from given contrasts."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.validation.checks import orientation
from pipeline.validation.contrast import AS_DRAWN, TURNS
from pipeline.validation.facts import ImageFacts
from tests.validation.facts import drawn, found, image, names, study

LR, UD, *_ = TURNS


def masks(count: int, before: float, after: float, *, turn: str = LR, start: int = 0) -> list[ImageFacts]:
    return [
        image(f"{start + n}", drawn(contrasts={AS_DRAWN: before, turn: after}))
        for n in range(count)
    ]  # fmt: skip


USUAL = masks(9, 0.9, 0.1)


@pytest.mark.parametrize(
    ("before", "after", "reported"),
    [(0.25, 0.65, True), (0.26, 0.9, False), (0.2, 0.59, False), (0.0, 0.4, True)],
)
def test_a_mask_is_reported_where_it_fits_nowhere_as_drawn_and_far_better_turned(
    before: float, after: float, *, reported: bool
) -> None:
    problems = found(orientation.TURNED, *USUAL, *masks(1, before, after, start=50))
    assert names(problems) == ([("50",)] if reported else [])
    assert all(
        f"{LR}: the contrast across its outline is then {after:.2f}" in one.message for one in problems
    )


def test_the_best_turn_is_named() -> None:
    odd = image("odd", drawn(contrasts={AS_DRAWN: 0.1, LR: 0.6, UD: 0.8}))
    (problem,) = found(orientation.TURNED, *USUAL, odd)
    assert UD in problem.message
    assert LR not in problem.message


def test_fewer_than_eight_masks_tell_nothing() -> None:
    odd = masks(1, 0.0, 0.9, start=50)
    assert found(orientation.TURNED, *USUAL[:6], *odd) == []
    assert len(found(orientation.TURNED, *USUAL[:7], *odd)) == 1


def test_nothing_is_reported_where_masks_do_not_fit_best_as_drawn() -> None:
    """Eight of twelve masks fit best as drawn: two thirds, which is less than three quarters."""
    odd = masks(1, 0.0, 0.9, start=50)
    loose = masks(3, 0.5, 0.6, start=20)
    assert found(orientation.TURNED, *USUAL[:8], *loose, *odd) == []
    assert len(found(orientation.TURNED, *USUAL[:8], *loose[:1], *odd)) == 1


def test_nothing_is_reported_where_outlines_follow_no_edges() -> None:
    odd = masks(1, 0.0, 0.9, start=50)
    assert found(orientation.TURNED, *masks(20, 0.39, 0.1), *odd) == []
    assert len(found(orientation.TURNED, *masks(20, 0.41, 0.1), *odd)) == 1


def test_readers_and_findings_are_judged_by_themselves() -> None:
    loose = [image(f"x{n}", drawn(reader="bert", contrasts={AS_DRAWN: 0.1, LR: 0.9})) for n in range(3)]
    assert found(orientation.TURNED, *USUAL, *loose) == []


def test_a_mask_that_no_turn_moves_is_left_out() -> None:
    fixed = [image(f"m{n}", drawn(contrasts={AS_DRAWN: 0.1})) for n in range(30)]
    odd = masks(1, 0.0, 0.9, start=50)
    assert names(found(orientation.TURNED, *USUAL, *fixed, *odd)) == [("50",)]


@pytest.mark.parametrize(("count", "reported"), [(14, True), (13, False)])
def test_a_whole_set_is_reported_where_chance_does_not_explain_it(count: int, *, reported: bool) -> None:
    """Probability by chance of 14 masks out of 14: 2⁻¹⁴ = 0.00006; of 13 out of 13: 0.00012."""
    problems = found(orientation.TURNED_THROUGHOUT, *masks(count, 0.1, 0.9))
    assert bool(problems) == reported
    assert all(one.message.startswith(f"14 of 14 masks fit better {LR}") for one in problems)


@pytest.mark.parametrize(
    ("before", "after", "reported"),
    [(0.1, 0.9, True), (0.1, 0.39, False), (0.25, 0.44, False), (0.2, 0.41, True)],
)
def test_a_whole_set_is_reported_where_it_fits_well_and_better_by_far(
    before: float, after: float, *, reported: bool
) -> None:
    assert bool(found(orientation.TURNED_THROUGHOUT, *masks(20, before, after))) == reported


def test_a_whole_set_is_reported_where_three_quarters_agree() -> None:
    sixty = masks(60, 0.1, 0.9)
    assert found(orientation.TURNED_THROUGHOUT, *sixty, *masks(20, 0.9, 0.1, start=100))
    assert not found(orientation.TURNED_THROUGHOUT, *sixty, *masks(21, 0.9, 0.1, start=100))


def test_a_set_as_it_should_be_is_not_reported() -> None:
    assert found(orientation.TURNED_THROUGHOUT, *masks(100, 0.9, 0.1)) == []


def test_boxes_on_which_contrast_is_chance_are_rarely_reported() -> None:
    """Of 500 sets of 30 masks with random contrasts, at most one is reported."""
    random = np.random.default_rng(8)
    reported = 0
    for _ in range(500):
        values = np.abs(random.normal(0, 0.3, (30, 4)))
        those = [
            image(str(n), drawn(contrasts=dict(zip([AS_DRAWN, *list(TURNS)[:3]], row, strict=True))))
            for n, row in enumerate(values.tolist())
        ]
        reported += bool(found(orientation.TURNED, *those) or found(orientation.TURNED_THROUGHOUT, *those))
    assert reported <= 1


def test_the_counts_are_of_what_could_be_judged() -> None:
    assert orientation.TURNED.count(study(*USUAL)) == 9
    assert orientation.TURNED.count(study(*masks(9, 0.1, 0.9))) == 0
    assert orientation.TURNED_THROUGHOUT.count(study(*masks(9, 0.1, 0.9))) == 9
    assert orientation.TURNED_THROUGHOUT.count(study(*masks(7, 0.1, 0.9))) == 0


@pytest.mark.parametrize(
    ("clear", "others", "reported"),
    [
        (2, [], True),
        (1, [(0.3, 0.9)], False),
        (2, [(0.3, 0.45)] * 4, True),
        (2, [(0.3, 0.45)] * 5, False),
        (2, [(0.9, 0.71)], False),
        (3, [(0.5, 0.4)], True),
        (3, [(0.5, 0.4)] * 2, False),
    ],
)
def test_few_masks_are_reported_where_a_third_is_clearly_turned_and_none_clearly_not(
    clear: int, others: list[tuple[float, float]], *, reported: bool
) -> None:
    rest = [masks(1, before, after, start=50 + n)[0] for n, (before, after) in enumerate(others)]
    problems = found(orientation.TURNED_FEW, *masks(clear, 0.25, 0.65), *rest)
    assert bool(problems) == reported
    assert all(problem.message.startswith(f"{clear} of {clear + len(others)} masks") for problem in problems)


def test_fourteen_masks_are_not_few() -> None:
    assert found(orientation.TURNED_FEW, *masks(13, 0.1, 0.9))
    assert found(orientation.TURNED_FEW, *masks(14, 0.1, 0.9)) == []


def test_few_boxes_on_which_contrast_is_chance_are_rarely_reported() -> None:
    """Of 500 sets of four masks with random contrasts, at most 5 %."""
    random = np.random.default_rng(9)
    reported = 0
    for _ in range(500):
        values = np.abs(random.normal(0, 0.3, (4, 4)))
        those = [
            image(str(n), drawn(contrasts=dict(zip([AS_DRAWN, *list(TURNS)[:3]], row, strict=True))))
            for n, row in enumerate(values.tolist())
        ]
        reported += bool(found(orientation.TURNED_FEW, *those))
    assert reported <= 25
