"""Plan: a config with everything checked that can be checked without loading torch or reading a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.attribution.specs import read_specs
from pipeline.classifiers import ModelCard, load_card
from pipeline.config import AuditConfig, Baselines, Table
from pipeline.contours import RULES
from pipeline.errors import ConfigError
from pipeline.metrics import DEFAULT, METRICS
from pipeline.names import ALL_FINDINGS, CLASSIFIER
from pipeline.registry import Registry, did_you_mean
from pipeline.validation import check_levels

TRIED = ("fraction", "otsu", "percentile")
"""Rules whose thresholds mean the same on every map."""
RESERVED = (*Baselines.model_fields, CLASSIFIER)
"""Names that no method may have."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """A config whose studies and annotations are there."""

    config: AuditConfig
    studies: Path
    annotations: Path

    @property
    def tables_folder(self) -> Path:
        """Where the config's tables (labels, select) are looked for."""
        return self.annotations if self.annotations.is_dir() else self.annotations.parent

    def table(self, table: Table) -> Path:
        """The place of a table that the config names."""
        return self.tables_folder / table.file

    @property
    def metrics(self) -> tuple[str, ...]:
        """What is scored."""
        return self.config.metrics or DEFAULT

    def labels(self) -> tuple[Path, str, Mapping[str, Sequence[str]]] | None:
        """The labels' file, image column and columns by finding, where the config says."""
        labels = self.config.annotations.labels
        return None if labels is None else (self.table(labels), labels.image, labels.columns)


@dataclass(frozen=True, slots=True)
class RunPlan(Inputs):
    """A config whose findings are known, too: what an audit and the scoring of other maps share."""

    findings: tuple[str, ...]
    """In the order of tables."""


@dataclass(frozen=True, slots=True)
class Plan(RunPlan):
    """What a run needs, present and known."""

    card: ModelCard
    card_path: Path


@dataclass(frozen=True, slots=True)
class ValidationPlan(Inputs):
    """What a validation needs, present and known."""

    card: ModelCard | None
    """Whose findings are the known ones; without a card any name is."""


def make_plan(config: AuditConfig) -> Plan:
    """The plan of a config; what is missing or unknown is a ConfigError that says how to give it."""
    studies, annotations = inputs(config)
    card_path = given(config.model, "model", "--model <model card>")
    if config.weights is not None:
        given(config.weights, "weights", "--weights <file>")
    read_specs(config.methods, reserved=RESERVED)
    check_scoring(config)
    card = load_card(card_path)
    check_findings(config, card.findings, whose=f"the model {card.name}")
    return Plan(config, studies, annotations, card.findings, card, card_path)


def make_tuning_plan(config: AuditConfig, out: Path | None) -> tuple[Plan, Path]:
    """The plan of a tuning, and the file that it writes; complaints as in `make_plan`."""
    if out is None:
        raise ConfigError("--out: is missing; give --out <config to write>.yaml")
    if out.is_dir() or not out.parent.is_dir():
        raise ConfigError(f"--out: {out} is a folder, or its folder does not exist; give --out <file>.yaml")
    plan = make_plan(config)
    if config.tuning is None:
        raise ConfigError("tuning.where: is missing; say which rows of select's table to tune on")
    if config.select is None:
        raise ConfigError("select: is missing; its table says which images are tuned on, and which audited")
    for rule in config.tuning.rules:
        if rule not in TRIED:
            raise ConfigError(f"tuning.rules: '{rule}' cannot be tuned{did_you_mean(rule, list(TRIED))}")
    return plan, out


def make_validation_plan(config: AuditConfig) -> ValidationPlan:
    """The plan of a validation, which needs no model; complaints are those of `make_plan`."""
    studies, annotations = inputs(config)
    check_levels(config.validation.levels)
    if config.model is None:
        return ValidationPlan(config, studies, annotations, card=None)
    card = load_card(given(config.model, "model", "--model <model card>"))
    check_findings(config, card.findings, whose=f"the model {card.name}")
    return ValidationPlan(config, studies, annotations, card)


def inputs(config: AuditConfig) -> tuple[Path, Path]:
    """The places of studies and annotations; complaints as in `make_plan`."""
    studies = given(config.studies, "studies", "--studies <folder>")
    annotations = given(config.annotations.path, "annotations.path", "--annotations <folder or file>")
    _check_out(config.out)
    return studies, annotations


def _check_out(out: Path) -> None:
    nearest = next((path for path in (out, *out.parents) if path.exists()), Path())
    if not nearest.is_dir():
        raise ConfigError(f"out: {nearest} is a file, wanted a folder; give --out <folder>")


def check_scoring(config: AuditConfig) -> None:
    """Refuse unknown rules and metrics, and numbers that a rule does not take."""
    _check_cut(config.contours.rule, config.contours.threshold, "contours")
    for finding, cut in config.contours.findings.items():
        _check_cut(
            cut.rule or config.contours.rule,
            config.contours.threshold if cut.threshold is None else cut.threshold,
            f"contours.findings.{finding}",
        )
    for metric in config.metrics:
        _known(METRICS, metric, "metrics")
    if config.baselines.location_prior and config.select is None:
        raise ConfigError("baselines.location_prior: needs select, whose table says which images are audited")


def _check_cut(rule: str, threshold: float, key: str) -> None:
    _known(RULES, rule, f"{key}.rule")
    RULES[rule](np.eye(2, dtype=np.float32), threshold)  # refuses a bad number


def check_findings(config: AuditConfig, findings: Sequence[str], *, whose: str) -> None:
    """Refuse keys that mean to be a finding of `whose` and are none: what they say would be lost."""
    if ALL_FINDINGS in findings:
        raise ConfigError(f"findings: '{ALL_FINDINGS}' is what tables call all of them together; rename it")
    unknown = {ours for ours in config.annotations.findings.values() if ours} - set(findings)
    if unknown:
        raise ConfigError(
            f"annotations.findings: {', '.join(sorted(unknown))}: no finding of {whose}, "
            f"which has {', '.join(findings)}"
        )
    labels = config.annotations.labels.columns if config.annotations.labels else {}
    for key, names in (
        ("contours.findings", config.contours.findings),
        ("annotations.labels.columns", labels),
    ):
        for name in names:
            if name not in findings:
                known = did_you_mean(name, list(findings))
                raise ConfigError(f"{key}.{name}: no finding of {whose}{known}")


def _known(registry: Registry[Any], name: str, key: str) -> None:
    try:
        registry.check(name)
    except ConfigError as error:
        raise ConfigError(f"{key}: {error}") from error


def given(path: Path | None, key: str, option: str) -> Path:
    """A path that the config gives and that is there; else a ConfigError that says how to give it."""
    if path is None:
        raise ConfigError(f"{key}: is missing; give {option}, or the key in the config")
    if not path.exists():
        raise ConfigError(f"{key}: {path} does not exist")
    return path
