"""Score plan: a config and a folder of maps, with everything checked that needs no study and no torch."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pipeline.annotations import find_annotations
from pipeline.annotations.guess import guess_labels, guess_sources
from pipeline.annotations.tables import read_table
from pipeline.config import AuditConfig
from pipeline.errors import ConfigError
from pipeline.joints.heatmap_files import HeatmapFiles, find_heatmaps, in_our_words
from pipeline.joints.plan import RESERVED, Inputs, RunPlan, check_findings, check_scoring, given, inputs
from pipeline.names import READER_START
from pipeline.records import HeatmapItem

NONE_KNOWN = "none of the maps' findings is one of the config's, the annotations' or the labels'"
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
    words = {item.finding for item in items}
    findings = config.heatmaps.findings or _known(Inputs(config, studies, annotations), words)
    if not words & set(findings):
        asked = f"{', '.join(findings)}: no map is of any of them" if findings else NONE_KNOWN
        raise ConfigError(
            f"heatmaps.findings: {asked}; name the maps' findings here, as the maps do, or say under "
            "annotations.findings what they are called"
        )
    check_findings(config, findings, whose="the maps")
    methods = _checked_methods(files)
    opened = _opens_gate(config, has_probabilities=files.has_probabilities)
    if opened:
        config = config.model_copy(update={"contours": config.contours.model_copy(update={"gate": "all"})})
    return ScorePlan(config, studies, annotations, findings, files, items, methods, opened)


def _known(inputs: Inputs, words: Collection[str]) -> tuple[str, ...]:
    """Of the maps' findings, those that the config, the annotations or their labels have a word for.

    The name of a map's file may hold anything, a patient's name too, which is not to stand in a report.
    """
    place, said, labels = inputs.annotations, inputs.config.annotations, inputs.labels()
    known = {*said.findings.values(), *inputs.config.contours.findings, *(labels[2] if labels else ())}
    named = sorted(words)
    items = find_annotations(place, said.sources or guess_sources(place, findings=named))
    known |= {said.findings.get(item.finding, item.finding) for item in items if item.finding is not None}
    table = labels[0] if labels else guess_labels(place, named)
    if table is not None:
        known |= set(read_table(table).columns)
    return tuple(word for word in named if word in known)


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


def of_any(plan: ScorePlan) -> frozenset[tuple[str, str]]:
    """(method, finding) of which there is any map, of the findings that are scored."""
    return frozenset((item.method, item.finding) for item in plan.items if item.finding in plan.findings)
