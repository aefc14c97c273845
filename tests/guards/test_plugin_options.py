"""Plug-in options: YAML values are checked against the types that a function declares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import pytest

from pipeline.errors import ConfigError
from pipeline.guards.plugin_options import options_of

Size: TypeAlias = int | tuple[int, ...]


def function(
    *,
    count: int = 1,
    share: float = 0.5,
    on: bool = True,
    text: str = "",
    choice: Literal["a", "b"] = "a",
    maybe: float | None = None,
    several: Sequence[float] = (),
    pair: tuple[int, str] = (0, ""),
    size: Size = 1,
    level: float | Literal["minimum"] = 0.0,
) -> None:
    """Has one option of each supported type."""


def fitted_option(option: str, value: Any) -> Any:
    return options_of(function, {option: value}, where=lambda _: "methods: x", plugin="it")[option]


@pytest.mark.parametrize(
    ("option", "value", "fitted"),
    [
        ("count", 3, 3),
        ("share", 0.25, 0.25),
        ("share", 1, 1.0),
        ("on", False, False),
        ("text", "x", "x"),
        ("choice", "b", "b"),
        ("maybe", None, None),
        ("maybe", 2, 2.0),
        ("several", [1, 2.5], (1.0, 2.5)),
        ("several", [], ()),
        ("pair", [1, "x"], (1, "x")),
        ("size", 3, 3),
        ("size", [3, 4, 5], (3, 4, 5)),
        ("level", "minimum", "minimum"),
        ("level", 1, 1.0),
    ],
)
def test_a_value_that_fits_is_of_the_declared_type(option: str, value: Any, fitted: Any) -> None:
    found = fitted_option(option, value)
    assert found == fitted
    assert type(found) is type(fitted)


@pytest.mark.parametrize(
    ("option", "value", "wanted"),
    [
        ("count", 2.5, "a whole number"),
        ("count", True, "a whole number"),
        ("count", "3", "a whole number"),
        ("share", "half", "a number"),
        ("share", float("nan"), "a number"),
        ("share", float("inf"), "a number"),
        ("share", True, "a number"),
        ("on", 1, "true or false"),
        ("text", 1, "a text"),
        ("choice", "c", "'a' or 'b'"),
        ("choice", ["a"], "'a' or 'b'"),
        ("maybe", "x", "a number or null"),
        ("several", 1, "a list, each a number"),
        ("several", ["x"], "a list, each a number"),
        ("pair", [1], "a list of a whole number, a text"),
        ("size", [1.5], "a whole number or a list, each a whole number"),
        ("level", "maximum", "a number or 'minimum'"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_what_was_wanted(
    option: str, value: Any, wanted: str
) -> None:
    with pytest.raises(ConfigError) as error:
        fitted_option(option, value)
    assert str(error.value) == f"methods: x: found {value!r}; set it to {wanted}"
