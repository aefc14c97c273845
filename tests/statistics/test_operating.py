"""The operating point by Youden's J, counted by hand."""

from __future__ import annotations

import pytest

from pipeline.statistics.operating import youden


def test_two_of_three_found_and_no_false_alarm() -> None:
    # from 0.6 up: sensitivity 2/3, specificity 1; from 0.3 up: sensitivity 1, specificity 1/2
    assert youden([0.9, 0.6, 0.3, 0.4, 0.1], [1, 1, 1, 0, 0]) == pytest.approx((0.4 + 0.6) / 2)


def test_of_equally_good_ones_the_lowest_counts() -> None:
    # J is 0.5 from 0.8 up (half found, no alarm) and from 0.4 up (all found, half alarmed)
    assert youden([0.8, 0.4, 0.6, 0.2], [1, 1, 0, 0]) == pytest.approx(0.3)


def test_where_all_are_called_present_it_is_the_lowest_probability() -> None:
    assert youden([0.2, 0.2, 0.2], [1, 0, 1]) == 0.2


@pytest.mark.parametrize("present", [[1, 1], [0, 0]])
def test_with_one_class_alone_there_is_none(present: list[int]) -> None:
    assert youden([0.2, 0.8], present) is None
