"""Choosing: what every image told of every rule and threshold → one rule, threshold and gate a finding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.joints.drawn import Cut
from pipeline.joints.trying import Candidate, Overlaps, Tried
from pipeline.metrics.operating import youden


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen for a finding, and what it gains on the images that it was chosen on."""

    finding: str
    cut: Cut
    """As the config has it, where nothing was chosen."""
    kind: Literal["mask", "box"]
    images: int
    patients: int
    before: float | None
    """Mean IoU of the config's own cut, whether or not the gate is open."""
    after: float | None
    labelled: int
    """Images whose label is known, on which the gate was chosen."""
    why_not: str = ""
    """Why nothing was chosen; empty where it was."""


def choose(
    tried: Sequence[Tried],
    candidates: Sequence[Candidate],
    own: dict[str, Cut],
    *,
    minimum_patients: int,
) -> Iterator[Chosen]:
    """What fits best for each finding of `own`, which maps it to the config's own cut.

    Masks decide where there are any, else boxes: their scores are never averaged together. Of equally good
    candidates the first wins.
    """
    for finding, cut in own.items():
        rows = [(one.patient, o) for one in tried for o in one.overlaps if o.finding == finding]
        kind: Literal["mask", "box"] = "mask" if any(o.kind == "mask" for _, o in rows) else "box"
        rows = [(patient, overlaps) for patient, overlaps in rows if overlaps.kind == kind]
        patients = len({patient for patient, _ in rows})
        labelled = sum(chance.finding == finding for one in tried for chance in one.chances)
        if patients < minimum_patients:
            why = f"{patients} patients with the finding, tuning.minimum_patients asks for {minimum_patients}"
            yield Chosen(finding, cut, kind, len(rows), patients, None, None, labelled, why)
            continue
        means = _means([overlaps for _, overlaps in rows])
        best = int(np.argmax(means))
        chosen = _gated(
            Cut(candidates[best].rule, candidates[best].threshold, cut.gate, cut.probability, cut.filled),
            finding,
            tried,
        )
        before = means[candidates.index(Candidate(cut.rule, cut.threshold))]
        yield Chosen(finding, chosen, kind, len(rows), patients, float(before), float(means[best]), labelled)


def _means(rows: Sequence[Overlaps]) -> NDArray[np.float64]:
    means: NDArray[np.float64] = np.array([overlaps.ious for overlaps in rows], np.float64).mean(axis=0)
    return means


def _gated(cut: Cut, finding: str, tried: Sequence[Tried]) -> Cut:
    """The probability from which on the gate opens, by Youden's J; a gate that is always open needs none."""
    if cut.gate == "all":
        return cut
    known = [chance for one in tried for chance in one.chances if chance.finding == finding]
    found = youden([chance.probability for chance in known], [chance.present for chance in known])
    return cut if found is None else Cut(cut.rule, cut.threshold, cut.gate, found, cut.filled)
