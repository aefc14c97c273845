"""Settings: what the section `exports` of a config, or of a run, says of an export."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.config import Exports, load_config
from pipeline.errors import ConfigError
from pipeline.exports import EXPORTS
from pipeline.plan import check_known

SECTION = "exports"


def section_for(config: Path | None, recorded: Mapping[str, Any], overrides: Mapping[str, Any]) -> Exports:
    """The section of the config file, or else the one that a run recorded, with keys overridden.

    Raises ConfigError for a wrong key, an unknown kind, or a key of another section among `overrides`.
    """
    for key in overrides:
        if key.partition(".")[0] != SECTION:
            raise ConfigError(f"--set {key}: an export reads only the keys of {SECTION}; remove it")
    known = recorded.keys() & Exports.model_fields.keys()
    stated = {} if config else {f"{SECTION}.{key}": recorded[key] for key in sorted(known)}
    section = load_config(config, {**stated, **overrides}).exports
    kinds_of(section)
    return section


def kinds_of(section: Exports) -> tuple[str, ...]:
    """The kinds of objects, in the order in which they are made. Raises ConfigError for an unknown one."""
    if section.kinds == "all":
        return EXPORTS.own
    for kind in section.kinds:
        check_known(EXPORTS, kind, f"{SECTION}.kinds")
    return tuple(kind for kind in EXPORTS if kind in section.kinds)
