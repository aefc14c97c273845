"""Score plan: a config and a folder of maps, checked as far as possible without images and torch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.annotations.label_tables import label_tables
from pipeline.annotations.label_words import listed_findings, word_tables
from pipeline.annotations.spelling import same
from pipeline.annotations.tables import read_table
from pipeline.config import AuditConfig
from pipeline.contracts import Executor
from pipeline.errors import ConfigError, refuse_all
from pipeline.executors.pool import Pool
from pipeline.executors.single import require
from pipeline.executors.worker import Limits
from pipeline.external_maps.audit_config import gates_of, with_open_gate, without_other_findings
from pipeline.external_maps.catalogue import MapCatalogue, find_maps, rename_findings
from pipeline.ground_truth.inputs import find_items
from pipeline.guards.existing import existing_path
from pipeline.plan import (
    Inputs,
    RunPlan,
    check_findings,
    check_scoring,
    inputs,
    reserved,
    with_detector,
)
from pipeline.records import HeatmapItem
from pipeline.records.names import READER_START

WORKER_MODULES = ("pipeline.external_maps.case", "pipeline.validation.case")
"""Modules that the workers of a scoring run import once for all."""
NO_COMMON_FINDING = "the maps have no finding in common with the config, the annotations or the labels"
NEED_PROBABILITIES = frozenset({"predicted"})
"""Gates that cannot be applied without probabilities."""


@dataclass(frozen=True, slots=True)
class ScorePlan(RunPlan):
    """Everything that the scoring of external maps needs, checked."""

    files: MapCatalogue
    """The folder of maps."""
    items: tuple[HeatmapItem, ...]
    """The items of `files`, with findings as the run names them."""
    methods: tuple[str, ...]
    """Sorted method names."""
    gate_opened: bool
    """Whether the gate was changed to `all` because no map has a probability."""
    notes: tuple[str, ...] = ()
    """What the config says and the maps cannot follow, as sentences; it may be the config of an audit."""

    @property
    def expected(self) -> frozenset[tuple[str, str]]:
        """(method, finding) with at least one map, for the scored findings."""
        return frozenset((item.method, item.finding) for item in self.items if item.finding in self.findings)


def make_score_plan(config: AuditConfig, *, executor: Executor | None = None) -> ScorePlan:
    """The checked plan of a scoring run. Raises ConfigError for missing or unknown settings.

    The headers of all maps are read on `executor`, else in a worker process with the config's limits.
    """
    if executor is not None:
        return _score_plan(config, executor)
    limits = Limits(config.limits.seconds, config.limits.memory_mb)
    with Pool(workers=1, preload=WORKER_MODULES, limits=limits) as pool:
        return _score_plan(config, pool)


def _score_plan(config: AuditConfig, executor: Executor) -> ScorePlan:
    refuse_all(
        lambda: inputs(config),
        lambda: existing_path(config.heatmaps.path, "heatmaps.path", "--heatmaps <folder>"),
        lambda: check_scoring(config),
    )
    studies, annotations = inputs(config)
    folder = existing_path(config.heatmaps.path, "heatmaps.path", "--heatmaps <folder>")
    _refuse_maps_among_annotations(folder, annotations, guessed=not config.annotations.sources)
    files = find_maps(folder, executor=executor)
    items = tuple(rename_findings(files.items, config.annotations.findings))
    map_findings = {item.finding for item in items}
    findings = config.heatmaps.findings or _known_findings(
        Inputs(config, studies, annotations), annotations, map_findings, executor
    )
    if not map_findings & set(findings):
        problem = f"no map shows {' or '.join(findings)}" if findings else NO_COMMON_FINDING
        raise ConfigError(
            f"heatmaps.findings: {problem}; list the findings here as the maps name them, or map their names "
            "in annotations.findings"
        )
    config, unused = without_other_findings(config, findings)
    check_findings(config, findings, whose="the maps")
    methods = _checked_methods(files)
    opened = _opens_gate(config, has_probabilities=files.has_probabilities)
    notes = (*unused, *(_gate_notes(config) if opened else ()))
    if opened:
        config = with_open_gate(config)
    config = with_detector(config)
    return ScorePlan(config, studies, annotations, findings, files, items, methods, opened, notes)


def _known_findings(
    inputs: Inputs, path: Path, map_findings: Collection[str], executor: Executor
) -> tuple[str, ...]:
    """The maps' findings that also occur in the config, the annotations or the labels.

    Others are ignored, because a file name may contain anything, also a patient's name, which must not
    appear in a report.
    """
    settings, labels = inputs.config.annotations, inputs.labels()
    known = {*settings.findings.values(), *inputs.config.contours.findings, *(labels[2] if labels else ())}
    names = sorted(map_findings)
    words = settings.findings
    found = find_items(path, sources=settings.sources, findings=names, words=words, executor=executor)
    known |= {words.get(item.finding, item.finding) for item in found.items if item.finding is not None}
    column = labels.words if labels else None
    table = _Labels(path, labels[0] if labels else None, tuple(names), dict(words), column)
    where = f"annotations.labels: {labels[0] if labels else path}"
    known |= {*require(executor, _label_columns, table, where=where)}
    return tuple(name for name in names if same(name, {word for word in known if word}))


@dataclass(frozen=True, slots=True)
class _Labels:
    """The table of labels, or where it is looked for."""

    annotations: Path
    file: Path | None
    findings: tuple[str, ...]
    words: Mapping[str, str | None]
    column: str | None
    """The column of the table that lists findings, if the config names one."""


def _label_columns(labels: _Labels) -> tuple[str, ...]:
    """The names of the columns of labels, or the findings that one lists; runs in a worker."""
    if labels.file is not None:
        table = read_table(labels.file)
        if labels.column is None:
            return table.columns
        return listed_findings(table, labels.column, labels.findings, labels.words)
    tables = label_tables(labels.annotations, labels.findings, labels.words)
    if tables:
        return tables[0].table.columns
    found = word_tables(labels.annotations, labels.findings, labels.words)
    if not found:
        return ()
    return listed_findings(found[0].table, found[0].column, labels.findings, labels.words)


def _refuse_maps_among_annotations(folder: Path, annotations: Path, *, guessed: bool) -> None:
    """Refuse a folder of maps that would be read as annotations: maps would be compared with themselves."""
    if guessed and folder.resolve().is_relative_to(annotations.resolve()):
        raise ConfigError(
            f"heatmaps.path: {folder} lies in the annotations folder {annotations}, so its files would be "
            "read as annotations; move it, or list the annotations in annotations.sources"
        )


def _checked_methods(files: MapCatalogue) -> tuple[str, ...]:
    taken = sorted(name for name in files.methods if name in reserved() or name.startswith(READER_START))
    if taken:
        raise ConfigError(f"heatmaps: the method name '{taken[0]}' is reserved; rename the maps' method")
    return files.methods


def _opens_gate(config: AuditConfig, *, has_probabilities: bool) -> bool:
    """Whether gates are replaced by `all`, because one needs probabilities and there are none."""
    return not has_probabilities and bool(NEED_PROBABILITIES & gates_of(config))


def _gate_notes(config: AuditConfig) -> tuple[str, ...]:
    """That contours are drawn for every finding, and what would apply the gate that the config states."""
    own = any(rule.gate for rule in config.contours.findings.values())
    stated = own or "gate" in config.contours.model_fields_set
    remedy = "; add a column probability to heatmaps.csv to apply the gate of the config" if stated else ""
    return (
        f"No map has a probability, so contours are drawn for every finding (contours.gate: all){remedy}",
    )
