"""Plan: a config, checked as far as is possible without loading torch or reading a study."""

from __future__ import annotations

import errno
import shutil
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.annotations.labels import LabelSource
from pipeline.attribution import BACKENDS
from pipeline.attribution.specs import read_specs
from pipeline.baselines import BASELINES
from pipeline.classifiers import ModelCard, NetworkCard, load_card
from pipeline.config import TORCH, AuditConfig, OtherImages, Table
from pipeline.contours import RULES
from pipeline.contracts import Detector
from pipeline.errors import ConfigError
from pipeline.metrics import DEFAULT, METRICS
from pipeline.records import ContourRule
from pipeline.records.names import ALL_FINDINGS, CLASSIFIER
from pipeline.registry import Registry, did_you_mean


@dataclass(frozen=True, slots=True)
class Inputs:
    """A config whose studies and annotations exist."""

    config: AuditConfig
    studies: Path
    annotations: Path | None
    """None: an audit without annotations, which scores nothing."""

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


def make_plan(config: AuditConfig) -> AuditPlan:
    """The plan of a config. Raises ConfigError for a missing or unknown value."""
    studies, annotations = _inputs_of_audit(config)
    card_path = existing_path(config.model, "model", "--model <model card>")
    if config.weights is not None:
        existing_path(config.weights, "weights", "--weights <file>")
    _check_methods(config)
    card = load_card(card_path)
    check_findings(config, card.findings, whose=f"the model {card.name}")
    return AuditPlan(with_detector(config), studies, annotations, card.findings, card, card_path)


def plan_for_network(config: AuditConfig, card: NetworkCard) -> AuditPlan:
    """The plan of a config for a network that is in memory. Raises ConfigError as `make_plan` does."""
    studies, annotations = _inputs_of_audit(config)
    _check_methods(config)
    check_findings(config, card.findings, whose=f"the network {card.name}")
    return AuditPlan(with_detector(config), studies, annotations, card.findings, card, Path(card.name))


def _inputs_of_audit(config: AuditConfig) -> tuple[Path, Path | None]:
    return inputs(config) if config.annotations.path else (_studies(config), None)


def _check_methods(config: AuditConfig) -> None:
    read_specs(config.methods, reserved=reserved())
    if config.backend != TORCH:
        check_known(BACKENDS, config.backend, "backend")
    check_scoring(config)


def inputs(config: AuditConfig) -> tuple[Path, Path]:
    """The paths of studies and annotations. Raises ConfigError as `make_plan` does."""
    annotations = existing_path(config.annotations.path, "annotations.path", "--annotations <folder or file>")
    return _studies(config), annotations


def _studies(config: AuditConfig) -> Path:
    studies = existing_path(config.studies.path, "studies", "--studies <folder>")
    _check_out(config.out)
    return studies


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
    _check_rule(config.contours.rule, config.contours.threshold, "contours")
    for finding, own in config.contours.findings.items():
        _check_rule(
            own.rule or config.contours.rule,
            config.contours.threshold if own.threshold is None else own.threshold,
            f"contours.findings.{finding}",
        )
    for metric in config.metrics or DEFAULT:
        check_known(METRICS, metric, "metrics")
    for name, wanted in config.baselines.items():
        check_known(BASELINES, name, "baselines")
        if wanted:
            _check_baseline(name, wanted, has_select=config.select is not None)


def _check_rule(rule: str, threshold: float, key: str) -> None:
    check_known(RULES, rule, f"{key}.rule")
    RULES[rule].level(
        np.eye(2, dtype=np.float32), threshold
    )  # raises ConfigError for a threshold out of range


def _check_baseline(name: str, wanted: bool | OtherImages, *, has_select: bool) -> None:  # noqa: FBT001  as YAML has it
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
    unknown = {name for name in config.annotations.findings.values() if name} - set(findings)
    if unknown:
        raise ConfigError(
            f"annotations.findings: {', '.join(sorted(unknown))}: not a finding of {whose}, "
            f"which has {', '.join(findings)}; write one of these, or null to ignore the annotations"
        )
    labels = config.annotations.labels.columns if config.annotations.labels else {}
    for key, names in (
        ("contours.findings", config.contours.findings),
        ("annotations.labels.columns", labels),
    ):
        for name in names:
            if name not in findings:
                suggestion = did_you_mean(name, list(findings))
                raise ConfigError(f"{key}.{name}: not a finding of {whose}{suggestion}")


def check_known(registry: Registry[Any], name: str, key: str) -> None:
    """Refuse a name that the registry does not know, with a message that begins with the config key."""
    try:
        registry.check(name)
    except ConfigError as error:
        raise ConfigError(f"{key}: {error}") from error


def existing_path(path: Path | None, key: str, option: str) -> Path:
    """The path, if it is set and exists. Raises ConfigError that names the config key and the option."""
    if path is None:
        raise ConfigError(f"{key}: is missing; give {option}, or set the key in the config")
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.errno != errno.ENOENT else ""
        problem = f"cannot be read ({why})" if why else "does not exist"
        raise ConfigError(f"{key}: {path} {problem}; correct the path, or give {option}") from error
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise ConfigError(f"{key}: {path} is not a file or folder; correct the path, or give {option}")
    return path
