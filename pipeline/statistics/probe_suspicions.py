"""Probe suspicions: what the answers of probes say against network, annotations or card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pipeline.records import Strength, Suspect, Suspicion
from pipeline.records.names import ALL_FINDINGS
from pipeline.statistics.learnt import TOLD, Learnt, lost_suspicions
from pipeline.statistics.probe_answers import ProbeEffect, has_other_need, is_shortcut, signed
from pipeline.statistics.swap_suspicions import swap_suspicions
from pipeline.statistics.variants import form_of

CHANGES: Mapping[str, str] = {
    "low_pass": "fine detail is blurred",
    "brightness": "each image has the mean brightness of another",
    "frame": "each image has the border of another",
    "background": "everything outside the body is black",
    "outside": "each image has the outside of the body of another",
    "stripes": "stripes along rows and columns are removed",
    "text": "text and markers are blanked or exchanged",
}
"""Probe of a shortcut → its change as a clause. A probe of another package is named instead."""
READINGS: Mapping[str, str] = {
    "low_pass": "detail finer than 1 % of the image",
    "brightness": "the mean brightness of the image",
    "frame": "the border of the image",
    "background": "what lies outside the body",
    "outside": "what lies outside the body",
    "stripes": "stripes along rows or columns",
    "text": "text or markers in the image",
}
"""Probe of a shortcut → what a network reads that it affects."""
SHORTCUT = "shortcut_"
"""Start of the names of rules about shortcuts."""


def probe_suspicions(learnt: Learnt) -> Iterator[Suspicion]:
    """One suspicion for each answer that speaks against something, and those about all findings together."""
    rows = list(learnt.effects)
    lost = tuple(lost_suspicions(learnt))
    cards = [] if lost else learnt.better_cards()
    for effect in rows:
        match effect.answer, effect.measure, effect.probe:
            case "not_used", _, _:
                yield _unused(effect, rows)
            case "drops", "auroc", probe if probe != "card":
                yield _shortcut(effect)
            case "rises", _, "card" if effect in cards:
                yield _card(effect)
    yield from swap_suspicions(rows)
    yield from lost
    yield from _card_of_all(cards)
    yield from _masks(learnt)


def _card_of_all(cards: Sequence[ProbeEffect]) -> Iterator[Suspicion]:
    """A card is one for all findings: a variant that tells several of them better speaks of all."""
    told = Counter(row.variant for row in cards)
    variant, count = max(told.items(), key=lambda item: item[1], default=("", 0))
    if count > 1:
        best = max((row for row in cards if row.variant == variant), key=lambda row: row.estimate or 0)
        of_one = _card(best)
        sentence = (
            f"{count} findings are told better with {form_of(variant)}. Of {best.finding}: {of_one.sentence}"
        )
        yield replace(of_one, finding=ALL_FINDINGS, sentence=sentence)


def _masks(learnt: Learnt) -> Iterator[Suspicion]:
    """Several findings are told, and not one needs its annotated region, nor anything that a probe removed.

    One finding may rest on a shortcut that no probe knows. That all do is less likely than that the
    annotations belong to other images.
    """
    rows = learnt.effects
    told = {finding for finding, area in learnt.told().items() if area >= TOLD}
    answers = [row for row in rows if row.measure == "log_odds" and row.finding in told]
    unused = [row for row in answers if row.answer == "not_used"]
    has_shortcut = any(row.answer == "drops" and is_shortcut(row) for row in rows)
    if len(unused) > 1 and not has_shortcut and all(row.answer != "used" for row in answers):
        names = ", ".join(row.finding for row in unused)
        yield Suspicion(
            ALL_FINDINGS,
            "nothing_needed",
            "masks",
            "strong",
            f"The network tells {names}, needs the annotated regions of none, and no probe found a shortcut: "
            "the annotations may belong to other images, or lie elsewhere on them.",
            n=len(unused),
        )


def _unused(effect: ProbeEffect, rows: Sequence[ProbeEffect]) -> Suspicion:
    """Strong where the annotations of another finding are needed, or where a probe found a shortcut."""
    is_sure = has_other_need(effect.finding, rows)
    doubt = "" if is_sure else " Or the annotations belong to other images."
    sentence = (
        f"Replacing the annotated region lowers the output by {signed(effect.estimate)} SD "
        f"[{signed(effect.low)} to {signed(effect.high)}] more than replacing a control region of the same "
        f"shape ({effect.n} images): the network does not need what is annotated.{doubt}"
    )
    return _suspicion(effect, "lesion_not_used", "network", sentence, "strong" if is_sure else "weak")


def _shortcut(effect: ProbeEffect) -> Suspicion:
    change = CHANGES.get(effect.probe, f"the probe {effect.probe} changes the images")
    reading = READINGS.get(effect.probe, "what this probe changes")
    sentence = f"The AUROC falls {_from_to(effect)} if {change}: the network may read {reading}."
    return _suspicion(effect, f"{SHORTCUT}{effect.probe}", "network", sentence)


def _card(effect: ProbeEffect) -> Suspicion:
    sentence = (
        f"The AUROC rises {_from_to(effect)} with {form_of(effect.variant)}: the card may state "
        "the preprocessing wrongly, or the images are stored so."
    )
    return _suspicion(effect, f"card_{effect.variant}", "card", sentence)


def _suspicion(
    effect: ProbeEffect, rule: str, suspect: Suspect, sentence: str, strength: Strength = "strong"
) -> Suspicion:
    return Suspicion(
        finding=effect.finding,
        rule=rule,
        suspect=suspect,
        strength=strength,
        sentence=sentence,
        estimate=effect.estimate,
        low=effect.low,
        high=effect.high,
        n=effect.n,
    )


def _from_to(effect: ProbeEffect) -> str:
    return f"from {effect.before:.2f} to {effect.after:.2f} ({effect.n} images)"
