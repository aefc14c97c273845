"""Swap suspicions: what lesions in other patients' images say against the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.records import Suspicion
from pipeline.records.probes import ELSEWHERE, SAME_PLACE
from pipeline.statistics.probe_answers import ProbeEffect, has_other_need, signed

NOT_FOLLOWED, AT_ITS_PLACE = "lesion_not_followed", "only_at_its_place"


def swap_suspicions(rows: Sequence[ProbeEffect]) -> Iterator[Suspicion]:
    """One for each answer about healthy images, if the network is not shown to need its own lesions.

    If it needs them, reading the place as well may be right. Other surroundings accuse nobody: replacing the
    lesions of the other image moves the output of sound networks as well (1.2 SD for nodules on phantoms).
    Alone these suspicions are weak: what is cloned is never quite a lesion that grew
    there, and annotations may belong to other images. They are strong where the output does not need its own
    lesions, and the annotations are shown to be right by another finding, or by a shortcut that was seen.
    """
    used = {row.finding for row in rows if row.answer == "used"}
    for effect in (row for row in rows if row.finding not in used):
        match effect.measure, effect.answer:
            case "rise", "does_not_follow" if effect.variant not in {SAME_PLACE, ELSEWHERE}:
                yield _suspicion(effect, rows, NOT_FOLLOWED, _not_followed(effect))
            case "rise", "only_at_its_place":
                yield _suspicion(effect, rows, AT_ITS_PLACE, _at_its_place(effect))


def _not_followed(effect: ProbeEffect) -> str:
    return (
        f"{_in_healthy_images(effect)}: the network may read something else, or what is cloned lost what it "
        "reads."
    )


def _at_its_place(effect: ProbeEffect) -> str:
    return (
        f"{_in_healthy_images(effect)}: the network may read the place as well as the lesion, or the finding "
        "looks otherwise elsewhere."
    )


def _in_healthy_images(effect: ProbeEffect) -> str:
    same, elsewhere = signed(effect.before), signed(effect.after)
    return (
        "Cloned into images without the finding, the annotated lesions raise the output beyond other tissue "
        f"by {same} SD at the same place, and by {elsewhere} SD elsewhere in the body"
    )


def _suspicion(effect: ProbeEffect, rows: Sequence[ProbeEffect], rule: str, sentence: str) -> Suspicion:
    is_unused = any(row.answer == "not_used" and row.finding == effect.finding for row in rows)
    return Suspicion(
        finding=effect.finding,
        rule=rule,
        suspect="network",
        strength="strong" if is_unused and has_other_need(effect.finding, rows) else "weak",
        sentence=sentence,
        estimate=effect.estimate,
        low=effect.low,
        high=effect.high,
        n=effect.n,
    )
