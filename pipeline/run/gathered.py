"""Gathered: the few numbers per finished case that the statistics keep in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.cohort.near_duplicates import near_duplicate_groups, read_look
from pipeline.cohort.negatives import negatives_among
from pipeline.records import Shape, Skipped
from pipeline.statistics.curves import Curves
from pipeline.statistics.fits import Fits
from pipeline.statistics.look_alikes import merged
from pipeline.statistics.matched import Matched
from pipeline.statistics.predicted import Predictions
from pipeline.statistics.probe_answers import Outputs
from pipeline.statistics.score_columns import ScoreColumns
from pipeline.store.cases import candidates_of, curves_of, fits_of

Units = Literal["patients", "images"]


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
        self.scores.add(unit, case["scores"], unit)
        self.predictions.add(unit, case["predictions"], case["labels"], unit)
        for candidates in candidates_of(case):
            self.matched.add(candidates, unit)
        for curve in curves_of(case):
            self.curves.add(curve, unit)
        self.fits.add(fits_of(case), unit)

    def extend(self, other: Columns, units: Mapping[str, str]) -> None:
        """Add other cases, with what is resampled of each."""
        self.matched.extend(other.matched, units)
        self.scores.extend(other.scores, units)
        self.predictions.extend(other.predictions, units)
        self.curves.extend(other.curves, units)
        self.fits.extend(other.fits, units)

    def merge(self, units: Mapping[str, str]) -> None:
        """Let units count as others: unit → the one that it counts as."""
        for table in (self.matched, self.scores, self.predictions, self.curves, self.fits):
            table.cases.merge(units)


@dataclass(slots=True)
class Gathered:
    """The few numbers per case that are kept in memory for the statistics."""

    skipped: list[Skipped]
    units: Units
    columns: Columns
    audited: list[str] = field(default_factory=list)
    unit_indexes: dict[str, str] = field(default_factory=dict)
    """Pseudonym of the patient or image → its index, because intervals must not depend on the key."""
    patient_ids: dict[str, str] = field(default_factory=dict)
    """Case id → the patient's pseudonym."""
    units_of_cases: dict[str, str] = field(default_factory=dict)
    """Case id → index of its patient or image."""
    looks: dict[str, str] = field(default_factory=dict)
    """Case id → what `near_duplicates.look_of` said of its pixels."""
    grids: defaultdict[str, Counter[Shape]] = field(default_factory=lambda: defaultdict(Counter))
    """Method → (rows, columns) of its maps → number of images."""

    def add(self, case: dict[str, Any] | Skipped) -> None:
        """Add the numbers of a case."""
        if isinstance(case, Skipped):
            self.skipped.append(case)
            return
        case_id = case["case_id"]
        self.audited.append(case_id)
        if case["look"]:
            self.looks[case_id] = case["look"]
        unit = case["patient_id"] if self.units == "patients" else case_id
        index = self.unit_indexes.setdefault(unit, f"{len(self.unit_indexes):09}")
        self.patient_ids[case_id] = case["patient_id"]
        self.units_of_cases[case_id] = index
        grids = {entry["method"]: (entry["grid"][0], entry["grid"][1]) for entry in case["maps"]}
        for method, grid in grids.items():
            self.grids[method][grid] += 1
        self.skipped.extend(Skipped(**skip) for skip in case["skipped"])
        found = Columns(Matched(self.columns.matched.rules))
        found.add(case)
        self.columns.extend(found, self.units_of_cases)

    @property
    def outputs(self) -> Outputs:
        """What the probes' effects are compared with; made anew at each use."""
        predictions = self.columns.predictions
        return Outputs(predictions.logits(), predictions.labels(), dict(self.units_of_cases))

    def look_alikes(self) -> list[list[str]]:
        """Case ids of each group of look-alike images of several patients."""
        names = list(self.looks)
        found = near_duplicate_groups([read_look(look) for look in self.looks.values()])
        groups = [[names[index] for index in group] for group in found]
        return [group for group in groups if len({self.patient_ids[case_id] for case_id in group}) > 1]

    def negatives(self) -> list[str]:
        """Case ids of images that look like negatives of the others."""
        names = list(self.looks)
        return [names[index] for index in negatives_among([read_look(look) for look in self.looks.values()])]

    def merge(self, groups: Sequence[Sequence[str]]) -> None:
        """Let the patients or images of each group count as one."""
        if not groups:
            return
        of = merged(self.units_of_cases, groups)
        self.units_of_cases = {case_id: of[unit] for case_id, unit in self.units_of_cases.items()}
        self.columns.merge(of)
