"""Audit config: all settings of a run, from a YAML file and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PositiveInt

from pipeline.config.decoding import Decoding
from pipeline.config.exports import Exports
from pipeline.config.policy import Policy
from pipeline.config.report import Report
from pipeline.config.review import Review
from pipeline.config.sections import (
    AUTO,
    DEFAULT_BASELINES,
    Annotations,
    BackendDrift,
    Baselines,
    BurnedInText,
    Contours,
    Heatmaps,
    Lesions,
    Method,
    Readers,
    Select,
    Splits,
    Statistics,
    Studies,
    Subgroups,
    SurfaceDistance,
    Tolerances,
    Tuned,
    Tuning,
    Validation,
    restore_off,
)
from pipeline.config.workers import Limits, Workers
from pipeline.errors import ConfigError
from pipeline.guards.yaml_models import (
    COMMAND_LINE,
    LARGEST_CONFIG_BYTES,
    Items,
    PathText,
    Strict,
    parse_yaml,
    read_yaml,
    validated,
)

SHORTHANDS = {"studies": "path"}
"""Sections that may be written as the value of one key: `studies: images`."""


def _as_section(value: object) -> object:
    return value if isinstance(value, Mapping | Studies | None) else {"path": value}


StudyFolder = Annotated[Studies, BeforeValidator(_as_section, json_schema_input_type=str | Studies)]


class AuditConfig(Strict):
    """All settings of a run."""

    title: str = "Audit"
    operator: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    studies: StudyFolder = Studies()
    annotations: Annotations = Annotations()
    heatmaps: Heatmaps = Heatmaps()
    splits: Splits = Splits()
    tuning: Tuning | None = None
    tuned: Tuned | None = None
    select: Select | None = None
    model: PathText | None = None
    weights: PathText | None = None
    allow_pickle_weights: bool = False
    device: str = "cpu"
    backend: str = AUTO
    backend_drift: BackendDrift = BackendDrift()
    precision: Literal["float32", "bfloat16"] = "float32"
    batch_size: PositiveInt = 8
    memory_mb: PositiveInt = 1024
    workers: Annotated[int, Field(ge=0)] = 0
    decode: Decoding = Decoding()
    executor: Workers = Workers()
    limits: Limits = Limits()
    burned_in_text: BurnedInText = BurnedInText()
    methods: Items[Method] = ("gradcam",)
    baselines: Baselines = Field(default_factory=lambda: dict(DEFAULT_BASELINES))
    contours: Contours = Contours()
    metrics: Items[str] = ()
    probes: Annotated[
        Literal["off", "quick", "full"],
        BeforeValidator(restore_off, json_schema_input_type=Literal["off", "quick", "full", False]),
    ] = "quick"
    tolerances: Tolerances = Tolerances()
    surface_distance: SurfaceDistance = SurfaceDistance()
    lesions: Lesions = Lesions()
    readers: Readers = Readers()
    subgroups: Subgroups = Subgroups()
    statistics: Statistics = Statistics()
    policy: Policy = Policy()
    validation: Validation = Validation()
    report: Report = Report()
    review: Review = Review()
    exports: Exports = Exports()
    out: PathText = Path("reports")


def load_config(path: Path | None, overrides: Mapping[str, Any]) -> AuditConfig:
    """The config in a file (or the defaults), with dotted keys overridden: {"contours.threshold": 0.5}."""
    values = read_yaml(path, most_bytes=LARGEST_CONFIG_BYTES) if path else {}
    for key, value in overrides.items():
        _set(values, key, value)
    return validated(AuditConfig, values, source=str(path or COMMAND_LINE), overridden=overrides)


def parse_override(text: str) -> tuple[str, Any]:
    """("contours.threshold", 0.5) from "contours.threshold=0.5"; the value is read as YAML."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {text}: found no key=value; write for example --set contours.threshold=0.5")
    try:
        return key, parse_yaml(value)
    except ValueError as error:
        raise ConfigError(f"--set {text}: the value is not valid YAML; correct this: {error}") from error


def _set(values: dict[str, Any], key: str, value: object) -> None:
    """Set a dotted key in `values`, and add the mappings that it needs."""
    *parents, last = key.split(".")
    for parent in parents:
        child = values.get(parent)
        if parent in SHORTHANDS and isinstance(child, str):
            child = {SHORTHANDS[parent]: child}
        if child is not None and not isinstance(child, dict):
            message = f"'{parent}' holds a value, not further keys; end the key with '{parent}'"
            raise ConfigError(f"{COMMAND_LINE}: {key}: {message}")
        values[parent] = values = dict(child or {})
    if not parents and last in SHORTHANDS and isinstance(values.get(last), dict) and isinstance(value, str):
        values[last] = {**values[last], SHORTHANDS[last]: value}
        return
    values[last] = value
