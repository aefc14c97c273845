"""Tests of splitting grey values into instances."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.annotations.masks import MOST_INSTANCES, check_size, split_instances
from pipeline.errors import CaseError

TOUCHING = np.array([[1, 1, 2], [0, 0, 2], [5, 0, 0]])
"""Lesions 1 and 2 touch; lesion 5 is separate."""


def as_lists(masks: tuple[np.ndarray, ...]) -> list[list[list[int]]]:
    return [mask.astype(int).tolist() for mask in masks]


def test_each_value_is_an_instance() -> None:
    assert as_lists(split_instances(TOUCHING, "values")) == [
        [[1, 1, 0], [0, 0, 0], [0, 0, 0]],
        [[0, 0, 1], [0, 0, 1], [0, 0, 0]],
        [[0, 0, 0], [0, 0, 0], [1, 0, 0]],
    ]


def test_each_connected_part_is_an_instance() -> None:
    assert as_lists(split_instances(TOUCHING, "components")) == [
        [[1, 1, 1], [0, 0, 1], [0, 0, 0]],
        [[0, 0, 0], [0, 0, 0], [1, 0, 0]],
    ]


def test_corners_that_touch_connect() -> None:
    assert as_lists(split_instances(np.eye(2), "components")) == [[[1, 0], [0, 1]]]


def test_the_whole_is_one_instance() -> None:
    assert as_lists(split_instances(TOUCHING, "whole")) == [[[1, 1, 1], [0, 0, 1], [1, 0, 0]]]


@pytest.mark.parametrize("instances", ["values", "components", "whole"])
def test_nothing_drawn_is_no_instance(instances: str) -> None:
    assert split_instances(np.zeros((2, 3)), instances) == ()


def test_as_many_values_as_allowed_are_instances() -> None:
    values = np.arange(MOST_INSTANCES + 1)[None]
    assert len(split_instances(values, "values")) == MOST_INSTANCES


def test_one_value_more_is_a_picture() -> None:
    with pytest.raises(CaseError, match="65 different values") as refused:
        split_instances(np.arange(MOST_INSTANCES + 2)[None], "values")
    assert refused.value.reason == "not_a_mask"


def test_a_picture_may_be_taken_as_a_whole() -> None:
    (mask,) = split_instances(np.arange(MOST_INSTANCES + 2)[None], "whole")
    assert mask.sum() == MOST_INSTANCES + 1


def test_values_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(CaseError, match="not numbers"):
        split_instances(np.array([[0.0, np.nan]]), "values")


def test_swapped_rows_and_columns_are_named() -> None:
    check_size((2, 3), (2, 3))
    with pytest.raises(CaseError, match="look swapped") as refused:
        check_size((3, 2), (2, 3))
    assert refused.value.reason == "mask_size"
