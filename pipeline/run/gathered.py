"""Gathered: the few numbers per finished case that the statistics keep in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from pipeline.cohort.near_duplicates import near_duplicate_groups, read_look
from pipeline.cohort.negatives import negatives_among
from pipeline.records import Shape, Skipped
from pipeline.run.finished import Columns, FinishedPart
from pipeline.statistics.look_alikes import merged
from pipeline.statistics.probe_answers import Outputs

Units = Literal["patients", "images"]


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

    def add(self, part: FinishedPart) -> None:
        """Add the numbers of some cases."""
        for case in part.cases:
            if isinstance(case, Skipped):
                self.skipped.append(case)
                continue
            self.audited.append(case.case_id)
            if case.look:
                self.looks[case.case_id] = case.look
            unit = case.patient_id if self.units == "patients" else case.case_id
            index = self.unit_indexes.setdefault(unit, f"{len(self.unit_indexes):09}")
            self.patient_ids[case.case_id] = case.patient_id
            self.units_of_cases[case.case_id] = index
            for method, grid in case.grids.items():
                self.grids[method][grid] += 1
            self.skipped.extend(case.skipped)
        self.columns.scores.extend(part.scores, self.units_of_cases)
        self.columns.extend(part.columns, self.units_of_cases)

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
