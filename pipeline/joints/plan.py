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
from pipeline.registry import Registry, did_you_mean
from pipeline.validation import check_levels

CLASSIFIER = "classifier"
"""In the tables, beside methods and baselines: the probabilities."""


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
class Plan(Inputs):
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
    studies, annotations = _inputs(config)
    card_path = _given(config.model, "model", "--model <model card>")
    if config.weights is not None:
        _given(config.weights, "weights", "--weights <file>")
    _check_methods(config)
    card = load_card(card_path)
    _check_findings(config, card)
    return Plan(config, studies, annotations, card, card_path)


def make_validation_plan(config: AuditConfig) -> ValidationPlan:
    """The plan of a validation, which needs no model; complaints are those of `make_plan`."""
    studies, annotations = _inputs(config)
    check_levels(config.validation.levels)
    if config.model is None:
        return ValidationPlan(config, studies, annotations, card=None)
    card = load_card(_given(config.model, "model", "--model <model card>"))
    _check_findings(config, card)
    return ValidationPlan(config, studies, annotations, card)


def _inputs(config: AuditConfig) -> tuple[Path, Path]:
    studies = _given(config.studies, "studies", "--studies <folder>")
    annotations = _given(config.annotations.path, "annotations.path", "--annotations <folder or file>")
    _check_out(config.out)
    return studies, annotations


def _check_out(out: Path) -> None:
    nearest = next((path for path in (out, *out.parents) if path.exists()), Path())
    if not nearest.is_dir():
        raise ConfigError(f"out: {nearest} is a file, wanted a folder; give --out <folder>")


def _check_methods(config: AuditConfig) -> None:
    """Refuse unknown methods and rules, and numbers that a rule does not take."""
    read_specs(config.methods, reserved=(*Baselines.model_fields, CLASSIFIER))
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


def _check_findings(config: AuditConfig, card: ModelCard) -> None:
    """Refuse keys that mean to be a finding of the model and are none: what they say would be lost."""
    unknown = {ours for ours in config.annotations.findings.values() if ours} - set(card.findings)
    if unknown:
        raise ConfigError(
            f"annotations.findings: {', '.join(sorted(unknown))}: no finding of the model {card.name}, "
            f"which has {', '.join(card.findings)}"
        )
    for name in config.contours.findings:
        if name not in card.findings:
            known = did_you_mean(name, list(card.findings))
            raise ConfigError(f"contours.findings.{name}: no finding of the model {card.name}{known}")
    for name in config.annotations.labels.columns if config.annotations.labels else ():
        if name not in card.findings:
            known = did_you_mean(name, list(card.findings))
            raise ConfigError(
                f"annotations.labels.columns.{name}: no finding of the model {card.name}{known}"
            )


def _known(registry: Registry[Any], name: str, key: str) -> None:
    try:
        registry.check(name)
    except ConfigError as error:
        raise ConfigError(f"{key}: {error}") from error


def _given(path: Path | None, key: str, option: str) -> Path:
    if path is None:
        raise ConfigError(f"{key}: is missing; give {option}, or the key in the config")
    if not path.exists():
        raise ConfigError(f"{key}: {path} does not exist")
    return path
