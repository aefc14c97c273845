"""Binding: a method, its layer, options and wrapped methods → a function of a forward pass."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torch import Tensor

from pipeline.attribution import METHODS
from pipeline.attribution.resample import pixels
from pipeline.attribution.specs import Spec
from pipeline.contracts import AttributionMethod, Forward
from pipeline.errors import ConfigError
from pipeline.guards.plugin_options import options_of
from pipeline.records import Cells


@dataclass(frozen=True, slots=True)
class BoundMethod:
    """A method with its layer and options set, ready to be called with a forward pass."""

    name: str
    method: AttributionMethod
    maps: Callable[[Forward], Tensor]
    layer: str | None
    """Target layer that the method itself reads; None if it reads none."""
    of: tuple[BoundMethod, ...] = ()
    """The wrapped methods."""
    own_cells: Callable[[Forward], tuple[Cells, ...]] | None = None
    """Where the cells of a wrapper lie if its grid is its own."""

    def __call__(self, forward: Forward) -> Tensor:
        """Maps (batch, findings, *grid)."""
        return self.maps(forward)

    def cells(self, forward: Forward) -> tuple[Cells, ...]:
        """Where the cells of the maps lie on the input, per axis of the grid."""
        if self.own_cells is not None:
            return self.own_cells(forward)
        if self.method.reads == "input":
            return pixels(forward.inputs.shape[2:])
        return self.of[0].cells(forward) if self.layer is None else forward.cells(self.layer)

    @property
    def layers(self) -> tuple[str, ...]:
        """Target layers read by this method or by the methods that it wraps."""
        own = () if self.layer is None else (self.layer,)
        return tuple(dict.fromkeys([*own, *(layer for inner in self.of for layer in inner.layers)]))

    @property
    def reads_input(self) -> bool:
        """Whether this method, or one that it wraps, computes relevance of the input."""
        return self.method.reads == "input" or any(inner.reads_input for inner in self.of)


def bind(spec: Spec, *, default_layer: str) -> BoundMethod:
    """The method of a spec. Raises ConfigError for a layer or an option that the method does not take."""
    method = METHODS[spec.method]
    of = _wrapped(spec, method, default_layer)
    options = options_of(
        method.maps,
        spec.options,
        where=lambda option: f"methods: {spec.name}: {option}",
        plugin=spec.method,
        given_elsewhere={"of", "layer"},
    )
    if of:
        options["of"] = of if method.of_many else of[0]
    layer = _layer(spec, method, default_layer)
    if layer is not None:
        options["layer"] = layer
    own_cells = None if method.cells is None else partial(method.cells, **options)
    return BoundMethod(spec.name, method, partial(method.maps, **options), layer, of, own_cells)


def _layer(spec: Spec, method: AttributionMethod, default_layer: str) -> str | None:
    """Target layer that the method itself reads; None if it reads none."""
    if "layer" in inspect.signature(method.maps).parameters:
        return spec.layer or default_layer
    if spec.layer:
        remedy = "name it in 'of'" if method.reads == "method" else f"write '{spec.method}'"
        raise ConfigError(f"methods: {spec.name}: {spec.method} takes no layer; {remedy}")
    return None


def _wrapped(spec: Spec, method: AttributionMethod, default_layer: str) -> tuple[BoundMethod, ...]:
    """The wrapped methods; empty unless the method is a wrapper."""
    if method.reads != "method":
        if spec.of:
            raise ConfigError(f"methods: {spec.name}: {spec.method} wraps no other method; leave out 'of'")
        return ()
    if not spec.of:
        raise ConfigError(
            f"methods: {spec.name}: of: is missing; write for example {{method: {spec.method}, of: gradcam}}"
        )
    if len(spec.of) > 1 and not method.of_many:
        raise ConfigError(
            f"methods: {spec.name}: of: found {len(spec.of)} methods, wanted one; keep one, or list "
            f"{spec.method} once per method"
        )
    return tuple(bind(inner, default_layer=default_layer) for inner in spec.of)
