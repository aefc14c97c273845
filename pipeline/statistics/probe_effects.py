"""Probe effects: what changed versions of the images do to a finding's outputs and to their AUROC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from pipeline.records import ProbedOutput
from pipeline.records.probes import CONTROL, FILLS, LESION, UNCHANGED
from pipeline.statistics.auroc import auroc_difference, ranked
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.comparison import Difference, holm
from pipeline.statistics.intervals import Interval, interval_of_mean

Answer: TypeAlias = Literal["used", "not_used", "drops", "rises", "holds", "cannot_tell"]
"""used, not_used: the annotated region. drops, rises, holds: the AUROC. cannot_tell: too few images, or a
fill that moves the output by itself."""
LARGEST_CONTROL = 0.25
"""SD by which a fill may move the output where no lesion was."""
LEAST_EFFECT = 0.4
"""SD from which on a region counts as used, if the interval is above 0. Heads that had learnt a mark alone
reached 0.28, because what they read is never free of all lesions; sound networks, 0.96 and more."""
MOST_UNUSED = 0.6
"""SD within which the whole interval lies, on both sides of 0, if a region counts as not used. An output that
clearly rises without the region says that the region, the labels or the output is another one."""
LEAST_CHANGE = 0.1
"""Change of the AUROC that matters."""
FEWEST_PATIENTS = 5
"""Patients below which a probe cannot tell."""


@dataclass(frozen=True, slots=True)
class ProbeEffect:
    """A row of probes.csv: one probe and variant on one finding."""

    finding: str
    probe: str
    variant: str
    measure: Literal["log_odds", "auroc"]
    """log_odds: fall of the output without the region less its fall without the control, in SD over the
    images. auroc: with the change less without."""
    answer: Answer
    n: int = 0
    patients: int = 0
    before: float | None = None
    """AUROC of the images as they are; for log_odds the fall without the region, in SD."""
    after: float | None = None
    """AUROC of the changed images; for log_odds the fall without the control, in SD."""
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    corrected_p: float | None = None
    """Holm-corrected over the variants of the finding."""
    dose: float | None = None
    """log_odds: the estimate as a share of the difference between images with and without the finding."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """The outputs of a network for all audited images, with what is known of these."""

    logits: dict[str, dict[str, float]] = field(default_factory=dict)
    """Finding → case id → logit."""
    labels: dict[str, dict[str, bool | None]] = field(default_factory=dict)
    """Finding → case id → whether the finding is present."""
    units: dict[str, str] = field(default_factory=dict)
    """Case id → what is resampled: the patient, or the image."""

    def add(
        self,
        case_id: str,
        unit: str,
        predictions: Sequence[Mapping[str, Any]],
        labels: Mapping[str, int | None],
    ) -> None:
        """Add the outputs and labels of a finished case."""
        self.units[case_id] = unit
        for prediction in predictions:
            if prediction["logit"] is not None:
                self.logits.setdefault(prediction["finding"], {})[case_id] = prediction["logit"]
        for finding, label in labels.items():
            self.labels.setdefault(finding, {})[case_id] = None if label is None else bool(label)


def probe_effects(
    probed: Sequence[ProbedOutput],
    outputs: Outputs,
    *,
    findings: Sequence[str],
    asks: Mapping[str, str],
    resampling: Resampling,
) -> list[ProbeEffect]:
    """One row per finding and variant. `asks` says of each probe what it asks."""
    table: dict[str, dict[tuple[str, str], dict[str, float]]] = {finding: {} for finding in findings}
    for row in probed:
        table.setdefault(row.finding, {}).setdefault((row.probe, row.variant), {})[row.case_id] = row.logit
    effects: list[ProbeEffect] = []
    for finding in findings:
        versions = table[finding]
        for probe in (name for name, question in asks.items() if question == "regions"):
            effects += _region_effects(finding, probe, versions, outputs, resampling)
        for question in ("shortcut", "card"):
            names = [name for name, asked in asks.items() if asked == question]
            effects += _ranking_effects(finding, names, versions, outputs, resampling)
    return effects


def _region_effects(
    finding: str,
    probe: str,
    versions: Mapping[tuple[str, str], Mapping[str, float]],
    outputs: Outputs,
    resampling: Resampling,
) -> Iterator[ProbeEffect]:
    """One row per fill. Only the first whose control leaves the output as it is has an answer."""
    base = versions.get((UNCHANGED, ""), {})
    known = list(outputs.logits.get(finding, {}).values())
    spread = float(np.std(known, ddof=1)) if len(known) > 1 else 0.0
    is_answered = False
    for fill in FILLS:
        lesion, control = (versions.get((probe, f"{fill}/{part}"), {}) for part in (LESION, CONTROL))
        ids = [case_id for case_id in lesion if case_id in control and case_id in base]
        if not ids or not spread:
            continue
        falls = np.array([[base[i] - lesion[i], base[i] - control[i]] for i in ids]) / spread
        units = [outputs.units[i] for i in ids]
        interval = interval_of_mean(falls[:, 0] - falls[:, 1], units, resampling)
        control_fall = float(falls[:, 1].mean())
        alone = interval_of_mean(falls[:, 0], units, resampling)
        found = _use(interval, alone, control_fall, len(set(units)))
        answer: Answer = "cannot_tell" if is_answered else found
        is_answered = is_answered or _is_judging(found, control_fall)
        separation = _separation(outputs, finding)
        yield ProbeEffect(
            finding,
            probe,
            fill,
            "log_odds",
            answer,
            n=len(ids),
            patients=len(set(units)),
            before=float(falls[:, 0].mean()),
            after=float(falls[:, 1].mean()),
            **interval._asdict(),
            dose=interval.estimate * spread / separation if interval.estimate and separation else None,
        )


def judging_fill(effects: Iterable[ProbeEffect], finding: str, probe: str) -> str | None:
    """The fill that judges a finding: the first that answers or leaves the control as it is; None without."""
    rows = (row for row in effects if (row.finding, row.probe, row.measure) == (finding, probe, "log_odds"))
    return next((row.variant for row in rows if _is_judging(row.answer, row.after or 0.0)), None)


def _is_judging(answer: Answer, control_fall: float) -> bool:
    return answer != "cannot_tell" or abs(control_fall) <= LARGEST_CONTROL


def _use(difference: Interval, alone: Interval, control_fall: float, patients: int) -> Answer:
    """The answer of one fill. `alone`: the fall without the region, not compared with the control's.

    A fill that raises the output by itself speaks against a fall without the region. Where the output falls
    all the same, the region is used.
    """
    if patients < FEWEST_PATIENTS or control_fall > LARGEST_CONTROL:
        return "cannot_tell"
    if _is_effect(difference) and (control_fall >= -LARGEST_CONTROL or _is_effect(alone)):
        return "used"
    is_small = control_fall >= -LARGEST_CONTROL and _is_within(difference, MOST_UNUSED)
    return "not_used" if is_small else "cannot_tell"


def _is_effect(interval: Interval) -> bool:
    return bool(interval.low and interval.low > 0 and (interval.estimate or 0) >= LEAST_EFFECT)


def _is_within(interval: Interval, most: float) -> bool:
    low, high = interval.low, interval.high
    return low is not None and high is not None and -most < low and high < most


def _separation(outputs: Outputs, finding: str) -> float | None:
    """Mean logit of images with the finding less that of images without; None if it is not above 0."""
    labels, logits = outputs.labels.get(finding, {}), outputs.logits.get(finding, {})
    present, absent = ([logits[i] for i in logits if labels.get(i) is value] for value in (True, False))
    if not present or not absent:
        return None
    separation = float(np.mean(present) - np.mean(absent))
    return separation if separation > 0 else None


def _ranking_effects(
    finding: str,
    probes: Sequence[str],
    versions: Mapping[tuple[str, str], Mapping[str, float]],
    outputs: Outputs,
    resampling: Resampling,
) -> list[ProbeEffect]:
    """One row per variant, in which the AUROC is compared on the same images."""
    base, labels = versions.get((UNCHANGED, ""), {}), outputs.labels.get(finding, {})
    compared: list[tuple[str, str, list[str], float | None, float | None, Difference]] = []
    for (probe, variant), changed in versions.items():
        if probe not in probes:
            continue
        ids = [i for i in changed if i in base and labels.get(i) is not None]
        if len({labels[i] for i in ids}) > 1:
            compared.append(
                (probe, variant, ids, *_compared(ids, base, changed, outputs, finding, resampling))
            )
    corrected = holm([row[-1].p for row in compared])
    return [
        ProbeEffect(
            finding,
            probe,
            variant,
            "auroc",
            _change(found, p, len({outputs.units[i] for i in ids})),
            n=len(ids),
            patients=len({outputs.units[i] for i in ids}),
            before=before,
            after=after,
            estimate=found.estimate,
            low=found.low,
            high=found.high,
            corrected_p=p,
        )
        for (probe, variant, ids, before, after, found), p in zip(compared, corrected, strict=True)
    ]


def _compared(
    ids: Sequence[str],
    base: Mapping[str, float],
    changed: Mapping[str, float],
    outputs: Outputs,
    finding: str,
    resampling: Resampling,
) -> tuple[float | None, float | None, Difference]:
    """AUROC before and after, and the difference after less before."""
    label = [outputs.labels[finding][i] is True for i in ids]
    units = [outputs.units[i] for i in ids]
    first, second = (ranked([logits[i] for i in ids], label, units) for logits in (base, changed))
    return (
        None if first is None else first.estimate,
        None if second is None else second.estimate,
        auroc_difference(second, first, resampling.confidence),
    )


def _change(found: Difference, corrected_p: float | None, patients: int) -> Answer:
    if found.estimate is None or patients < FEWEST_PATIENTS:
        return "cannot_tell"
    if corrected_p is None or corrected_p > LEVEL or abs(found.estimate) < LEAST_CHANGE:
        return "holds"
    return "drops" if found.estimate < 0 else "rises"


LEVEL = 0.05
"""Significance level of p-values that are corrected over the variants of a finding."""
