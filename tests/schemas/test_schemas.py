"""Schemas: current, complete, and in agreement with what the program accepts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from pipeline.attribution.binding import bind
from pipeline.attribution.specs import read_specs
from pipeline.classifiers.card import ModelCard
from pipeline.classifiers.recipe import INTENSITY_PRESETS
from pipeline.config import AuditConfig
from pipeline.errors import ConfigError
from tests.schemas.building import SCHEMAS, as_text, card_schema, config_schema, undescribed
from tests.schemas.comments import key_comments, method_comments

PROJECT = Path(__file__).parents[2]
CONFIGS = sorted((PROJECT / "configs").glob("*.yaml"))
CARDS = sorted(
    [*(PROJECT / "configs" / "models").glob("*.yaml"), *(PROJECT / "pipeline").rglob("*_model.yaml")]
)
CARD: dict[str, Any] = yaml.safe_load(CARDS[0].read_text())
ACCEPTED: tuple[dict[str, Any], ...] = (
    {},
    {"methods": ["gradcam@stride8", {"method": "rise", "samples": 10, "name": "coarse"}]},
    {"methods": [{"method": "smoothgrad", "of": "gradcam", "samples": 4}, {"method": "lab_cam", "depth": 3}]},
    {"methods": [{"method": "layercam", "stride": 8}, {"method": "layercam@stride8"}]},
    {"annotations": {"sources": [{"format": "png", "pattern": ["a/{image}.png", "b/{image}.png"]}]}},
    {"annotations": {"sources": [{"format": "lab_boxes", "anything": 1}], "findings": {"Mass": None}}},
    {"annotations": {"labels": {"file": "labels.csv", "columns": {"nodule": "nodule"}}}},
    {"baselines": {"center_prior": False, "location_prior": {"where": {"split": ["train", 1]}}}},
    {"validation": {"levels": {"specks": False}}},
    {"contours": {"findings": {"nodule": {"rule": "otsu"}}}},
    {"statistics": {"confidence": 0.9}},
    {"studies": "images"},
    {"studies": {"path": "images", "formats": ["PNG"], "table": {"file": "a.csv", "spacing": ["a", "b"]}}},
)
REFUSED: tuple[dict[str, Any], ...] = (
    {"thresholds": 1},
    {"studies": {"formats": ["BMP"]}},
    {"studies": {"table": {"patient": "id"}}},
    {"contours": {"treshold": 0.5}},
    {"contours": {"gate": "always"}},
    {"contours": {"findings": {"nodule": {"scaling": "minmax"}}}},
    {"methods": [3]},
    {"baselines": {"location_prior": {"split": "train"}}},
    {"statistics": {"confidence": 1}},
    {"batch_size": 0},
    {"validation": {"levels": {"specks": "bad"}}},
    {"contours": {"threshold": True}},
    {"workers": True},
    {"batch_size": "3"},
    {"allow_pickle_weights": "1"},
    {"baselines": {"x": 1}},
    {"select": {"file": "a.csv", "where": {"split": True}}},
)
METHODS_ACCEPTED: tuple[Any, ...] = (
    "gradcam",
    "gradcam@stride8",
    "guided_gradcam@features.norm5",
    {"method": "guided_gradcam", "layer": "x"},
    {"method": "guided_gradcam", "stride": 8},
    {"method": "gradcam@stride8"},
    {"method": "rise", "samples": 10},
    {"method": "smoothgrad", "of": ["gradcam"]},
    {"method": "layers", "of": ["gradcam", {"method": "layercam", "stride": 8}]},
)
METHODS_REFUSED: tuple[Any, ...] = (
    "gradcam@",
    "rise@stride8",
    "smoothgrad",
    "smoothgrad@stride8",
    {"method": "gradcam@"},
    {"method": "rise@stride8"},
    {"method": "rise", "layer": "x"},
    {"method": "smoothgrad@stride8", "of": "gradcam"},
    {"method": "smoothgrad", "of": []},
    {"method": "smoothgrad", "of": None},
    {"method": "smoothgrad", "of": "gradcam@"},
    {"method": "smoothgrad", "of": ["gradcam", "cam"]},
    {"method": "gradcam", "of": []},
    {"method": "gradcam", "name": ""},
    {"method": "gradcam", "name": "a/b"},
    {"method": "gradcam", "layer": ""},
)
CARDS_REFUSED: tuple[dict[str, Any], ...] = (
    {"weights": "a.safetensors", "sha256": None},
    {"weights": "a.safetensors"},
    {"preprocessing": {"resize": {"rule": "exact", "size": None}}},
    {"preprocessing": {"resize": {"rule": "longer_side"}, "crop": {"centre": [4, 4]}}},
    {"preprocessing": {"resize": {"rule": "none", "size": 4}, "crop": {"centre": [4, 4]}}},
    {"preprocessing": {"channels": True}},
    {"operating_thresholds": True},
)
"""Changes of a card, without its weights and sha256."""
ONLY_THE_PROGRAM_REFUSES: tuple[dict[str, Any], ...] = ({"batch_size": 3.0}, {"statistics": {"seed": 1.0}})
"""A whole number with decimals: JSON Schema has no word for the difference between 3 and 3.0."""
WRONG_OPTIONS: tuple[dict[str, Any], ...] = (
    {"methods": [{"method": "rise", "sample": 10}]},
    {"methods": [{"method": "smoothgrad", "samples": 10}]},
    {"methods": [{"samples": 10}]},
    {"annotations": {"sources": [{"format": "png", "patern": "x"}]}},
    {"annotations": {"sources": [{"pattern": "x"}]}},
)
"""What the program refuses later, where plug-ins are bound."""
COMMENTED = """\
# A headline.
one: 1      # first
            # and more
#two:       # second
#  three:   # third
#    - format: png   # masks
#      pattern: x    # where
four:       # fourth
  five: 5
# {method: cam, a: 1}   # at a layer
"""


def accepts(schema: dict[str, Any], value: dict[str, Any]) -> bool:
    return Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_the_files_are_what_the_code_and_its_comments_say(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == as_text(SCHEMAS[path]()), "run `make schemas`"


@pytest.mark.parametrize("schema", [config_schema(), card_schema()], ids=["config", "card"])
def test_they_are_schemas_and_describe_every_key(schema: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(schema)
    assert list(undescribed(schema)) == []


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_the_configs_in_the_project_keep_to_their_schema(path: Path) -> None:
    values = yaml.safe_load(path.read_text())
    assert accepts(config_schema(), values)
    assert not accepts(config_schema(), {**values, "other": 1})


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.name)
def test_the_model_cards_in_the_project_keep_to_their_schema(path: Path) -> None:
    assert accepts(card_schema(), yaml.safe_load(path.read_text()))


@pytest.mark.parametrize(
    "path", [*CONFIGS, *(PROJECT / "configs" / "models").glob("*.yaml")], ids=lambda path: path.name
)
def test_each_config_and_card_names_its_schema_for_editors(path: Path) -> None:
    name = re.match(r"# yaml-language-server: \$schema=(\S+)\n", path.read_text())
    assert name is not None
    schema = "config.schema.json" if path in CONFIGS else "model_card.schema.json"
    assert (path.parent / name[1]).resolve() == PROJECT / "configs" / schema


@pytest.mark.parametrize("values", ACCEPTED, ids=repr)
def test_what_the_program_accepts_the_schema_accepts(values: dict[str, Any]) -> None:
    AuditConfig.model_validate(values)
    assert accepts(config_schema(), values)


@pytest.mark.parametrize("values", REFUSED, ids=repr)
def test_what_the_program_refuses_the_schema_refuses(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        AuditConfig.model_validate(values)
    assert not accepts(config_schema(), values)


@pytest.mark.parametrize("values", WRONG_OPTIONS, ids=repr)
def test_options_of_plug_ins_are_checked(values: dict[str, Any]) -> None:
    assert not accepts(config_schema(), values)


def bound(value: Any) -> None:
    (spec,) = read_specs(AuditConfig.model_validate({"methods": [value]}).methods)
    bind(spec, default_layer="last")


@pytest.mark.parametrize("value", METHODS_ACCEPTED, ids=repr)
def test_methods_that_the_program_binds_the_schema_accepts(value: Any) -> None:
    bound(value)
    assert accepts(config_schema(), {"methods": [value]})


@pytest.mark.parametrize("value", METHODS_REFUSED, ids=repr)
def test_methods_that_the_program_does_not_bind_the_schema_refuses(value: Any) -> None:
    with pytest.raises(ConfigError, match="methods"):
        bound(value)
    assert not accepts(config_schema(), {"methods": [value]})


@pytest.mark.parametrize("values", ONLY_THE_PROGRAM_REFUSES, ids=repr)
def test_whole_numbers_with_decimals_only_the_program_refuses(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="valid integer"):
        AuditConfig.model_validate(values)
    assert accepts(config_schema(), values)
    with pytest.raises(ConfigError, match="a whole number"):
        bound({"method": "rise", "samples": 10.0})
    assert accepts(config_schema(), {"methods": [{"method": "rise", "samples": 10.0}]})


@pytest.mark.parametrize("changes", CARDS_REFUSED, ids=repr)
def test_cards_that_the_program_refuses_the_schema_refuses(changes: dict[str, Any]) -> None:
    plain = {key: value for key, value in CARD.items() if key not in {"weights", "sha256"}}
    ModelCard.model_validate(plain)
    assert accepts(card_schema(), plain)
    more = changes.get("preprocessing", {})
    card = {**plain, **changes, "preprocessing": {**CARD["preprocessing"], **more}}
    with pytest.raises(ValueError, match="validation error"):
        ModelCard.model_validate(card)
    assert not accepts(card_schema(), card)


@pytest.mark.parametrize("preset", INTENSITY_PRESETS)
def test_a_card_may_name_every_intensity_preset(preset: str) -> None:
    card = {**CARD, "preprocessing": {**CARD["preprocessing"], "intensity": preset}}
    assert accepts(card_schema(), card)
    assert not accepts(card_schema(), {**card, "preprocessing": {**card["preprocessing"], "intensity": "ct"}})


@pytest.mark.parametrize("threshold", [0.3, {"nodule": 0.3}, "file"])
def test_operating_thresholds_may_be_one_number_one_per_finding_or_those_of_the_file(
    threshold: object,
) -> None:
    assert accepts(card_schema(), {**CARD, "operating_thresholds": threshold})


def test_a_wrong_network_class_is_refused_by_card_and_schema() -> None:
    card = {**CARD, "architecture": {**CARD["architecture"], "class": "DenseNet1"}}
    assert not accepts(card_schema(), card)
    with pytest.raises(ValueError, match="unknown network"):
        ModelCard.model_validate(card)


def test_comments_are_found_at_line_ends_on_lines_of_their_own_and_for_keys_without_default() -> None:
    assert key_comments(COMMENTED) == {
        "one": "first and more",
        "two": "second",
        "two.three": "third",
        "two.three.png": "masks",
        "two.three.png.pattern": "where",
        "four": "fourth",
        "four.five": "",
    }
    assert dict(method_comments(COMMENTED)) == {"cam": "at a layer"}
