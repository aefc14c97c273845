"""Readouts: what can be read linearly from a network's features: rows of readouts.csv.

Findings that the features tell and the outputs do not accuse the last layer, the order of the outputs or the
card. Large findings can be read from untrained networks, too. An attribute that can be read is no fault: a
network may know the view of an image without using it. A label that means nothing shows what chance is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal, TypeAlias

import numpy as np

from pipeline.records import Features
from pipeline.statistics.auroc import auroc_difference, interval_of_auroc, ranked
from pipeline.statistics.comparison import NO_DIFFERENCE, holm
from pipeline.statistics.intervals import UNDEFINED
from pipeline.statistics.linear_readout import FEWEST_PATIENTS, Readout, linear_readout
from pipeline.statistics.probe_answers import Outputs

Kind: TypeAlias = Literal["finding", "attribute", "nonsense"]
ABOVE, UP_TO = "above", "up to"
"""An age is read as above its median or not."""
NONSENSE = "patient_hash"
PAIR = 2
"""Values of an attribute of which either is the rest of the other: one row tells both."""


@dataclass(frozen=True, slots=True)
class ReadoutRow:
    """A row of readouts.csv: one label read from the features."""

    kind: Kind
    name: str
    """Finding or attribute."""
    group: str = ""
    """Of an attribute: the value that is read, against all other known values."""
    n: int = 0
    patients: int = 0
    positives: int = 0
    """Number of images with the finding, or of the group."""
    auroc: float | None = None
    """Of out-of-fold scores."""
    low: float | None = None
    high: float | None = None
    because: str = ""
    """Why there is no AUROC."""
    output: float | None = None
    """Of a finding: AUROC of the network's own output on the same images."""
    output_low: float | None = None
    output_high: float | None = None
    difference: float | None = None
    """AUROC of the features less that of the output."""
    difference_low: float | None = None
    difference_high: float | None = None
    p: float | None = None
    corrected_p: float | None = None
    """Holm-corrected over the findings."""


def finding_rows(
    features: Features, outputs: Outputs, findings: Sequence[str], confidence: float
) -> list[ReadoutRow]:
    """One row per finding, whose AUROC is compared with that of the network's output on the same images."""
    rows = [_finding(finding, features, outputs, confidence) for finding in findings]
    corrected = holm([row.p for row in rows])
    return [replace(row, corrected_p=p) for row, p in zip(rows, corrected, strict=True)]


def attribute_rows(
    features: Features,
    attributes: Mapping[str, Mapping[str, str]],
    units: Mapping[str, str],
    confidence: float,
) -> Iterator[ReadoutRow]:
    """One row per attribute and group, and one for a label that means nothing.

    `attributes`: attribute → case id → value, "" if unknown; `units`: case id → patient. Groups of fewer than
    `FEWEST_PATIENTS` patients, inside or outside, have no row; an attribute without any other has one that
    says so.
    """
    for name, values in attributes.items():
        known = [case_id for case_id in features.case_ids if values.get(case_id)]
        if known and not readable_groups(values, known, units):
            why = f"no group of {FEWEST_PATIENTS} patients beside {FEWEST_PATIENTS} others"
            patients = len({units[case_id] for case_id in known})
            yield ReadoutRow("attribute", name, "", len(known), patients, because=why)
        for label in labels_of_attribute(name, values, features.case_ids, units):
            yield _row(label, features, units, confidence)
    yield _row(nonsense_label(features.case_ids, units), features, units, confidence)


@dataclass(frozen=True, slots=True)
class AttributeLabel:
    """One group of an attribute, against all other images whose value is known."""

    kind: Kind
    name: str
    group: str
    of: Mapping[str, bool]
    """Case id → whether the image is of the group."""


def labels_of_attribute(
    name: str, values: Mapping[str, str], case_ids: Sequence[str], units: Mapping[str, str]
) -> Iterator[AttributeLabel]:
    """One label per group of an attribute that has enough patients."""
    known = [case_id for case_id in case_ids if values.get(case_id)]
    for group in readable_groups(values, known, units):
        yield AttributeLabel("attribute", name, group, {i: values[i] == group for i in known})


def nonsense_label(case_ids: Sequence[str], units: Mapping[str, str]) -> AttributeLabel:
    """A label that means nothing."""
    return AttributeLabel("nonsense", NONSENSE, "", {i: is_odd(units[i]) for i in case_ids})


def by_median(ages: Mapping[str, str]) -> dict[str, str]:
    """Case id → whether the age is above the median of all; empty where it is unknown."""
    years = {case_id: float(age.rstrip("+")) for case_id, age in ages.items() if age}
    middle = float(np.median(list(years.values()))) if years else 0.0
    return {
        case_id: "" if case_id not in years else f"{ABOVE if years[case_id] > middle else UP_TO} {middle:g}"
        for case_id in ages
    }


def is_odd(unit: str) -> bool:
    """Half of all patients, without meaning and the same in every run."""
    return sha256(unit.encode()).digest()[0] % 2 == 1


def _finding(finding: str, features: Features, outputs: Outputs, confidence: float) -> ReadoutRow:
    labels, logits = outputs.labels.get(finding, {}), outputs.logits.get(finding, {})
    known = _chosen(features, [i for i in features.case_ids if labels.get(i) is not None and i in logits])
    label = [labels[case_id] is True for case_id in known.case_ids]
    patients = [outputs.units[case_id] for case_id in known.case_ids]
    own = ranked([logits[case_id] for case_id in known.case_ids], label, patients)
    read = linear_readout(known.values, label, patients)
    compared = NO_DIFFERENCE if read.because else auroc_difference(read.ranked, own, confidence)
    interval = UNDEFINED if own is None else interval_of_auroc(own, confidence)
    return replace(
        _of_readout("finding", finding, "", read, confidence),
        output=interval.estimate,
        output_low=interval.low,
        output_high=interval.high,
        difference=compared.estimate,
        difference_low=compared.low,
        difference_high=compared.high,
        p=compared.p,
    )


def _chosen(features: Features, case_ids: Sequence[str]) -> Features:
    """The features of some of the images, in the order of all."""
    wanted = set(case_ids)
    return Features(tuple(case_ids), features.values[[i in wanted for i in features.case_ids]])


def readable_groups(
    values: Mapping[str, str], case_ids: Sequence[str], units: Mapping[str, str]
) -> list[str]:
    """The groups with enough patients inside and outside; of two groups, the first."""
    everybody = {(values[case_id], units[case_id]) for case_id in case_ids}
    names = sorted({value for value, _ in everybody})
    groups = [
        name
        for name in names
        if all(
            len({patient for value, patient in everybody if (value == name) is inside}) >= FEWEST_PATIENTS
            for inside in (True, False)
        )
    ]
    return groups[:1] if len(names) == PAIR else groups


def _row(
    label: AttributeLabel, features: Features, units: Mapping[str, str], confidence: float
) -> ReadoutRow:
    known = _chosen(features, [case_id for case_id in features.case_ids if case_id in label.of])
    patients = [units[case_id] for case_id in known.case_ids]
    read = linear_readout(known.values, [label.of[case_id] for case_id in known.case_ids], patients)
    return _of_readout(label.kind, label.name, label.group, read, confidence)


def _of_readout(kind: Kind, name: str, group: str, read: Readout, confidence: float) -> ReadoutRow:
    auroc, low, high = read.interval(confidence)
    return ReadoutRow(
        kind, name, group, read.n, read.patients, read.positives, auroc, low, high, read.because
    )
