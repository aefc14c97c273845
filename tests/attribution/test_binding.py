"""Binding: what a method is given, and what it refuses to be given."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from pipeline.attribution import METHODS
from pipeline.attribution.binding import BoundMethod, bind
from pipeline.attribution.specs import read_specs
from pipeline.errors import ConfigError
from pipeline.guards.plugin_options import options_of


def bound(value: Any) -> BoundMethod:
    (spec,) = read_specs([value])
    return bind(spec, default_layer="stride32")


def given(method: BoundMethod) -> dict[str, Any]:
    return method.maps.keywords  # type: ignore[attr-defined, no-any-return]


def test_a_layer_that_is_not_named_is_the_default_one() -> None:
    assert given(bound("gradcam")) == {"layer": "stride32"}
    assert given(bound("gradcam@stride8")) == {"layer": "stride8"}
    assert bound("gradcam@stride8").layers == ("stride8",)


def test_a_method_of_the_input_reads_no_layer() -> None:
    assert (given(bound("saliency")), bound("saliency").layers) == ({}, ())


def test_a_method_of_the_input_that_needs_a_layer_gets_one() -> None:
    assert given(bound("guided_gradcam@stride8")) == {"layer": "stride8"}
    assert bound("guided_gradcam").layers == ("stride32",)


def test_options_arrive_as_the_method_declares_them() -> None:
    assert given(bound({"method": "rise", "keep": 1, "samples": 3})) == {"keep": 1.0, "samples": 3}


def test_a_wrapper_gets_what_it_wraps_with_its_own_layers_and_options() -> None:
    inner = {"method": "smoothgrad", "of": "gradcam@stride8", "samples": 2}
    method = bound({"method": "layers", "of": [inner, "gradcam"], "weights": [1, 2]})
    assert method.layers == ("stride8", "stride32")
    first, second = given(method)["of"]
    assert given(method)["weights"] == (1.0, 2.0)
    assert given(first)["samples"] == 2
    assert given(given(first)["of"]) == {"layer": "stride8"}
    assert given(second) == {"layer": "stride32"}


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("saliency@stride8", "methods: saliency@stride8: saliency takes no layer; write 'saliency'"),
        (
            {"method": "smoothgrad", "stride": 8, "of": "gradcam"},
            "methods: smoothgrad@stride8(gradcam): smoothgrad takes no layer; name it in 'of'",
        ),
        (
            "smoothgrad",
            "methods: smoothgrad: of: is missing; write for example {method: smoothgrad, of: gradcam}",
        ),
        (
            {"method": "smoothgrad", "of": ["gradcam", "layercam"]},
            (
                "methods: smoothgrad(gradcam, layercam): of: found 2 methods, wanted one; keep one, or list "
                "smoothgrad once per method"
            ),
        ),
        (
            {"method": "gradcam", "of": "layercam"},
            "methods: gradcam(layercam): gradcam wraps no other method; leave out 'of'",
        ),
        (
            {"method": "integrated_gradients", "step": 4, "name": "IG"},
            "methods: IG: step: unknown option of integrated_gradients; did you mean 'steps'?",
        ),
        (
            {"method": "integrated_gradients", "steps": "many", "name": "IG"},
            "methods: IG: steps: found 'many'; set it to a whole number",
        ),
        (
            {"method": "flips", "of": {"method": "rise", "cels": 3}},
            "methods: rise: cels: unknown option of rise; did you mean 'cells'?",
        ),
        (
            {"method": "gradcam", "forward": 1},
            "methods: gradcam: forward: unknown option of gradcam; remove it, there are none",
        ),
    ],
)
def test_what_a_method_does_not_take_is_refused(value: Any, complaint: str) -> None:
    with pytest.raises(ConfigError) as error:
        bound(value)
    assert str(error.value) == complaint


@pytest.mark.parametrize("name", METHODS)
def test_every_option_of_a_method_has_a_default_that_a_config_could_give(name: str) -> None:
    method = METHODS[name]
    parameters = inspect.signature(method.maps).parameters
    options = {p.name: p.default for p in parameters.values() if p.kind is p.KEYWORD_ONLY and p.name != "of"}
    for option, default in options.items():
        value = list(default) if isinstance(default, tuple) else default
        assert options_of(method.maps, {option: value}, where=str, plugin=name, given_elsewhere={"of"}) == {
            option: default
        }
    assert ("of" in parameters) == (method.reads == "method")
    assert next(iter(parameters)) == "forward"
