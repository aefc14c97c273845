"""Specs: read the methods of a config, with their layers and options, without loading torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pipeline.attribution import METHODS
from pipeline.errors import ConfigError
from pipeline.records.names import READER_START

MethodSpec: TypeAlias = "str | Mapping[str, Any]"
""""gradcam", "gradcam@stride8", or keys and values: {method: smoothgrad, of: gradcam@stride8, samples: 16}.

Keys: `method`; `layer` or `stride`, the target layer; `of`, the wrapped method or a list of them, also specs;
`name`, the name of the maps; and the options of the method.
"""


@dataclass(frozen=True, slots=True)
class Spec:
    """One configured method."""

    name: str
    """Name of its maps in results."""
    method: str
    """A key of `METHODS`."""
    layer: str | None = None
    """Target layer; None for the default."""
    of: tuple[Spec, ...] = ()
    """The wrapped methods."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the method, not checked yet."""


def read_specs(values: Sequence[MethodSpec], *, reserved: Iterable[str] = ()) -> tuple[Spec, ...]:
    """Parse the methods of a config or a notebook.

    Raises ConfigError for unknown, malformed or repeated methods. Options are checked later, by `bind`, which
    loads the methods. `reserved` are names that other entries of the results already use.
    """
    if not values:
        raise ConfigError(f"methods: is empty; choose at least one of: {', '.join(sorted(METHODS))}")
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
        return _from_text(value, key)
    if isinstance(value, Mapping):
        return _from_mapping(dict(value), key)
    raise ConfigError(
        f"{key}: found {value!r}, wanted a method's name, or keys and values with 'method'; write for "
        "example gradcam"
    )


def _from_text(text: str, key: str) -> Spec:
    method, layer = _method_and_layer(text, key)
    return Spec(name=text, method=method, layer=layer or None)


def _method_and_layer(text: str, key: str) -> tuple[str, str]:
    """A known method and its layer, which is empty without an @."""
    method, separator, layer = text.partition("@")
    _check(method, key)
    if separator and not layer:
        raise ConfigError(f"{key}: '{text}' names no layer after the @; write for example {method}@stride8")
    return method, layer


def _from_mapping(values: dict[str, Any], key: str) -> Spec:
    if "method" not in values:
        raise ConfigError(f"{key}: {values!r} has no key 'method'; write for example {{method: gradcam}}")
    method, layer = _method_and_layer(_text(values.pop("method"), f"{key}: method"), key)
    layers = [*([layer] if layer else []), *_layers(values, f"{key}: {method}")]
    if len(layers) > 1:
        raise ConfigError(f"{key}: {method}: has {len(layers)} layers ({', '.join(layers)}); keep one")
    of = tuple(_wrapped(values, f"{key}: {method}: of"))
    default = "@".join([method, *layers]) + (f"({', '.join(one.name for one in of)})" if of else "")
    name = _name(values.pop("name", default), f"{key}: {method}: name")
    return Spec(name, method, layers[0] if layers else None, of, values)


def _wrapped(values: dict[str, Any], key: str) -> Iterator[Spec]:
    """Remove the key `of` from `values` and return the wrapped methods."""
    if "of" not in values:
        return
    inner = values.pop("of")
    listed = inner if isinstance(inner, list | tuple) else [inner]
    if not listed:
        raise ConfigError(f"{key}: found no method; name the wrapped method, for example gradcam")
    for one in listed:
        yield _spec(one, key)


def _layers(values: dict[str, Any], key: str) -> Iterator[str]:
    """Remove the keys `layer` and `stride` from `values` and return their layers."""
    if "layer" in values:
        yield _text(values.pop("layer"), f"{key}: layer")
    if "stride" in values:
        stride = values.pop("stride")
        if type(stride) is not int:
            raise ConfigError(f"{key}: stride: found {stride!r}, wanted a whole number; set for example 8")
        yield f"stride{stride}"


def _check(method: str, key: str) -> None:
    """Raise ConfigError if there is no such method."""
    try:
        METHODS.check(method)
    except ConfigError as error:
        raise ConfigError(f"{key}: {error}") from error


def _text(value: object, key: str) -> str:
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{key}: found {value!r}, wanted a text; set it to a name")
    return value


def _name(value: object, key: str) -> str:
    name = _text(value, key)
    if "/" in name or not name.isprintable():
        raise ConfigError(
            f"{key}: found {name!r}, wanted a text without '/' or control characters; rename it"
        )
    return name
