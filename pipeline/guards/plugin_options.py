"""Plug-in options: config keys and values → keyword-only arguments of a plug-in's function."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from inspect import Parameter, signature
from pathlib import Path
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import ConfigDict, ValidationError, create_model

from pipeline.errors import ConfigError
from pipeline.registry import did_you_mean

STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, arbitrary_types_allowed=True)
"""No coercion: `True` and "3" are not numbers, because YAML already types its values."""
WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", NoneType: "null",
         Path: "a path"}  # fmt: skip


def options_of(
    function: Callable[..., Any],
    values: Mapping[str, Any],
    *,
    where: Callable[[str], str],
    plugin: str,
    given_elsewhere: Collection[str] = (),
) -> dict[str, Any]:
    """`values` checked against the keyword-only arguments of `function`; lists become tuples.

    `plugin` is the plug-in's name in messages; `where(option)` is an option's key in the config. Arguments
    in `given_elsewhere` are not options. Raises ConfigError for an unknown, missing or ill-typed option.
    """
    known = {
        name: parameter
        for name, parameter in signature(function).parameters.items()
        if parameter.kind is Parameter.KEYWORD_ONLY and name not in given_elsewhere
    }
    for option in values:
        if option not in known:
            raise ConfigError(f"{where(option)}: unknown option of {plugin}{did_you_mean(option, known)}")
    types = types_of(function, known)
    for option, parameter in known.items():
        if parameter.default is Parameter.empty and option not in values:
            wanted = in_words(types[option])
            raise ConfigError(f"{where(option)}: is missing; set it to {wanted}, {plugin} requires it")
    return {option: _fitting(value, types[option], where(option)) for option, value in values.items()}


def types_of(function: Callable[..., Any], options: Collection[str]) -> dict[str, Any]:
    """Option → type, of the options alone: the function's other annotations may not be importable yet."""
    stub = SimpleNamespace(
        __annotations__={name: function.__annotations__.get(name, "Any") for name in options}
    )
    return get_type_hints(stub, globalns={"Any": Any} | getattr(function, "__globals__", {}))


def _fitting(value: object, wanted: Any, where: str) -> Any:
    model = create_model("Option", __config__=STRICT, value=(wanted, ...))
    try:
        # Strict mode accepts a list for a tuple only in JSON input.
        return _tupled(model.model_validate_json(json.dumps({"value": value})).value)  # type: ignore[attr-defined]
    except (ValidationError, TypeError, ValueError):
        raise ConfigError(f"{where}: found {value!r}; set it to {in_words(wanted)}") from None


def _tupled(value: Any) -> Any:
    """The value with every list replaced by a tuple."""
    return tuple(map(_tupled, value)) if isinstance(value, list) else value


def in_words(wanted: Any) -> str:
    """A type in the words of a YAML author, for example "a whole number or null"."""
    if wanted in WORDS:
        return WORDS[wanted]
    origin, arguments = get_origin(wanted), get_args(wanted)
    if origin is Literal:
        return " or ".join(map(repr, arguments))
    parts = [in_words(argument) for argument in arguments if argument is not Ellipsis]
    if origin in {Union, UnionType}:
        return " or ".join(parts)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "keys and values"
    if origin is tuple and Ellipsis not in arguments:
        return f"a list of {', '.join(parts)}"
    return f"a list, each {parts[0]}" if parts else f"a {getattr(wanted, '__name__', wanted)}"
