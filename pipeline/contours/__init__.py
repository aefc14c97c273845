"""Contours: threshold a heatmap into regions; one file per threshold rule."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources

from pipeline.contracts import ThresholdRule
from pipeline.errors import ConfigError
from pipeline.registry import Registry

RULES: Registry[ThresholdRule] = Registry(
    "threshold rule",
    {
        "fraction": "pipeline.contours.fraction:FRACTION",
        "otsu": "pipeline.contours.otsu:OTSU",
        "percentile": "pipeline.contours.percentile:PERCENTILE",
        "absolute": "pipeline.contours.absolute:ABSOLUTE",
    },
    group="heatproof.contours",
    wanted=ThresholdRule,
)


def rule_scripts(used: Iterable[str]) -> dict[str, str]:
    """Rule name → source of its JavaScript version, for Heatproof's own rules and the `used` ones.

    Raises ConfigError if a script cannot be read. A rule whose package is not installed has no script.
    """
    names = dict.fromkeys([*RULES.own, *(name for name in used if name in RULES)])
    scripts = {name: RULES[name].script for name in names}
    return {name: _text(name, script) for name, script in scripts.items() if script}


def _text(rule: str, script: str) -> str:
    package, _, file = script.partition(":")
    try:
        return resources.files(package).joinpath(file).read_text(encoding="utf-8")
    except (ImportError, OSError) as error:
        raise ConfigError(
            f"threshold rule '{rule}': its script {script} cannot be read; correct the package of the rule"
        ) from error
