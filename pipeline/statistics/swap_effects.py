"""Swap effects: whether the output follows a lesion into other images, and its surroundings matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from pipeline.records.probes import (
    BOTH_PLACES,
    CONTROL,
    ELSEWHERE,
    LESION,
    RECIPIENT,
    SAME_LABEL,
    SAME_PLACE,
    SURROUNDINGS,
    UNCHANGED,
    Answer,
    Because,
    Measure,
)
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.probe_answers import (
    FEWEST_PATIENTS,
    LARGEST_CONTROL,
    MOST_UNUSED,
    Against,
    Judged,
    Outputs,
    ProbeEffect,
    is_effect,
    is_within,
)

Logits = Mapping[str, float]
"""Case id → output."""
Pairs = Mapping[str, tuple[float, float]]
"""Case id → change of the output in SD with what is asked about, and with its control."""
FOLLOWS: Mapping[bool | None, Answer] = {True: "follows", False: "does_not_follow", None: "cannot_tell"}
TWO = 2
"""Patients of whom one is another."""
DROPS: Mapping[bool | None, Answer] = {True: "drops", False: "holds", None: "cannot_tell"}


def swap_effects(
    finding: str,
    probe: str,
    versions: Mapping[tuple[str, str], Logits],
    outputs: Outputs,
    resampling: Resampling,
) -> Iterator[ProbeEffect]:
    """A row per place in healthy images, one for both places together, and one for the surroundings.

    Nothing for a finding that no image has, or whose output is always the same. Where no image answers, the
    rows of both places and of the surroundings say why.
    """
    if not outputs.spread(finding) or True not in outputs.labels.get(finding, {}).values():
        return
    swaps = _Swaps(finding, probe, versions, outputs, resampling)
    places = {place: swaps.rises(place) for place in (SAME_PLACE, ELSEWHERE)}
    judged = {place: swaps.judged(pairs, _missing(outputs, finding)) for place, pairs in places.items()}
    for place, pairs in places.items():
        if pairs:
            yield swaps.row(place, "rise", pairs, FOLLOWS[judged[place].has_effect], judged[place].because)
    yield _both_places(swaps, places, judged)
    around = swaps.falls()
    found = (
        _around(swaps.against(around)) if around else Judged(None, _missing(outputs, finding, has_other=True))
    )
    yield swaps.row(SURROUNDINGS, "surroundings", around, DROPS[found.has_effect], found.because)


@dataclass(frozen=True, slots=True)
class _Swaps:
    """The outputs for swaps of one finding."""

    finding: str
    probe: str
    versions: Mapping[tuple[str, str], Logits]
    outputs: Outputs
    resampling: Resampling

    def rises(self, place: str) -> Pairs:
        """Rise of the output with lesion and with control, from that of the healthy image."""
        lesion, control = (self._of(f"{place}/{part}") for part in (LESION, CONTROL))
        return self._pairs(self._of(RECIPIENT), lesion, control, sign=1)

    def falls(self) -> Pairs:
        """Fall of the output with the surroundings of a healthy image, and of one with the same label."""
        base, healthy = self.versions.get((UNCHANGED, ""), {}), self._of(f"{SAME_PLACE}/{LESION}")
        return self._pairs(base, healthy, self._of(SAME_LABEL), sign=-1)

    def judged(self, pairs: Pairs, missing: Because) -> Judged:
        """Whether there is an effect; without any pair, `missing` says why there is none."""
        return self.against(pairs).judged() if pairs else Judged(None, missing)

    def against(self, pairs: Pairs) -> Against:
        """Both changes over patients; there must be a pair."""
        first, second = zip(*pairs.values(), strict=True)
        return Against.of(first, second, [self.outputs.units[i] for i in pairs], self.resampling)

    def row(
        self, variant: str, measure: Measure, pairs: Pairs, answer: Answer, because: Because
    ) -> ProbeEffect:
        """A row of probes.csv, without numbers if there is no pair."""
        named = ProbeEffect(self.finding, self.probe, variant, measure, answer, because=because)
        if not pairs:
            return named
        found, separation = self.against(pairs), self.outputs.separation(self.finding)
        return replace(
            named,
            n=found.images,
            patients=found.patients,
            before=found.alone.estimate,
            after=found.control,
            **found.difference._asdict(),
            dose=(found.difference.estimate or 0) * self.outputs.spread(self.finding) / separation
            if separation
            else None,
        )

    def _of(self, variant: str) -> Logits:
        return self.versions.get((self.probe, variant), {})

    def _pairs(self, base: Logits, first: Logits, second: Logits, *, sign: int) -> Pairs:
        unit = sign / self.outputs.spread(self.finding)
        return {
            i: ((first[i] - base[i]) * unit, (second[i] - base[i]) * unit)
            for i in first
            if i in second and i in base
        }


def _around(found: Against) -> Judged:
    """Whether the surroundings matter: the output falls in healthy ones, and more than in the others.

    What moving a lesion costs is the same in both. Where the others raise the output, something of their own
    lesions was left, and a smaller rise in healthy ones is no fall.
    """
    if found.patients < FEWEST_PATIENTS:
        return Judged(None, "few_patients")
    if is_effect(found.difference) and is_effect(found.alone):
        return Judged(True)
    if is_within(found.difference, MOST_UNUSED):
        return Judged(False)
    return Judged(None, "control_moves" if abs(found.control) > LARGEST_CONTROL else "unclear")


def _both_places(swaps: _Swaps, places: Mapping[str, Pairs], judged: Mapping[str, Judged]) -> ProbeEffect:
    """The effect at the same place beside that elsewhere, on the images that have both."""
    same, elsewhere = (
        {i: lesion - control for i, (lesion, control) in places[place].items()}
        for place in (SAME_PLACE, ELSEWHERE)
    )
    pairs = {i: (same[i], elsewhere[i]) for i in same if i in elsewhere}
    is_less = bool(pairs) and (swaps.against(pairs).difference.low or 0) > 0
    answer, because = _by_place(judged[SAME_PLACE], judged[ELSEWHERE], is_less=is_less)
    return swaps.row(BOTH_PLACES, "rise", pairs, answer, because)


def _by_place(same: Judged, elsewhere: Judged, *, is_less: bool) -> tuple[Answer, Because]:
    """`is_less`: whether the effect elsewhere is shown to be smaller."""
    if same.has_effect is None or elsewhere.has_effect is None:
        return "cannot_tell", same.because or elsewhere.because
    match same.has_effect, elsewhere.has_effect:
        case True, True:
            return "follows", ""
        case False, False:
            return "does_not_follow", ""
        case True, False if is_less:
            return "only_at_its_place", ""
    return "cannot_tell", "unclear"


def _missing(outputs: Outputs, finding: str, *, has_other: bool = False) -> Because:
    """Why no image could be swapped; `has_other`: another patient's image with the finding is needed, too."""
    labels = outputs.labels.get(finding, {})
    present, absent = ({outputs.units[i] for i in labels if labels[i] is value} for value in (True, False))
    if not absent or len(present | absent) < TWO:
        return "no_healthy_image"
    return "no_other_image" if has_other and len(present) < TWO else "fits_nowhere"
