"""Finished: some finished cases of a run → what its tables need, read in worker processes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.contracts import Executor
from pipeline.errors import CaseError
from pipeline.metrics import METRICS
from pipeline.metrics.lesions import Rule
from pipeline.metrics.pixels import LEVELS
from pipeline.metrics.transforms import TRANSFORMS
from pipeline.records import Shape, Skipped
from pipeline.run_files.damage import damaged, shown
from pipeline.statistics.curves import Curves
from pipeline.statistics.fits import Fits
from pipeline.statistics.matched import Matched
from pipeline.statistics.predicted import Predictions
from pipeline.statistics.score_columns import ScoreColumns, ScoreRows
from pipeline.store.cases import candidates_of, case_folder, curves_of, fits_of, read_case
from pipeline.store.tables import row_of_case

AT_ONCE = 64
"""Cases that are read at a time: their text and records take a few megabytes."""


@dataclass(slots=True)
class Columns:
    """What the statistics need of finished cases, as columns of numbers."""

    matched: Matched
    """Which contours find which lesions."""
    scores: ScoreColumns = field(default_factory=ScoreColumns)
    predictions: Predictions = field(default_factory=Predictions)
    curves: Curves = field(default_factory=Curves)
    fits: Fits = field(default_factory=Fits)

    def add(self, case: Mapping[str, Any]) -> None:
        """Add a case's JSON; the unit of each row is its case id for now."""
        unit = case["case_id"]
        self.predictions.add(unit, case["predictions"], case["labels"], unit)
        for candidates in candidates_of(case):
            self.matched.add(candidates, unit)
        for curve in curves_of(case):
            self.curves.add(curve, unit)
        self.fits.add(fits_of(case), unit)

    def extend(self, other: Columns, units: Mapping[str, str]) -> None:
        """Add other cases, with what is resampled of each."""
        self.matched.extend(other.matched, units)
        self.predictions.extend(other.predictions, units)
        self.curves.extend(other.curves, units)
        self.fits.extend(other.fits, units)

    def merge(self, units: Mapping[str, str]) -> None:
        """Let units count as others: unit → the one that it counts as."""
        for table in (self.matched, self.scores, self.predictions, self.curves, self.fits):
            table.cases.merge(units)


class CaseFacts(NamedTuple):
    """What is known of one finished case beside its numbers."""

    case_id: str
    patient_id: str
    look: str
    """What `near_duplicates.look_of` said of its pixels; empty if nothing."""
    grids: Mapping[str, Shape]
    """Method → (rows, columns) of its maps."""
    skipped: Sequence[Skipped]
    row: Mapping[str, object]
    """Of cases.csv."""


class FinishedPart(NamedTuple):
    """Some cases of a run, in their order."""

    cases: list[CaseFacts | Skipped]
    regions: list[str]
    """Entries of regions.json, as JSON."""
    scores: ScoreRows
    columns: Columns


def finished_parts(
    run: Path, case_ids: Sequence[str], rule: Rule, executor: Executor
) -> Iterator[FinishedPart]:
    """The finished cases with these ids, in their order, some at a time.

    Raises ConfigError for a case that is damaged, or that another version left.
    """
    read = partial(read_part, run=run, rule=rule)

    def here(case_ids: Sequence[str], _: CaseError) -> FinishedPart:  # a worker died or ran out of memory
        return read(case_ids)

    parts = (case_ids[start : start + AT_ONCE] for start in range(0, len(case_ids), AT_ONCE))
    yield from executor.stream(read, parts, on_failure=here)


def read_part(case_ids: Sequence[str], *, run: Path, rule: Rule) -> FinishedPart:
    """What the tables need of these cases."""
    part = FinishedPart([], [], ScoreRows(), Columns(Matched.by(rule)))
    for case_id in case_ids:
        case = read_case(run, case_id)
        if isinstance(case, Skipped):
            part.cases.append(case)
            continue
        _refuse_foreign(run, case)
        part.cases.append(_facts(case))
        entries = ({"case_id": case_id, **region} for region in case["regions"])
        part.regions.extend(json.dumps(entry, ensure_ascii=False, allow_nan=False) for entry in entries)
        part.scores.add(case_id, case["scores"])
        part.columns.add(case)
    return part


def _facts(case: Mapping[str, Any]) -> CaseFacts:
    return CaseFacts(
        case["case_id"],
        case["patient_id"],
        case["look"],
        {entry["method"]: (entry["grid"][0], entry["grid"][1]) for entry in case["maps"]},
        [Skipped(**skip) for skip in case["skipped"]],
        row_of_case(case),
    )


def _refuse_foreign(run: Path, case: Mapping[str, Any]) -> None:
    """Raise ConfigError for a case that another version or damage left: unknown metrics, other thresholds."""
    path = case_folder(run, case["case_id"]) / "case.json"
    for name in {score["metric"] for score in case["scores"]} - set(METRICS):
        raise damaged(path, f"scores: metric: found {shown(name)}, which is not installed")
    if any(len(curve["ious"]) != len(LEVELS) for curve in case["curves"]):
        raise damaged(path, f"curves: ious: wanted {len(LEVELS)} values")
    for fit in case["fits"]:
        if len(fit["ranks"]) != (len(TRANSFORMS) if fit["output"] == fit["finding"] else 1):
            raise damaged(path, f"fits: ranks: wanted {len(TRANSFORMS)} values, or 1 for another output")
