"""Region effects: whether the output falls without the annotated region, more than without a control."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipeline.records.probes import CONTROL, FILLS, LESION, UNCHANGED, Answer
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.probe_answers import LARGEST_CONTROL, Against, Judged, Outputs, ProbeEffect

Versions = Mapping[tuple[str, str], Mapping[str, float]]
"""(Probe, variant) → case id → output for one finding."""
USE: Mapping[bool | None, Answer] = {True: "used", False: "not_used", None: "cannot_tell"}


def region_effects(
    finding: str, probe: str, versions: Versions, outputs: Outputs, resampling: Resampling
) -> Iterator[ProbeEffect]:
    """One row per fill. Only the first whose control leaves the output as it is has an answer."""
    base, spread = versions.get((UNCHANGED, ""), {}), outputs.spread(finding)
    separation, is_answered = outputs.separation(finding), False
    for fill in FILLS:
        lesion, control = (versions.get((probe, f"{fill}/{part}"), {}) for part in (LESION, CONTROL))
        ids = [i for i in lesion if i in control and i in base]
        if not ids or not spread:
            continue
        fall, control_fall = ([(base[i] - changed[i]) / spread for i in ids] for changed in (lesion, control))
        found = Against.of(fall, control_fall, [outputs.units[i] for i in ids], resampling)
        judged = Judged(None, "other_fill") if is_answered else found.judged()
        is_answered = (
            is_answered or found.judged().has_effect is not None or abs(found.control) <= LARGEST_CONTROL
        )
        difference = found.difference
        yield ProbeEffect(
            finding,
            probe,
            fill,
            "log_odds",
            USE[judged.has_effect],
            n=found.images,
            patients=found.patients,
            before=found.alone.estimate,
            after=found.control,
            **difference._asdict(),
            dose=difference.estimate * spread / separation if difference.estimate and separation else None,
            because=judged.because,
        )
