"""Swap suspicions: what lesions in other patients' images say against the network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.records import Suspicion
from pipeline.records.probes import ELSEWHERE, SAME_PLACE
from pipeline.statistics.probe_answers import ProbeEffect, has_other_need, signed

NOT_FOLLOWED, AT_ITS_PLACE, SURROUNDINGS = "lesion_not_followed", "only_at_its_place", "surroundings"


def swap_suspicions(rows: Sequence[ProbeEffect]) -> Iterator[Suspicion]:
    """One for each answer that speaks against the network, if it is not shown to need its own lesions.

    If it needs them, reading the place as well may be right, and what was left of other images' lesions
    explains the rest. Alone these suspicions are weak: what is cloned is never quite a lesion that grew
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
            case "surroundings", "drops":
                yield _suspicion(effect, rows, SURROUNDINGS, _surroundings(effect))


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


def _surroundings(effect: ProbeEffect) -> str:
    lower = f"{signed(effect.estimate)} SD [{signed(effect.low)} to {signed(effect.high)}]"
    return (
        "With the surroundings of an image without the finding, the output for the annotated lesions is "
        f"lower by {lower} than with those of another patient with it: the network may read a shortcut, "
        "other signs of the disease, or lesions that were not annotated."
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
