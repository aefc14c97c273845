"""Tests of values of JSON files that anybody may have written."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest

from pipeline.annotations.json_fields import name_in, size_in, usable
from pipeline.annotations.shapes import Problem, point_of
from pipeline.errors import CaseError
from pipeline.records import Point


@pytest.mark.parametrize(("value", "name"), [("a", "a"), ("", ""), (7, "7"), (-1, "-1")])
def test_names_are_text_or_whole_numbers(value: Any, name: str) -> None:
    assert name_in({"id": value}, "id") == name


@pytest.mark.parametrize(
    "entry", [{}, {"id": None}, {"id": True}, {"id": 1.5}, {"id": []}, {"id": 10**5000}, [], 5]
)
def test_anything_else_is_refused(entry: Any) -> None:
    with pytest.raises(CaseError) as refused:
        name_in(entry, "id")
    assert refused.value.reason == "bad_entry"


@pytest.mark.parametrize(
    ("entry", "size"),
    [
        ({"h": 3, "w": 4}, (3, 4)),
        ({"h": 3.0, "w": 4}, (3, 4)),
        ({"h": 0, "w": 4}, None),
        ({"h": -3, "w": 4}, None),
        ({"h": True, "w": 4}, None),
        ({"h": "3", "w": 4}, None),
        ({"h": 1e308, "w": 4}, None),
        ({"h": 3}, None),
        (None, None),
    ],
)
def test_a_size_is_two_numbers_above_0_or_unknown(entry: Any, size: tuple[int, int] | None) -> None:
    assert size_in(entry, "h", "w") == size


def test_what_a_shape_raises_is_its_problem() -> None:
    def broken() -> NoReturn:
        raise KeyError("x")

    assert usable(lambda: point_of(1, 1)) == Point(0.5, 0.5)
    assert usable(lambda: point_of(1, "x")) == Problem("bad_point", usable(lambda: point_of(1, "x"))[1])  # type: ignore[index]  # a problem
    assert isinstance(found := usable(broken), Problem)
    assert found.reason == "bad_shape"
