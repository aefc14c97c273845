"""Audit config: what the config of an audit says that external maps cannot follow, taken out and told."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.config import AuditConfig
from pipeline.registry import did_you_mean

OPEN = "all"
GUESSED = "; did you mean"


def gates_of(config: AuditConfig) -> set[str]:
    """The gates of all findings."""
    contours = config.contours
    return {contours.gate, *(own.gate or contours.gate for own in contours.findings.values())}


def with_open_gate(config: AuditConfig) -> AuditConfig:
    """The config in which contours are drawn for every finding, whatever its probability."""
    contours = config.contours
    own = {name: rule.model_copy(update={"gate": None}) for name, rule in contours.findings.items()}
    opened = contours.model_copy(update={"gate": OPEN, "findings": own})
    return config.model_copy(update={"contours": opened})


def without_other_findings(
    config: AuditConfig, findings: Sequence[str]
) -> tuple[AuditConfig, tuple[str, ...]]:
    """The config without what it says of other findings, and a sentence about each of its keys.

    Words that annotators use for another finding are ignored, as with null, and so is its own name.
    """
    contours, annotations = config.contours, config.annotations
    labels = annotations.labels
    columns = labels.columns if labels else {}
    others: dict[str, list[str]] = {}
    for key, names in (
        ("contours.findings", contours.findings),
        ("annotations.findings", [name for name in annotations.findings.values() if name]),
        ("annotations.labels.columns", columns),
    ):
        for name in names:
            if name not in findings:
                others.setdefault(name, []).append(key)
    words = {word: name if name in findings else None for word, name in annotations.findings.items()}
    own = {name: None for name in others if name not in words and name not in annotations.no_finding}
    kept = annotations.model_copy(
        update={
            "findings": words | own,
            "labels": labels
            and labels.model_copy(update={"columns": {n: c for n, c in columns.items() if n in findings}}),
        }
    )
    rules = {name: rule for name, rule in contours.findings.items() if name in findings}
    update = {"contours": contours.model_copy(update={"findings": rules}), "annotations": kept}
    notes = tuple(
        f"No map shows {name}, so it is not scored, and {' and '.join(dict.fromkeys(keys))} of the config "
        f"{'are' if len(set(keys)) > 1 else 'is'} not used for it{_guess(name, findings)}"
        for name, keys in others.items()
    )
    return (config.model_copy(update=update) if others else config), notes


def _guess(name: str, findings: Sequence[str]) -> str:
    """A finding with a similar name; empty without one."""
    found = did_you_mean(name, list(findings))
    return found if found.startswith(GUESSED) else ""
