"""Plan: check the config and arguments of `heatproof tune`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from pipeline.config import AuditConfig
from pipeline.contours import RULES
from pipeline.errors import ConfigError, refuse_all
from pipeline.plan import AuditPlan, check_known, inputs, make_plan


def make_tuning_plan(config: AuditConfig, out: Path | None) -> tuple[AuditPlan, Path]:
    """The plan of a tuning run, and the file to write; raises the same errors as `make_plan`."""
    refuse_all(
        lambda: _file_to_write(out),
        lambda: inputs(config),
        lambda: make_plan(config),
        lambda: _check_tuning(config),
    )
    return make_plan(config), _file_to_write(out)


def _file_to_write(out: Path | None) -> Path:
    if out is None:
        raise ConfigError("--out: is missing; give --out <config to write>.yaml")
    if out.is_dir() or not out.parent.is_dir():
        raise ConfigError(f"--out: {out} is a folder, or its folder does not exist; give --out <file>.yaml")
    return out


def _check_tuning(config: AuditConfig) -> None:
    """Refuse a config that does not say on which images to tune, and rules that cannot be tuned."""
    if config.tuning is None:
        raise ConfigError("tuning.where: is missing; set it to the rows of select.file to tune on")
    if config.select is None:
        raise ConfigError(
            "select: is missing; set select.file to a table of the images to tune on and those to audit"
        )
    refuse_all(*(partial(_check_rule, rule) for rule in config.tuning.rules))


def _check_rule(rule: str) -> None:
    check_known(RULES, rule, "tuning.rules")
    if not RULES[rule].tuned_over:
        tunable = [name for name in RULES if RULES[name].tuned_over]
        raise ConfigError(
            f"tuning.rules: '{rule}' cannot be tuned, because its thresholds differ from map to map; "
            f"choose from {', '.join(tunable)}"
        )
