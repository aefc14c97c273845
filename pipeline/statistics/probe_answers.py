"""Probe answers: what a probe found on one finding, and by which limits it may say so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from pipeline.records.probes import Answer, Because, Measure
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.intervals import Interval, interval_of_mean

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
    measure: Measure
    answer: Answer
    n: int = 0
    patients: int = 0
    before: float | None = None
    """AUROC of the images as they are; in SD the change with, or without, the lesion. Of both places of a
    swap: the effect at the same place."""
    after: float | None = None
    """AUROC of the changed images; in SD the change of the control. Of both places of a swap: the effect at
    the other place."""
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    corrected_p: float | None = None
    """Holm-corrected over the variants of the finding."""
    dose: float | None = None
    """In SD: the estimate as a share of the difference between images with and without the finding."""
    because: Because = ""


@dataclass(frozen=True, slots=True)
class Outputs:
    """The outputs of a network for all audited images, with what is known of these."""

    logits: dict[str, dict[str, float]] = field(default_factory=dict)
    """Finding → case id → logit."""
    labels: dict[str, dict[str, bool | None]] = field(default_factory=dict)
    """Finding → case id → whether the finding is present."""
    units: dict[str, str] = field(default_factory=dict)
    """Case id → what is resampled: the patient, or the image."""

    def spread(self, finding: str) -> float:
        """SD of a finding's outputs over the images; 0 with a single image."""
        known = list(self.logits.get(finding, {}).values())
        return float(np.std(known, ddof=1)) if len(known) > 1 else 0.0

    def separation(self, finding: str) -> float | None:
        """Mean logit of images with the finding less that of images without; None if it is not above 0."""
        labels, logits = self.labels.get(finding, {}), self.logits.get(finding, {})
        present, absent = ([logits[i] for i in logits if labels.get(i) is value] for value in (True, False))
        if not present or not absent:
            return None
        separation = float(np.mean(present) - np.mean(absent))
        return separation if separation > 0 else None


class Judged(NamedTuple):
    """Whether a lesion changes the output; None if that cannot be told."""

    has_effect: bool | None
    because: Because = ""


@dataclass(frozen=True, slots=True)
class Against:
    """The change of the output with lesion and with control, on the same images, in SD."""

    difference: Interval
    """Of the lesion's change from the control's."""
    alone: Interval
    """Of the lesion's change."""
    control: float
    """Mean change with the control."""
    images: int
    patients: int

    @classmethod
    def of(
        cls, lesion: Sequence[float], control: Sequence[float], units: Sequence[str], resampling: Resampling
    ) -> Against:
        """From the changes of each image, with what is resampled."""
        first, second = np.array(lesion), np.array(control)
        return cls(
            interval_of_mean(first - second, units, resampling),
            interval_of_mean(first, units, resampling),
            float(second.mean()),
            len(units),
            len(set(units)),
        )

    def judged(self) -> Judged:
        """Whether the lesion has an effect, if the control lets it be told.

        A control that changes the output the other way speaks against an effect. Where the lesion has one all
        the same, compared with nothing, it has one.
        """
        if self.patients < FEWEST_PATIENTS:
            return Judged(None, "few_patients")
        if self.control > LARGEST_CONTROL:
            return Judged(None, "control_moves")
        if is_effect(self.difference) and (self.control >= -LARGEST_CONTROL or is_effect(self.alone)):
            return Judged(True)
        if self.control < -LARGEST_CONTROL:
            return Judged(None, "control_moves")
        return Judged(False) if is_within(self.difference, MOST_UNUSED) else Judged(None, "unclear")


def is_effect(interval: Interval) -> bool:
    """Whether a change is shown, and large enough to matter."""
    return bool(interval.low and interval.low > 0 and (interval.estimate or 0) >= LEAST_EFFECT)


def is_within(interval: Interval, most: float) -> bool:
    """Whether a change is shown to be at most so large, in both directions."""
    low, high = interval.low, interval.high
    return low is not None and high is not None and -most < low and high < most


def has_other_need(finding: str, rows: Iterable[ProbeEffect]) -> bool:
    """Whether annotations are shown to be right elsewhere, or the finding's need of a shortcut is shown.

    The annotated regions of another finding are needed, or this one's AUROC falls without something that no
    lesion changes.
    """
    return any(
        (row.answer == "used" and row.finding != finding)
        or (row.answer == "drops" and is_shortcut(row) and row.finding == finding)
        for row in rows
    )


def is_shortcut(row: ProbeEffect) -> bool:
    """Whether a row is about something in the image that no lesion changes."""
    return row.measure == "auroc" and row.probe != "card"


def signed(value: float | None) -> str:
    """A number with two decimals, for sentences."""
    return "–" if value is None else f"{value:.2f}".replace("-", "−")
