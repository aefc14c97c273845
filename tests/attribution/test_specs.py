"""Specs: methods as a config or a notebook names them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.attribution.specs import Spec, read_specs
from pipeline.errors import ConfigError


def spec(value: Any) -> Spec:
    (read,) = read_specs([value])
    return read


def test_a_name_with_and_without_a_layer() -> None:
    assert spec("gradcam") == Spec("gradcam", "gradcam")
    assert spec("gradcam++@stride8") == Spec("gradcam++@stride8", "gradcam++", "stride8")
    assert spec("layercam@features.relu#2").layer == "features.relu#2"


@pytest.mark.parametrize(
    "value",
    [
        {"method": "gradcam@stride8"},
        {"method": "gradcam", "layer": "stride8"},
        {"method": "gradcam", "stride": 8},
    ],
)
def test_three_ways_to_name_a_layer_in_a_mapping(value: dict[str, Any]) -> None:
    assert spec(value) == spec("gradcam@stride8")


def test_a_mapping_has_options_and_may_have_a_name() -> None:
    value = {"method": "integrated_gradients", "steps": 4}
    assert spec(value) == Spec("integrated_gradients", "integrated_gradients", options={"steps": 4})
    assert spec({**value, "name": "IG"}) == Spec("IG", "integrated_gradients", options={"steps": 4})
    assert value == {"method": "integrated_gradients", "steps": 4}


def test_a_wrapper_is_called_after_what_it_wraps_however_deep() -> None:
    inner = {"method": "smoothgrad", "of": "gradcam@stride8", "samples": 2}
    read = spec({"method": "flips", "of": inner})
    assert read.name == "flips(smoothgrad(gradcam@stride8))"
    assert read.of == (
        Spec("smoothgrad(gradcam@stride8)", "smoothgrad", None, (spec("gradcam@stride8"),), {"samples": 2}),
    )
    several = spec({"method": "layers", "of": ["gradcam@stride8", {"method": "layercam", "stride": 16}]})
    assert several.name == "layers(gradcam@stride8, layercam@stride16)"
    assert [one.layer for one in several.of] == ["stride8", "stride16"]


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("gradcma", "methods: unknown attribution method 'gradcma'; did you mean 'gradcam'?"),
        ("gradcam@", "methods: 'gradcam@' names no layer after the @; write for example gradcam@stride8"),
        (
            3,
            (
                "methods: found 3, wanted a method's name, or keys and values with 'method'; write for "
                "example gradcam"
            ),
        ),
        ({"of": "gradcam"}, "methods: {'of': 'gradcam'} has no key 'method'"),
        ({"method": 3}, "methods: method: found 3, wanted a text; set it to a name"),
        ({"method": "lpr"}, "methods: unknown attribution method 'lpr'; did you mean 'lrp'?"),
        (
            {"method": "flips", "of": {"method": "smoothgrad", "of": "lpr"}},
            "methods: flips: of: smoothgrad: of: unknown attribution method 'lpr'; did you mean 'lrp'?",
        ),
        (
            {"method": "gradcam@last", "stride": 8},
            "methods: gradcam: has 2 layers (last, stride8); keep one",
        ),
        (
            {"method": "gradcam", "stride": "8"},
            "methods: gradcam: stride: found '8', wanted a whole number; set for example 8",
        ),
        ({"method": "gradcam", "stride": True}, "methods: gradcam: stride: found True"),
        (
            {"method": "gradcam", "layer": ""},
            "methods: gradcam: layer: found '', wanted a text; set it to a name",
        ),
        (
            {"method": "gradcam", "name": "a/b"},
            (
                "methods: gradcam: name: found 'a/b', wanted a text without '/' or control characters; "
                "rename it"
            ),
        ),
        ({"method": "gradcam", "name": "a\nb"}, "methods: gradcam: name: found 'a\\nb'"),
        (
            {"method": "gradcam", "name": 7},
            "methods: gradcam: name: found 7, wanted a text; set it to a name",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(value: Any, complaint: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_specs([value])
    assert str(error.value).startswith(complaint)


def test_names_are_unique_and_not_those_of_something_else() -> None:
    with pytest.raises(
        ConfigError, match=r"^methods: the name 'gradcam' is taken; write \{method: gradcam, …, name"
    ):
        read_specs(["gradcam", "gradcam@last", {"method": "gradcam"}])
    with pytest.raises(ConfigError, match="'random' is taken"):
        read_specs([{"method": "gradcam", "name": "random"}], reserved=["random"])
    assert len(read_specs(["gradcam", {"method": "gradcam", "name": "again"}])) == 2


def test_no_method_at_all_is_refused_with_all_there_are() -> None:
    with pytest.raises(ConfigError, match=r"^methods: is empty; choose at least one of: ablationcam, cam, "):
        read_specs([])


def test_specs_are_read_without_loading_torch() -> None:
    read = (
        "import sys\nfrom pipeline.attribution.specs import read_specs\n"
        "read_specs(['gradcam', {'method': 'smoothgrad', 'of': 'lrp'}])\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", read], check=True, cwd=Path(__file__).parents[2])
