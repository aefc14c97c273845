"""Tuned config: the YAML file that tuning writes."""

from __future__ import annotations

from collections.abc import Sequence
from os.path import relpath
from pathlib import Path
from typing import Any

import yaml

from pipeline.config import AuditConfig, Tuned
from pipeline.store.atomic import write_bytes
from pipeline.tuning.choice import ThresholdChoice, describe_choice

PRECISION = 6
"""Significant digits of a probability."""
HEADER = """\
# Written by heatproof tune from the given config. Rule and threshold of each finding have the highest mean
# IoU with the readers' annotations, ignoring the gate; the gate's probability has the highest Youden's J. The
# means below are on the tuning images, and therefore optimistic for other images. `tuned` lists the tuning
# patients by pseudonym and the tuning images by pixel hash; a report that scores any of them warns about it.
# Absolute paths are left out, but of tables below the annotations; give them again on the command line.
"""
PLACES = ("model", "weights", "out")
"""Keys of the config that are paths; other inputs have a key `path`, tables a key `file`."""


def write_tuned(
    path: Path, config: AuditConfig, chosen: Sequence[ThresholdChoice], tuned: Tuned, *, tables: Path
) -> None:
    """Write the config with the chosen rules, and the gain of each in a comment.

    Absolute paths name machines and people, so they are left out. Those of tables in `tables`, the folder to
    which the config's tables are relative, or below become relative to it.
    """
    values = config.model_dump(mode="json", exclude_unset=True, exclude={"tuned"})
    _leave_out_places(values, tables)
    contours = values.setdefault("contours", {})
    findings = contours.setdefault("findings", {})
    for entry in chosen:
        if not entry.unchanged_because:
            findings[entry.finding] = findings.get(entry.finding, {}) | _rule_settings(entry)
    values["tuned"] = tuned.model_dump(mode="json")
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=110)
    comments = "".join(f"# {line}\n" for line in map(describe_choice, chosen))
    write_bytes(path, (HEADER + comments + text).encode())


def _leave_out_places(values: dict[str, Any], tables: Path) -> None:
    """Remove the absolute paths from the values of a config, but of tables in `tables` or below."""
    studies = values.get("studies") or {}
    table = studies.get("table")
    if table and Path(table["file"]).is_absolute():
        _keep_below(table, Path(studies["path"]))
    sections = [(values, name) for name in PLACES]
    sections += [(values.get(name) or {}, "path") for name in ("studies", "annotations", "heatmaps")]
    for section, key in sections:
        if Path(section.get(key) or "").is_absolute():
            del section[key]
    annotations, subgroups = values.get("annotations") or {}, values.get("subgroups") or {}
    for table in (annotations.get("labels"), values.get("select"), subgroups.get("table")):
        if table and Path(table["file"]).is_absolute():
            _keep_below(table, tables)
    if studies.keys() <= {"path"}:
        values.pop("studies", None)
        values |= {"studies": studies["path"]} if studies else {}


def _keep_below(table: dict[str, Any], folder: Path) -> None:
    """Make the path of a table relative to the folder; remove it if it lies elsewhere."""
    place = relpath(table.pop("file"), folder)
    if ".." not in Path(place).parts:
        table["file"] = place


def _rule_settings(entry: ThresholdChoice) -> dict[str, Any]:
    """The finding's entry under `contours.findings`."""
    rule = entry.rule
    settings: dict[str, Any] = {"rule": rule.rule, "threshold": rule.threshold, "gate": rule.gate}
    if rule.probability is not None and rule.gate != "all":
        settings["probability"] = float(f"{rule.probability:.{PRECISION}g}")
    return settings
