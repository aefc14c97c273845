"""Probe effects: what changed versions of the images do to a finding's outputs and to their AUROC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.records import ProbedOutput
from pipeline.records.names import LEVEL
from pipeline.records.probes import UNCHANGED, Answer, Because
from pipeline.statistics.auroc import auroc_difference, ranked
from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.comparison import Difference, holm
from pipeline.statistics.probe_answers import FEWEST_PATIENTS, LEAST_CHANGE, Outputs, ProbeEffect
from pipeline.statistics.region_effects import region_effects
from pipeline.statistics.swap_effects import swap_effects


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
        for probe, question in asks.items():
            if question == "regions":
                effects += region_effects(finding, probe, versions, outputs, resampling)
            if question == "swap":
                effects += swap_effects(finding, probe, versions, outputs, resampling)
        for question in ("shortcut", "card"):
            names = [name for name, asked in asks.items() if asked == question]
            effects += _ranking_effects(finding, names, versions, outputs, resampling)
    return effects


def _ranking_effects(
    finding: str,
    probes: Sequence[str],
    versions: Mapping[tuple[str, str], Mapping[str, float]],
    outputs: Outputs,
    resampling: Resampling,
) -> list[ProbeEffect]:
    """One row per variant, in which the AUROC is compared on the same images; else one that says why not.

    Nothing for a finding that is known of no image.
    """
    base, labels = versions.get((UNCHANGED, ""), {}), outputs.labels.get(finding, {})
    if not any(label is not None for label in labels.values()):
        return []
    compared: list[tuple[str, str, list[str], float | None, float | None, Difference]] = []
    seen = [key for key in versions if key[0] in probes]
    unseen = set(probes) - {name for name, _ in seen}
    missing = [_missing(finding, probe, "", "no_image") for probe in probes if probe in unseen]
    for probe, variant in seen:
        changed = versions[probe, variant]
        ids = [i for i in changed if i in base and labels.get(i) is not None]
        if len({labels[i] for i in ids}) > 1:
            compared.append(
                (probe, variant, ids, *_compared(ids, base, changed, outputs, finding, resampling))
            )
        else:
            missing.append(_missing(finding, probe, variant, "one_class"))
    corrected = holm([row[-1].p for row in compared])
    answered = [
        ProbeEffect(
            finding,
            probe,
            variant,
            "auroc",
            answer := _change(found, p, len({outputs.units[i] for i in ids})),
            n=len(ids),
            patients=len({outputs.units[i] for i in ids}),
            before=before,
            after=after,
            estimate=found.estimate,
            low=found.low,
            high=found.high,
            corrected_p=p,
            because=_because(answer, len({outputs.units[i] for i in ids})),
        )
        for (probe, variant, ids, before, after, found), p in zip(compared, corrected, strict=True)
    ]
    return [*answered, *missing]


def _missing(finding: str, probe: str, variant: str, because: Because) -> ProbeEffect:
    return ProbeEffect(finding, probe, variant, "auroc", "cannot_tell", because=because)


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


def _because(answer: Answer, patients: int) -> Because:
    if answer != "cannot_tell":
        return ""
    return "few_patients" if patients < FEWEST_PATIENTS else "unclear"


def _change(found: Difference, corrected_p: float | None, patients: int) -> Answer:
    if found.estimate is None or patients < FEWEST_PATIENTS:
        return "cannot_tell"
    if corrected_p is None or corrected_p > LEVEL or abs(found.estimate) < LEAST_CHANGE:
        return "holds"
    return "drops" if found.estimate < 0 else "rises"
