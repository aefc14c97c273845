"""Options: a value from a config, of the type that a function's parameter declares."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pipeline.errors import ConfigError

WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", NoneType: "null"}


def fitting(value: object, function: Callable[..., Any], parameter: str, *, key: str) -> Any:
    """`value` as the parameter's annotation wants it (lists become tuples); else a ConfigError at `key`."""
    stub = SimpleNamespace(__annotations__={parameter: function.__annotations__[parameter]})
    wanted = get_type_hints(stub, globalns=getattr(function, "__globals__", {}))[parameter]
    try:
        return _fitted(value, wanted)
    except ValueError:
        raise ConfigError(f"{key}: found {value!r}, wanted {_in_words(wanted)}") from None


def _fitted(value: object, wanted: Any) -> Any:
    """`value` as a `wanted`, or ValueError."""
    origin, arguments = get_origin(wanted), get_args(wanted)
    if origin in {Union, UnionType}:
        return _first_fitting(value, arguments)
    if origin is Literal and value in arguments:
        return value
    if origin in {tuple, Sequence} and isinstance(value, list | tuple):
        return _fitted_tuple(tuple(value), arguments if origin is tuple else (*arguments, ...))
    if wanted is float and type(value) in {int, float} and math.isfinite(float(value)):  # type: ignore[arg-type]
        return float(value)  # type: ignore[arg-type]
    if wanted in WORDS and wanted is not float and type(value) is wanted:  # True is no whole number
        return value
    raise ValueError(value)


def _first_fitting(value: object, choices: tuple[Any, ...]) -> Any:
    for choice in choices:
        try:
            return _fitted(value, choice)
        except ValueError:
            continue
    raise ValueError(value)


def _fitted_tuple(values: tuple[Any, ...], arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    if arguments[-1] is Ellipsis:
        arguments = arguments[:1] * len(values)
    if len(values) != len(arguments):
        raise ValueError(values)
    return tuple(_fitted(value, argument) for value, argument in zip(values, arguments, strict=True))


def _in_words(wanted: Any) -> str:
    if wanted in WORDS:
        return WORDS[wanted]
    origin, arguments = get_origin(wanted), get_args(wanted)
    if origin in {Union, UnionType}:
        return " or ".join(_in_words(argument) for argument in arguments)
    if origin is Literal:
        return " or ".join(repr(argument) for argument in arguments)
    if origin is Sequence or arguments[-1] is Ellipsis:
        return f"a list, each {_in_words(arguments[0])}"
    return f"a list of {', '.join(_in_words(argument) for argument in arguments)}"
