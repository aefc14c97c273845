"""Config files: the reference, those shipped, and complaints about wrong ones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from inspect import signature
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pipeline.annotations import FORMATS
from pipeline.attribution import METHODS
from pipeline.attribution.binding import bind
from pipeline.attribution.specs import read_specs
from pipeline.baselines import BASELINES
from pipeline.config import (
    DEFAULT_BASELINES,
    AuditConfig,
    OtherImages,
    OwnRule,
    StudyTable,
    load_config,
    parse_override,
)
from pipeline.errors import ConfigError

CONFIGS = Path(__file__).parents[1] / "configs"
REFERENCE = CONFIGS / "audit.yaml"
COMMENTED_KEY = re.compile(r"^#(?! \S)", re.MULTILINE)
"""A # before a key and its indentation; prose has one space and a word."""


def nested(field: FieldInfo) -> type[BaseModel] | None:
    """The model of a field that holds one, or may."""
    named = get_origin(field.annotation) is Mapping  # by findings, which are not keys of the config
    for kind in (field.annotation, *(() if named else get_args(field.annotation))):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def fields(model: type[BaseModel], before: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Dotted key and field of everything that a config can hold."""
    for name, field in model.model_fields.items():
        yield before + name, field
        inner = nested(field)
        if inner:
            yield from fields(inner, f"{before}{name}.")


def value_at(values: Mapping[str, Any], key: str) -> Any:
    found: Any = values
    for part in key.split("."):
        found = found[part]
    return found


KEYS = dict(fields(AuditConfig))


@pytest.fixture(scope="module")
def complete() -> dict[str, Any]:
    """The reference with its optional keys switched on."""
    values: dict[str, Any] = yaml.safe_load(COMMENTED_KEY.sub("", REFERENCE.read_text()))
    return values


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def written(text: str) -> Path:
        path = tmp_path / "own.yaml"
        path.write_text(text)
        return path

    return written


def refusal(path: Path | None, **overrides: Any) -> str:
    with pytest.raises(ConfigError) as error:
        load_config(path, {key.replace("__", "."): value for key, value in overrides.items()})
    return str(error.value)


def test_the_reference_holds_the_defaults() -> None:
    assert load_config(REFERENCE, {}) == AuditConfig()


def test_keys_are_found_in_every_depth() -> None:
    assert {"title", "contours.rule", "annotations.labels.columns", "select.where"} <= set(KEYS)


@pytest.mark.parametrize("key", KEYS)
def test_the_reference_names_every_key(complete: dict[str, Any], key: str) -> None:
    value_at(complete, key)


@pytest.mark.parametrize(
    "key",
    [
        key
        for key, field in KEYS.items()
        if not nested(field)
        and field.get_default(call_default_factory=True) not in (None, PydanticUndefined, (), {})
        and key != "baselines"
    ],
)
def test_the_reference_shows_the_default_of(complete: dict[str, Any], key: str) -> None:
    default = KEYS[key].get_default(call_default_factory=True)
    shown = value_at(complete, key)
    assert shown == (
        list(default)
        if isinstance(default, tuple)
        else str(default)
        if isinstance(default, Path)
        else default
    )


def test_the_reference_shows_every_baseline(complete: dict[str, Any]) -> None:
    shown = complete["baselines"]
    assert list(shown) == list(BASELINES) == list(DEFAULT_BASELINES)
    assert shown.pop("location_prior").keys() == OtherImages.model_fields.keys()
    assert shown == {name: value for name, value in DEFAULT_BASELINES.items() if value is not None}


def test_the_reference_is_a_config_with_its_optional_keys_too(complete: dict[str, Any]) -> None:
    assert AuditConfig.model_validate(complete) != AuditConfig()


def test_the_reference_shows_every_key_of_a_findings_own_rule(complete: dict[str, Any]) -> None:
    (cut,) = complete["contours"]["findings"].values()
    assert cut.keys() == OwnRule.model_fields.keys()


def test_the_reference_comments_every_key() -> None:
    lines = [line for line in REFERENCE.read_text().splitlines() if re.match(r"#? *(- )?\w+:( |$)", line)]
    assert len(lines) > len(KEYS)  # and the options of annotation formats
    assert [line for line in lines if " # " not in line] == []


@pytest.mark.parametrize("name", FORMATS)
def test_the_reference_shows_every_option_of_an_annotation_format(
    complete: dict[str, Any], name: str
) -> None:
    (shown,) = (s for s in complete["annotations"]["sources"] if s["format"] == name)
    options = {
        p.name: p.default
        for p in signature(FORMATS[name].find).parameters.values()
        if p.kind is p.KEYWORD_ONLY
    }
    assert shown.keys() - {"format", "unmarked"} == options.keys()  # every format has the second
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in shown.items()}
    assert {key: given[key] for key, default in options.items() if default is not None} == {
        key: default for key, default in options.items() if default is not None
    }


SHOWN = [
    yaml.safe_load(line.removeprefix("# ").partition("  #")[0])
    for line in REFERENCE.read_text().splitlines()
    if line.startswith("# {method: ")
]
"""The methods as the reference shows them."""


def test_the_reference_shows_every_attribution_method_once() -> None:
    assert [shown["method"] for shown in SHOWN] == list(METHODS)


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: shown["method"])
def test_the_reference_shows_every_option_of_an_attribution_method(shown: dict[str, Any]) -> None:
    parameters = signature(METHODS[shown["method"]].maps).parameters.values()
    options = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in shown.items()}
    assert given.keys() - {"method"} == options.keys()
    assert given == options | {"method": given["method"]} | ({"of": given["of"]} if "of" in given else {})
    (spec,) = read_specs([shown])
    bind(spec, default_layer="last")


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_config_is_valid(path: Path) -> None:
    assert load_config(path, {}).title


def test_the_smoke_config_is_cheap() -> None:
    assert load_config(CONFIGS / "smoke.yaml", {}).statistics.replicates <= 100


def test_without_a_file_everything_is_default() -> None:
    assert load_config(None, {}) == AuditConfig()


def test_an_empty_file_changes_nothing(write: Any) -> None:
    assert load_config(write("# nothing yet\n"), {}) == AuditConfig()


def test_the_command_line_beats_the_file_and_leaves_the_keys_beside_it(write: Any) -> None:
    path = write("contours: {threshold: 0.3, rule: percentile}\ntitle: Mine\n")
    config = load_config(path, {"contours.threshold": 40, "statistics.seed": 7})
    assert (config.contours.threshold, config.contours.rule, config.title) == (40, "percentile", "Mine")
    assert config.statistics.seed == 7


def test_a_wrong_value_in_the_file_may_be_mended_on_the_command_line(write: Any) -> None:
    assert load_config(write("batch_size: 0\n"), {"batch_size": 2}).batch_size == 2


def test_a_config_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        AuditConfig().title = "other"  # type: ignore[misc]


def test_one_value_stands_for_a_list_of_one(write: Any) -> None:
    config = load_config(write("select: {file: a.csv, where: {split: dev, site: [a, b]}}\n"), {})
    assert config.select is not None
    assert config.select.where == {"split": ("dev",), "site": ("a", "b")}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("tilte: x", "tilte: unknown key; did you mean 'title'?"),
        ("contours: {treshold: 0.5}", "contours.treshold: unknown key; did you mean 'threshold'?"),
        (
            "contours: {zzz: 1}",
            "contours.zzz: unknown key; choose one of: filled, findings, gate, minimum_area_mm2, ",
        ),
        ("select: {file: a, where: {}, imgae: b}", "select.imgae: unknown key; did you mean 'image'?"),
        (
            "annotations: {labels: {file: a, colums: {}}}",
            "annotations.labels.colums: unknown key; did you mean 'columns'?",
        ),
        (
            "baselines: {location_prior: {were: {}}}",
            "baselines.location_prior.were: unknown key; did you mean 'where'?",
        ),
        ("select: {where: {split: dev}}", "select.file: is missing"),
        ("contours: 0.6", "contours: wanted keys and values (found 0.6)"),
        (
            "contours:",
            "contours: wanted keys and values (found no value, as which YAML reads null, ~ or nothing",
        ),
        (
            "contours: {gate: off}",
            "contours.gate: wanted 'predicted', 'all' or 'annotated' (found false, as which YAML reads",
        ),
        (
            "policy: {max_suspicion: {card: null}}",
            "policy.max_suspicion.card: wanted 'none', 'weak' or 'strong' (found no value, as which",
        ),
        (
            "policy: {max_suspicion: {card: on}}",
            "policy.max_suspicion.card: wanted 'none', 'weak' or 'strong' (found true, as which YAML reads",
        ),
        ("methods: gradcam", "methods: wanted a list, as in [a, b] (found 'gradcam')"),
        (
            "methods: [3]",
            "methods.0: wanted a name, as in gradcam, or keys and values, as in {method: gradcam} (found 3)",
        ),
        ("memory_mb: 0", "memory_mb: wanted more than 0 (found 0)"),
        ("annotations: {sources: [png]}", "annotations.sources.0: wanted keys and values (found 'png')"),
        (
            "annotations: {findings: {1: a}}",
            "annotations.findings.1: wanted a text; put it in quotes",
        ),
        ("studies: [a, b]", "studies.path: wanted a path (found ['a', 'b'])"),
        ("title: 2024", "title: wanted a text; put it in quotes"),
        ("batch_size: 0", "batch_size: wanted more than 0 (found 0)"),
        ("batch_size: many", "batch_size: wanted a whole number; set it to one"),
        ("workers: 1.5", "workers: wanted a whole number; set it to one"),
        ("workers: -1", "workers: wanted 0 or more (found -1)"),
        (
            "policy: {max_skipped: 10}",
            "policy.max_skipped: wanted 1 or less (found 10)",
        ),
        ("statistics: {confidence: 1}", "statistics.confidence: wanted less than 1 (found 1)"),
        ("contours: {threshold: .nan}", "contours.threshold: wanted a finite number (found nan)"),
        (
            "contours: {gate: open}",
            "contours.gate: wanted 'predicted', 'all' or 'annotated' (found 'open')",
        ),
        ("precision: float16", "precision: wanted 'float32' or 'bfloat16' (found 'float16')"),
        ("3: x", "3: wanted a text as the key; put it in quotes (found 3)"),
    ],
)
def test_a_wrong_config_is_refused_by_file_and_key(write: Any, text: str, complaint: str) -> None:
    path = write(text)
    assert f"{path}: {complaint}" in refusal(path)


def test_all_errors_are_reported_at_once(write: Any) -> None:
    path = write("tilte: x\nbatch_size: 0\n")
    assert len(refusal(path).splitlines()) == 2


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("contours__treshold", 0.5, "contours.treshold: unknown key; did you mean 'threshold'?"),
        ("contours__threshold", "high", "contours.threshold: wanted a number; set it to one"),
        ("statistics", {"sed": 1}, "statistics.sed: unknown key; did you mean 'seed'?"),
        (
            "title__main",
            "x",
            "title.main: 'title' holds a value, not further keys; end the key with 'title'",
        ),
        (
            "studies__folder",
            "x",
            "studies.folder: unknown key; choose one of: cache, credentials, dicomweb, formats, path, table",
        ),
    ],
)
def test_a_wrong_override_is_laid_at_the_command_line(
    write: Any, key: str, value: Any, complaint: str
) -> None:
    assert refusal(write("title: Mine"), **{key: value}).startswith(f"command line: {complaint}")


def test_beside_a_wrong_override_the_file_answers_for_its_own(write: Any) -> None:
    path = write("contours: {gate: open, rule: otsu}")
    assert sorted(
        line.partition(":")[0] for line in refusal(path, contours__threshold="x").splitlines()
    ) == sorted(["command line", str(path)])


@pytest.mark.parametrize(
    ("text", "override"),
    [
        ("contours.threshold=0.5", ("contours.threshold", 0.5)),
        ("title=Night shift", ("title", "Night shift")),
        ("methods=[cam, gradcam@stride8]", ("methods", ["cam", "gradcam@stride8"])),
        (
            "annotations.findings={Mass: nodule, Other: null}",
            ("annotations.findings", {"Mass": "nodule", "Other": None}),
        ),
        ("select=null", ("select", None)),
        ("weights=", ("weights", None)),
        ("title=a=b", ("title", "a=b")),
        ("allow_pickle_weights=true", ("allow_pickle_weights", True)),
    ],
)
def test_an_override_is_a_key_and_a_yaml_value(text: str, override: tuple[str, Any]) -> None:
    assert parse_override(text) == override


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("contours.threshold", "found no key=value; write for example --set contours.threshold=0.5"),
        ("=0.5", "found no key=value"),
        ("methods=[cam", "the value is not valid YAML; correct this: "),
        ("contours={rule: otsu, rule: absolute}", "the key 'rule' occurs twice"),
        (
            "title=2024-99-99",
            "the value is not valid YAML; correct this: a date or number that does not exist",
        ),
    ],
)
def test_an_override_that_is_none_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_override(text)
    assert str(error.value).startswith(f"--set {text}: ")
    assert complaint in str(error.value)


def test_studies_may_be_a_path_or_a_section_whose_path_the_command_line_replaces(write) -> None:
    short = load_config(write("studies: images"), {"studies.table.file": "a.csv"})
    long = load_config(write("studies: {path: elsewhere, table: {file: a.csv}}"), {"studies": "images"})
    assert short.studies == long.studies
    assert (long.studies.path, long.studies.table) == (Path("images"), StudyTable(file=Path("a.csv")))


@pytest.mark.parametrize("stated", [{}, {"network": "weak"}, {"weights": "strong"}])
def test_suspicion_that_a_config_does_not_name_keeps_its_built_in_limit(write: Any, stated: Any) -> None:
    path = write(f"policy: {{max_suspicion: {json.dumps(stated)}}}")
    policy = load_config(path, {}).policy
    assert policy.max_suspicion == {"weights": "weak", "card": "weak", "masks": "weak"} | stated
    assert policy.states_suspicion


def test_a_policy_says_whether_it_has_limits_of_scores(write: Any) -> None:
    assert not load_config(write("policy: {max_skipped: 0.5}"), {}).policy.has_limits
    assert load_config(write("policy: {min_iou: 0}"), {}).policy.has_limits
    assert not AuditConfig().policy.states_suspicion


@pytest.mark.parametrize("cases", ["0", "-1", "1.5", "nonsense", "true"])
def test_pages_of_no_number_of_images_are_refused_in_one_sentence(cases: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_config(None, {"report.cases": yaml.safe_load(cases)})
    (line,) = str(refused.value).splitlines()
    assert "report.cases: wanted auto, all, worst-and-random or a whole number above 0" in line
