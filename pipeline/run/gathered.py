"""Gathered: the few numbers per finished case that the statistics keep in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.cohort.near_duplicates import near_duplicate_groups, read_look
from pipeline.cohort.negatives import negatives_among
from pipeline.records import Curve, Shape, Skipped
from pipeline.statistics.fits import Fits
from pipeline.statistics.look_alikes import merged
from pipeline.statistics.matched import Matched
from pipeline.statistics.probe_answers import Outputs
from pipeline.store.cases import candidates_of, curves_of, fits_of

PredictionRow = tuple[str, str, float, bool, bool | None]
"""(finding, patient, probability, predicted positive, label)."""
Units = Literal["patients", "images"]


@dataclass(slots=True)
class Gathered:
    """The few numbers per case that are kept in memory for the statistics."""

    skipped: list[Skipped]
    units: Units
    matched: Matched
    """Which contours find which lesions."""
    audited: list[str] = field(default_factory=list)
    unit_indexes: dict[str, str] = field(default_factory=dict)
    """Pseudonym of the patient or image → its index, because intervals must not depend on the key."""
    patient_ids: dict[str, str] = field(default_factory=dict)
    """Case id → the patient's pseudonym."""
    units_of_cases: dict[str, str] = field(default_factory=dict)
    """Case id → index of its patient or image."""
    looks: dict[str, str] = field(default_factory=dict)
    """Case id → what `near_duplicates.look_of` said of its pixels."""
    predictions: list[PredictionRow] = field(default_factory=list)
    curves: list[tuple[Curve, str]] = field(default_factory=list)
    fits: Fits = field(default_factory=Fits)
    outputs: Outputs = field(default_factory=Outputs)
    """What the probes' effects are compared with."""
    grids: defaultdict[str, Counter[Shape]] = field(default_factory=lambda: defaultdict(Counter))
    """Method → (rows, columns) of its maps → number of images."""

    def add(self, case: dict[str, Any] | Skipped) -> None:
        """Add the numbers of a case."""
        if isinstance(case, Skipped):
            self.skipped.append(case)
            return
        self.audited.append(case["case_id"])
        if case["look"]:
            self.looks[case["case_id"]] = case["look"]
        unit = case["patient_id"] if self.units == "patients" else case["case_id"]
        index = self.unit_indexes.setdefault(unit, f"{len(self.unit_indexes):09}")
        self.patient_ids[case["case_id"]] = case["patient_id"]
        self.units_of_cases[case["case_id"]] = index
        self.predictions.extend(predictions_of(case, index))
        self.outputs.add(case["case_id"], index, case["predictions"], case["labels"])
        for candidates in candidates_of(case):
            self.matched.add(candidates, index)
        self.curves.extend((curve, index) for curve in curves_of(case))
        self.fits.add(fits_of(case), index)
        grids = {entry["method"]: (entry["grid"][0], entry["grid"][1]) for entry in case["maps"]}
        for method, grid in grids.items():
            self.grids[method][grid] += 1
        self.skipped.extend(Skipped(**skip) for skip in case["skipped"])

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

    def label_counts(self) -> dict[str, tuple[int, int]]:
        """Finding → number of images that are labelled as with and without it."""
        counts = Counter((finding, label) for finding, *_, label in self.predictions)
        findings = dict.fromkeys(finding for finding, *_ in self.predictions)
        return {name: (counts[name, True], counts[name, False]) for name in findings}

    def merge(self, groups: Sequence[Sequence[str]]) -> None:
        """Let the patients or images of each group count as one."""
        if not groups:
            return
        of = merged(self.units_of_cases, groups)
        self.predictions = [(row[0], of[row[1]], *row[2:]) for row in self.predictions]
        self.curves = [(curve, of[unit]) for curve, unit in self.curves]
        self.matched.merge(of)
        self.fits.merge(of)
        self.outputs.units.update({case_id: of[unit] for case_id, unit in self.outputs.units.items()})

    def probabilities(self) -> dict[str, list[float]]:
        """Finding → probabilities of all images."""
        found: defaultdict[str, list[float]] = defaultdict(list)
        for finding, _, probability, *_ in self.predictions:
            found[finding].append(probability)
        return found


def predictions_of(case: Mapping[str, Any], patient: str) -> Iterator[PredictionRow]:
    """The predictions in a case's JSON."""
    for prediction in case["predictions"]:
        label = case["labels"].get(prediction["finding"])
        yield (
            prediction["finding"],
            patient,
            prediction["probability"],
            prediction["probability"] >= prediction["threshold"],
            None if label is None else bool(label),
        )
