"""Binding: a method with its layer, its options and what it wraps → a function of a forward pass."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from pipeline.attribution import METHODS
from pipeline.attribution.options import fitting
from pipeline.attribution.specs import Spec
from pipeline.contracts import AttributionMethod, Forward
from pipeline.errors import ConfigError
from pipeline.registry import did_you_mean


@dataclass(frozen=True, slots=True)
class BoundMethod:
    """A method that needs nothing more than a forward pass."""

    name: str
    method: AttributionMethod
    maps: Callable[[Forward], Tensor]
    layer: str | None
    """The target layer that it reads itself."""
    of: tuple[BoundMethod, ...] = ()

    @property
    def layers(self) -> tuple[str, ...]:
        """The target layers that it reads, itself or through what it wraps."""
        own = () if self.layer is None else (self.layer,)
        return tuple(dict.fromkeys([*own, *(layer for inner in self.of for layer in inner.layers)]))

    @property
    def reads_input(self) -> bool:
        """Whether it goes back to the input itself, or something that it wraps does."""
        return self.method.reads == "input" or any(inner.reads_input for inner in self.of)


def bind(spec: Spec, *, default_layer: str) -> BoundMethod:
    """The method of a spec; a layer or an option that it does not take is a ConfigError."""
    method = METHODS[spec.method]
    of = _wrapped(spec, method, default_layer)
    options = _fitting_options(spec, method.maps)
    if of:
        options["of"] = tuple(inner.maps for inner in of) if method.of_many else of[0].maps
    layer = _layer(spec, method, default_layer)
    if layer is not None:
        options["layer"] = layer
    return BoundMethod(spec.name, method, partial(method.maps, **options), layer, of)


def _layer(spec: Spec, method: AttributionMethod, default_layer: str) -> str | None:
    """The target layer that the method itself reads, if it reads one."""
    if "layer" in inspect.signature(method.maps).parameters:
        return spec.layer or default_layer
    if spec.layer:
        remedy = "name it in 'of'" if method.reads == "method" else f"write '{spec.method}'"
        raise ConfigError(f"methods: {spec.name}: {spec.method} takes no layer; {remedy}")
    return None


def _wrapped(spec: Spec, method: AttributionMethod, default_layer: str) -> tuple[BoundMethod, ...]:
    if method.reads != "method":
        if spec.of:
            raise ConfigError(f"methods: {spec.name}: {spec.method} wraps no other method; leave out 'of'")
        return ()
    if not spec.of:
        raise ConfigError(
            f"methods: {spec.name}: of: is missing; write for example {{method: {spec.method}, of: gradcam}}"
        )
    if len(spec.of) > 1 and not method.of_many:
        raise ConfigError(f"methods: {spec.name}: of: found {len(spec.of)} methods, wanted one")
    return tuple(bind(inner, default_layer=default_layer) for inner in spec.of)


def _fitting_options(spec: Spec, maps: Callable[..., Tensor]) -> dict[str, Any]:
    """The options of a spec, each of its parameter's type."""
    known = _options_of(maps)
    for option in spec.options:
        if option not in known:
            meant = did_you_mean(option, known)
            raise ConfigError(f"methods: {spec.name}: {option}: unknown option of {spec.method}{meant}")
    for name, parameter in known.items():
        if parameter.default is parameter.empty and name not in spec.options:
            raise ConfigError(f"methods: {spec.name}: {name}: is missing")
    return {
        option: fitting(value, maps, known[option].name, key=f"methods: {spec.name}: {option}")
        for option, value in spec.options.items()
    }


def _options_of(maps: Callable[..., Tensor]) -> Mapping[str, inspect.Parameter]:
    """The keyword-only parameters, but for `of`."""
    return {
        name: parameter
        for name, parameter in inspect.signature(maps).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and name not in {"of", "layer"}
    }
