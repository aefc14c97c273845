"""Choice: overlap of every rule and threshold on every image → one rule, threshold and gate per finding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.records import ContourRule, Kind
from pipeline.statistics.operating import youden
from pipeline.tuning.sweep import Candidate, Overlaps, SweptCase


@dataclass(frozen=True, slots=True)
class ThresholdChoice:
    """The rule chosen for a finding, and its gain on the tuning images."""

    finding: str
    rule: ContourRule
    """The config's own rule if nothing was chosen."""
    kind: Kind
    images: int
    patients: int
    before: float | None
    """Mean IoU of the config's own rule, ignoring the gate."""
    after: float | None
    """Mean IoU of the chosen rule, ignoring the gate."""
    labelled: int
    """Images with a known label, on which the gate was chosen."""
    unchanged_because: str = ""
    """Why the config's own rule was kept; empty if a rule was chosen."""


def choose_thresholds(
    swept: Sequence[SweptCase],
    candidates: Sequence[Candidate],
    own: dict[str, ContourRule],
    *,
    minimum_patients: int,
) -> Iterator[ThresholdChoice]:
    """The candidate with the highest mean IoU for each finding of `own` (finding → configured rule).

    Images with masks are used if there are any, otherwise those with boxes; the two are never averaged
    together. Ties go to the first candidate.
    """
    for finding, rule in own.items():
        rows = [(case.patient, o) for case in swept for o in case.overlaps if o.finding == finding]
        kind: Kind = "mask" if any(o.kind == "mask" for _, o in rows) else "box"
        rows = [(patient, overlaps) for patient, overlaps in rows if overlaps.kind == kind]
        patients = len({patient for patient, _ in rows})
        labelled = sum(sample.finding == finding for case in swept for sample in case.gate_samples)
        if patients < minimum_patients:
            why = f"{patients} patients have the finding, and tuning.minimum_patients is {minimum_patients}"
            yield ThresholdChoice(finding, rule, kind, len(rows), patients, None, None, labelled, why)
            continue
        means = _means([overlaps for _, overlaps in rows])
        best = int(np.argmax(means))
        chosen = _with_gate(
            ContourRule(
                candidates[best].rule, candidates[best].threshold, rule.gate, rule.probability, rule.filled
            ),
            finding,
            swept,
        )
        before = means[candidates.index(Candidate(rule.rule, rule.threshold))]
        yield ThresholdChoice(
            finding, chosen, kind, len(rows), patients, float(before), float(means[best]), labelled
        )


def _means(rows: Sequence[Overlaps]) -> NDArray[np.float64]:
    means: NDArray[np.float64] = np.array([overlaps.ious for overlaps in rows], np.float64).mean(axis=0)
    return means


def _with_gate(rule: ContourRule, finding: str, swept: Sequence[SweptCase]) -> ContourRule:
    """The rule with the gate's probability at the highest Youden's J; unchanged if gate is `all`."""
    if rule.gate == "all":
        return rule
    samples = [sample for case in swept for sample in case.gate_samples if sample.finding == finding]
    cutoff = youden([sample.probability for sample in samples], [sample.present for sample in samples])
    return rule if cutoff is None else ContourRule(rule.rule, rule.threshold, rule.gate, cutoff, rule.filled)


def describe_choice(entry: ThresholdChoice) -> str:
    """One finding's choice as a sentence."""
    if entry.unchanged_because:
        return f"{entry.finding}: unchanged; {entry.unchanged_because}"
    rule = entry.rule
    gate = (
        f", gate from {rule.probability:.3g}" if rule.probability is not None and rule.gate != "all" else ""
    )
    measure = "IoU" if entry.kind == "mask" else "box IoU"
    return (
        f"{entry.finding}: {rule.rule} {rule.threshold:g}{gate}; "
        f"mean {measure} {entry.before:.3f} → {entry.after:.3f} "
        f"on {entry.images} images of {entry.patients} patients"
    )
