"""Region effects: whether the output falls without the annotated region, more than without a control."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipeline.records.probes import CONTROL, FILLS, LESION, UNCHANGED, Answer, Because
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.probe_answers import LARGEST_CONTROL, Against, Judged, Outputs, ProbeEffect

Versions = Mapping[tuple[str, str], Mapping[str, float]]
"""(Probe, variant) → case id → output for one finding."""
USE: Mapping[bool | None, Answer] = {True: "used", False: "not_used", None: "cannot_tell"}


def region_effects(
    finding: str, probe: str, versions: Versions, outputs: Outputs, resampling: Resampling
) -> Iterator[ProbeEffect]:
    """One row per fill. Only the first whose control leaves the output as it is has an answer.

    Where no image answers, one row without a variant says why; nothing for a finding that no image has.
    """
    rows = list(_of_fills(finding, probe, versions, outputs, resampling))
    yield from rows
    if not rows and True in outputs.labels.get(finding, {}).values():
        because: Because = "fits_nowhere" if outputs.spread(finding) else "same_output"
        yield ProbeEffect(finding, probe, "", "log_odds", "cannot_tell", because=because)


def _of_fills(
    finding: str, probe: str, versions: Versions, outputs: Outputs, resampling: Resampling
) -> Iterator[ProbeEffect]:
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
        is_answered = is_answered or _is_judging(USE[found.judged().has_effect], found.control)
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


def judging_fill(effects: Iterable[ProbeEffect], finding: str, probe: str) -> str | None:
    """The fill that judges a finding: the first that answers or leaves the control as it is; None without."""
    rows = (row for row in effects if (row.finding, row.probe, row.measure) == (finding, probe, "log_odds"))
    return next(
        (row.variant for row in rows if row.variant and _is_judging(row.answer, row.after or 0.0)), None
    )


def _is_judging(answer: Answer, control_fall: float) -> bool:
    return answer != "cannot_tell" or abs(control_fall) <= LARGEST_CONTROL
