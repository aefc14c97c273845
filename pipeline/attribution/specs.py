"""Specs: which methods a config asks for, where, and with which options. Read without loading torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pipeline.attribution import METHODS
from pipeline.errors import ConfigError
from pipeline.names import READER_START

MethodSpec: TypeAlias = "str | Mapping[str, Any]"
""""gradcam", "gradcam@stride8", or keys and values, {method: smoothgrad, of: gradcam@stride8, samples: 16}.

Keys: `method`; `layer` or `stride`, where its maps are read; `of`, what it wraps, one or a list, specs again;
`name`, what its maps are called; and the method's own options.
"""


@dataclass(frozen=True, slots=True)
class Spec:
    """One method as it is asked for."""

    name: str
    """What its maps are called."""
    method: str
    """A key of `METHODS`."""
    layer: str | None = None
    of: tuple[Spec, ...] = ()
    """What it wraps."""
    options: Mapping[str, Any] = field(default_factory=dict)


def read_specs(values: Sequence[MethodSpec], *, reserved: Iterable[str] = ()) -> tuple[Spec, ...]:
    """The methods of a config or a notebook; an unknown, malformed or repeated one is a ConfigError.

    Whether the options fit is said where the methods are bound, for that loads them. `reserved` are names
    that something else in the results has.
    """
    if not values:
        raise ConfigError(f"methods: is empty; name at least one, there are: {', '.join(sorted(METHODS))}")
    specs = tuple(_spec(value, "methods") for value in values)
    taken = set(reserved)
    for spec in specs:
        if spec.name in taken or spec.name.startswith(READER_START):
            remedy = f"write {{method: {spec.method}, …, name: <another>}}"
            raise ConfigError(f"methods: the name '{spec.name}' is taken; {remedy}")
        taken.add(spec.name)
    return specs


def _spec(value: MethodSpec, key: str) -> Spec:
    if isinstance(value, str):
        return _of_text(value, key)
    if isinstance(value, Mapping):
        return _of_mapping(dict(value), key)
    raise ConfigError(f"{key}: found {value!r}, wanted a method's name, or keys and values with 'method'")


def _of_text(text: str, key: str) -> Spec:
    method, at, layer = text.partition("@")
    _check(method, key)
    if at and not layer:
        raise ConfigError(f"{key}: '{text}' names no layer after the @; write for example {method}@stride8")
    return Spec(name=text, method=method, layer=layer or None)


def _of_mapping(values: dict[str, Any], key: str) -> Spec:
    if "method" not in values:
        raise ConfigError(f"{key}: {values!r} has no key 'method'; write for example {{method: gradcam}}")
    method, at, layer = _text(values.pop("method"), f"{key}: method").partition("@")
    _check(method, key)
    layers = [*([layer] if at else []), *_layers(values, f"{key}: {method}")]
    if len(layers) > 1:
        raise ConfigError(f"{key}: {method}: has {len(layers)} layers ({', '.join(layers)}); give one")
    inner = values.pop("of", ())
    listed = inner if isinstance(inner, list | tuple) else [inner]
    of = tuple(_spec(one, f"{key}: {method}: of") for one in listed)
    default = "@".join([method, *layers]) + (f"({', '.join(one.name for one in of)})" if of else "")
    name = _name(values.pop("name", default), f"{key}: {method}: name")
    return Spec(name, method, layers[0] if layers else None, of, values)


def _layers(values: dict[str, Any], key: str) -> Iterator[str]:
    """The layers in `values` under keys of their own, which are taken out."""
    if "layer" in values:
        yield _text(values.pop("layer"), f"{key}: layer")
    if "stride" in values:
        stride = values.pop("stride")
        if type(stride) is not int:
            raise ConfigError(f"{key}: stride: found {stride!r}, wanted a whole number")
        yield f"stride{stride}"


def _check(method: str, key: str) -> None:
    try:
        METHODS.check(method)
    except ConfigError as error:
        raise ConfigError(f"{key}: {error}") from error


def _text(value: object, key: str) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{key}: found {value!r}, wanted a text")
    return value


def _name(value: object, key: str) -> str:
    name = _text(value, key)
    if "/" in name or not name.isprintable():
        raise ConfigError(f"{key}: found {name!r}, wanted a text without '/' and control characters")
    return name
