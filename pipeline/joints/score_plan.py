"""Score plan: a config and a folder of maps, with everything checked that needs no study and no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.config import AuditConfig
from pipeline.errors import ConfigError
from pipeline.joints.heatmap_files import HeatmapFiles, find_heatmaps, in_our_words
from pipeline.joints.plan import RESERVED, RunPlan, check_findings, check_scoring, given, inputs
from pipeline.names import READER_START
from pipeline.records import HeatmapItem

NEEDS = frozenset({"predicted"})
"""Gates that are nothing without probabilities."""


@dataclass(frozen=True, slots=True)
class ScorePlan(RunPlan):
    """What the scoring of brought maps needs, present and known."""

    files: HeatmapFiles
    items: tuple[HeatmapItem, ...]
    """Of `files`, in the run's words."""
    methods: tuple[str, ...]
    gate_opened: bool
    """Whether the gate was taken for `all` because no map has a probability."""


def make_score_plan(config: AuditConfig) -> ScorePlan:
    """The plan of a scoring; what is missing or unknown is a ConfigError that says how to give it."""
    studies, annotations = inputs(config)
    folder = given(config.heatmaps.path, "heatmaps.path", "--heatmaps <folder>")
    check_scoring(config)
    _check_apart(folder, annotations, guessed=not config.annotations.sources)
    files = find_heatmaps(folder)
    items = tuple(in_our_words(files.items, config.annotations.findings))
    findings = config.heatmaps.findings or tuple(sorted({item.finding for item in items}))
    if not any(item.finding in findings for item in items):
        raise ConfigError(
            f"heatmaps.findings: {', '.join(findings)}: no map is of any of them; "
            f"the maps are of {', '.join(files.findings)}"
        )
    check_findings(config, findings, whose="the maps")
    methods = _checked_methods(files)
    opened = _opens_gate(config, has_probabilities=files.has_probabilities)
    if opened:
        config = config.model_copy(update={"contours": config.contours.model_copy(update={"gate": "all"})})
    return ScorePlan(config, studies, annotations, findings, files, items, methods, opened)


def _check_apart(folder: Path, annotations: Path, *, guessed: bool) -> None:
    """Refuse a place where maps would be taken for annotations, and so be held against themselves."""
    if guessed and folder.resolve().is_relative_to(annotations.resolve()):
        raise ConfigError(
            f"heatmaps.path: {folder} lies in the annotations folder {annotations}, where its files would be "
            "taken for annotations; move it, or name the annotations under annotations.sources"
        )


def _checked_methods(files: HeatmapFiles) -> tuple[str, ...]:
    taken = sorted(name for name in files.methods if name in RESERVED or name.startswith(READER_START))
    if taken:
        raise ConfigError(f"heatmaps: the name '{taken[0]}' is taken; call the maps' method something else")
    return files.methods


def _opens_gate(config: AuditConfig, *, has_probabilities: bool) -> bool:
    """Whether the default gate must give way: without probabilities it cannot be held."""
    contours = config.contours
    asked = [cut.gate or contours.gate for cut in contours.findings.values()]
    if has_probabilities or not NEEDS & {contours.gate, *asked}:
        return False
    if "gate" in contours.model_fields_set or any(cut.gate in NEEDS for cut in contours.findings.values()):
        raise ConfigError(
            "contours.gate: found 'predicted', but no map has a probability; set contours.gate to all or "
            "annotated, or give heatmaps.csv a column probability"
        )
    return True


def of_any(items: Sequence[HeatmapItem]) -> frozenset[tuple[str, str]]:
    """(method, finding) of which there is any map."""
    return frozenset((item.method, item.finding) for item in items)
