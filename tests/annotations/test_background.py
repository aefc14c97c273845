"""Tests of finding the background of a mask."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.annotations.background import without_background
from pipeline.errors import CaseError

INSIDE = np.zeros((5, 6), bool)
INSIDE[1:4, 2:4] = True


def of(inside: float, outside: float) -> np.ndarray:
    return np.where(INSIDE, inside, outside)


def test_zero_on_the_border_is_background() -> None:
    values = of(7, 0)
    found, notices = without_background(values, "auto")
    assert found is values
    assert notices == ()


def test_a_lesion_may_touch_most_of_the_border() -> None:
    values = np.ones((5, 6))
    values[:, :2] = 0
    assert without_background(values, "auto")[1] == ()


def test_of_two_values_that_are_not_zero_the_one_on_the_border_is_background() -> None:
    found, (notice,) = without_background(of(2, 1), "auto")
    np.testing.assert_array_equal(found, INSIDE)
    assert (notice.kind, notice.line()) == ("guess", "background: [1]")


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        (of(0, 255), "looks inverted: the value 255 fills 100% of its border, and 0 lies inside"),
        (of(9, 255), "looks inverted"),
        (np.ones((5, 6)), "has the value 1 everywhere"),
        (of(0, 1) + 2 * np.eye(5, 6), "hardly any 0 on its border, and no other value fills it"),
        (np.where(np.arange(6) == 2, of(3, 1), of(2, 1)), "its 3 values do not show"),
        (of(0, -1), "negative"),
    ],
    ids=["inverted", "inverted JPEG", "full", "mixed border", "three values", "negative"],
)
def test_what_may_be_inverted_is_refused(values: np.ndarray, complaint: str) -> None:
    with pytest.raises(CaseError, match=complaint) as refused:
        without_background(values, "auto")
    assert refused.value.reason == "not_a_mask"


@pytest.mark.parametrize(
    ("values", "background", "inside"),
    [
        (of(0, 255), (255,), 255),
        (of(0, 1), (1,), 1),
        (of(5, 255), (0, 255), 5),
        (of(5, 0), (0,), 5),
        (np.where(np.arange(6) == 2, of(0, 1), of(3, 1)), (1,), None),
    ],
)
def test_a_stated_background_is_outside(
    values: np.ndarray, background: tuple[int, ...], inside: int | None
) -> None:
    found, notices = without_background(values, background)
    np.testing.assert_array_equal(found != 0, INSIDE)
    assert notices == ()
    assert set(found[INSIDE]) == ({1, 4} if inside is None else {inside})
