"""Plan: a config, checked as far as is possible without loading torch or reading a study."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.annotations.labels import LabelSource
from pipeline.attribution import BACKENDS
from pipeline.attribution.specs import read_specs
from pipeline.baselines import BASELINES
from pipeline.classifiers import ModelCard, NetworkCard, load_card
from pipeline.classifiers.card_files import existing_card, existing_weights, weights_path
from pipeline.config import AUTO, TORCH, AuditConfig, OtherImages, Table
from pipeline.contours import RULES
from pipeline.contracts import Detector
from pipeline.errors import ConfigError, refuse_all
from pipeline.guards.existing import existing_path
from pipeline.metrics import DEFAULT, METRICS
from pipeline.records import ContourRule, Notice
from pipeline.records.names import ALL_FINDINGS, CLASSIFIER
from pipeline.registry import Registry, did_you_mean


@dataclass(frozen=True, slots=True)
class Inputs:
    """A config whose studies and annotations exist."""

    config: AuditConfig
    studies: Path
    annotations: Path | None
    """None: an audit without annotations, which scores nothing."""
    notices: tuple[Notice, ...] = field(default=(), kw_only=True)
    """What was noticed before the study folder was read."""

    @property
    def tables_folder(self) -> Path:
        """The folder that holds the config's tables (labels, select)."""
        if self.annotations is None:
            return self.studies
        return self.annotations if self.annotations.is_dir() else self.annotations.parent

    def table(self, table: Table) -> Path:
        """The path of a table that the config names."""
        return self.tables_folder / table.file

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics to compute."""
        return self.config.metrics or DEFAULT

    def labels(self) -> LabelSource | None:
        """The table of labels; None without labels in the config. Raises ConfigError."""
        labels = self.config.annotations.labels
        if labels is None:
            return None
        if labels.words is not None and labels.columns:
            raise ConfigError(
                "annotations.labels: sets columns and words; keep columns for a table with a column per "
                "finding, or words for one whose column lists the findings"
            )
        return LabelSource(self.table(labels), labels.image, labels.columns, labels.words)


@dataclass(frozen=True, slots=True)
class RunPlan(Inputs):
    """A config with its findings: what an audit and the scoring of external maps have in common."""

    findings: tuple[str, ...]
    """In the order of tables."""

    @property
    def rules(self) -> Mapping[str, ContourRule]:
        """The contour rule of each finding: its own settings, completed by those for all findings."""
        contours = self.config.contours
        general = contours.model_dump(include={"rule", "threshold", "gate", "probability", "filled"})
        own = {name: rule.model_dump(exclude_none=True) for name, rule in contours.findings.items()}
        return {finding: ContourRule(**general | own.get(finding, {})) for finding in self.findings}

    @property
    def baselines(self) -> tuple[str, ...]:
        """The baselines that the config asks for, in the order of tables."""
        return tuple(name for name in BASELINES if self.config.baselines.get(name))


@dataclass(frozen=True, slots=True)
class AuditPlan(RunPlan):
    """Everything that an audit needs, checked."""

    card: ModelCard
    card_path: Path


def make_plan(config: AuditConfig, *, with_weights: bool = True) -> AuditPlan:
    """The plan of a config. Raises ConfigError that names every missing or unknown value.

    `with_weights`: the file of weights has to exist.
    """
    refuse_all(
        lambda: _inputs_of_audit(config),
        lambda: existing_weights(config.weights),
        lambda: _card(config, with_weights=with_weights),
        lambda: _check_methods(config),
        lambda: with_detector(config),
    )
    studies, annotations = _inputs_of_audit(config)
    card, card_path = _card(config, with_weights=with_weights)
    return AuditPlan(with_detector(config), studies, annotations, card.findings, card, card_path)


def _card(config: AuditConfig, *, with_weights: bool) -> tuple[ModelCard, Path]:
    """The model card, whose findings the config names and whose weights exist, and its path."""
    own = with_weights and config.weights is None
    path = existing_card(config.model)
    card = load_card(path)
    refuse_all(
        lambda: check_findings(config, card.findings, whose=f"the model {card.name}"),
        lambda: existing_weights(weights_path(card, path), f"{path}: weights") if own else None,
    )
    return card, path


def plan_for_network(config: AuditConfig, card: NetworkCard) -> AuditPlan:
    """The plan of a config for a network that is in memory. Raises ConfigError as `make_plan` does."""
    refuse_all(
        lambda: _inputs_of_audit(config),
        lambda: _check_methods(config),
        lambda: check_findings(config, card.findings, whose=f"the network {card.name}"),
    )
    studies, annotations = _inputs_of_audit(config)
    return AuditPlan(with_detector(config), studies, annotations, card.findings, card, Path(card.name))


def _inputs_of_audit(config: AuditConfig) -> tuple[Path, Path | None]:
    return inputs(config) if config.annotations.path else (_studies(config), None)


def _check_methods(config: AuditConfig) -> None:
    refuse_all(
        lambda: read_specs(config.methods, reserved=reserved()),
        lambda: _check_backend(config.backend),
        lambda: check_scoring(config),
    )


def _check_backend(name: str) -> None:
    if name in {AUTO, TORCH}:
        return
    known = [AUTO, TORCH, *BACKENDS]
    if name not in known:
        raise ConfigError(f"backend: unknown backend '{name}'{did_you_mean(name, known)}")
    check_known(BACKENDS, name, "backend")


def inputs(config: AuditConfig) -> tuple[Path, Path]:
    """The paths of studies and annotations. Raises ConfigError as `make_plan` does."""
    refuse_all(lambda: _studies(config), lambda: _annotations(config))
    return _studies(config), _annotations(config)


def _annotations(config: AuditConfig) -> Path:
    return existing_path(config.annotations.path, "annotations.path", "--annotations <folder or file>")


def _studies(config: AuditConfig) -> Path:
    refuse_all(
        lambda: existing_path(config.studies.path, "studies", "--studies <folder>"),
        lambda: _check_out(config.out),
    )
    return existing_path(config.studies.path, "studies", "--studies <folder>")


def _check_out(out: Path) -> None:
    nearest = next((path for path in (out, *out.parents) if path.exists()), Path())
    if not nearest.is_dir():
        raise ConfigError(f"out: {nearest} is a file, wanted a folder; set --out <folder>")


def reserved() -> tuple[str, ...]:
    """Names that no attribution method may have."""
    return (*BASELINES, CLASSIFIER)


def installed_detector() -> Detector:
    """The text detector of this machine: Tesseract if it is installed, else the contrast heuristic."""
    return "tesseract" if shutil.which("tesseract") else "contrast"


def with_detector(config: AuditConfig) -> AuditConfig:
    """The config with `auto` replaced by this machine's text detector, because results depend on it."""
    found, wanted = installed_detector(), config.burned_in_text
    if wanted.look == "tesseract" and found != "tesseract":
        raise ConfigError(
            "burned_in_text.look: tesseract is not installed; install Debian's tesseract-ocr, or set contrast"
        )
    if wanted.look == "none" and wanted.mask:
        raise ConfigError(
            "burned_in_text.mask: no text can be blanked while burned_in_text.look is none; set look to auto"
        )
    if wanted.look != "auto":
        return config
    return config.model_copy(update={"burned_in_text": wanted.model_copy(update={"look": found})})


def check_scoring(config: AuditConfig) -> None:
    """Refuse unknown rules, baselines and metrics, and thresholds outside a rule's range."""
    contours = config.contours
    rules = {"contours": (contours.rule, contours.threshold)} | {
        f"contours.findings.{finding}": (
            own.rule or contours.rule,
            contours.threshold if own.threshold is None else own.threshold,
        )
        for finding, own in contours.findings.items()
    }
    refuse_all(
        *(partial(_check_rule, rule, threshold, key) for key, (rule, threshold) in rules.items()),
        *(partial(check_known, METRICS, metric, "metrics") for metric in config.metrics or DEFAULT),
        *(
            partial(_check_baseline, name, wanted, has_select=config.select is not None)
            for name, wanted in config.baselines.items()
        ),
    )


def _check_rule(rule: str, threshold: float, key: str) -> None:
    check_known(RULES, rule, f"{key}.rule")
    RULES[rule].level(
        np.eye(2, dtype=np.float32), threshold
    )  # raises ConfigError for a threshold out of range


def _check_baseline(name: str, wanted: bool | OtherImages | None, *, has_select: bool) -> None:  # noqa: FBT001  as YAML has it
    check_known(BASELINES, name, "baselines")
    if not wanted:
        return
    needs_others = BASELINES[name].reads == "references"
    if needs_others and not isinstance(wanted, OtherImages):
        raise ConfigError(f"baselines.{name}: needs other images; write {{where: {{<column>: <values>}}}}")
    if not needs_others and isinstance(wanted, OtherImages):
        raise ConfigError(f"baselines.{name}: takes no images; write {name}: true")
    if needs_others and not has_select:
        raise ConfigError(
            f"baselines.{name}: needs select, the table that says which images are audited; "
            "add select to the config"
        )


def check_findings(config: AuditConfig, findings: Sequence[str], *, whose: str) -> None:
    """Refuse config keys that should name a finding of `whose` and do not: they would have no effect."""
    if ALL_FINDINGS in findings:
        raise ConfigError(
            f"findings: '{ALL_FINDINGS}' is reserved for tables of all findings together; rename the finding"
        )
    refuse_all(
        partial(_check_words, config, findings, whose),
        *(partial(_check_finding, key, findings, whose) for key in _keys_of_findings(config)),
    )


def _check_words(config: AuditConfig, findings: Sequence[str], whose: str) -> None:
    unknown = {name for name in config.annotations.findings.values() if name} - set(findings)
    if unknown:
        raise ConfigError(
            f"annotations.findings: {', '.join(sorted(unknown))}: not a finding of {whose}, "
            f"which has {', '.join(findings)}; write one of these, or null to ignore the annotations"
        )


def _keys_of_findings(config: AuditConfig) -> Iterator[tuple[str, str]]:
    """The keys that should hold a finding's name, and the name."""
    labels = config.annotations.labels.columns if config.annotations.labels else {}
    yield from (("contours.findings", name) for name in config.contours.findings)
    yield from (("annotations.labels.columns", name) for name in labels)


def _check_finding(key: tuple[str, str], findings: Sequence[str], whose: str) -> None:
    if key[1] not in findings:
        suggestion = did_you_mean(key[1], list(findings))
        raise ConfigError(f"{'.'.join(key)}: not a finding of {whose}{suggestion}")


def check_known(registry: Registry[Any], name: str, key: str) -> None:
    """Refuse a name that the registry does not know, with a message that begins with the config key."""
    try:
        registry.check(name)
    except ConfigError as error:
        raise ConfigError(f"{key}: {error}") from error
