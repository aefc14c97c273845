"""Probe suspicions: what the answers of probes say against network, annotations or card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from pipeline.records import Strength, Suspect, Suspicion
from pipeline.records.names import ALL_FINDINGS
from pipeline.statistics.probe_answers import LEAST_CHANGE, ProbeEffect, has_other_need, is_shortcut, signed
from pipeline.statistics.swap_suspicions import swap_suspicions

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
FORMS: Mapping[str, str] = {
    "mirrored": "mirrored images",
    "upside_down": "images that are upside down",
    "inverted": "inverted images",
    "stretched": "whole images stretched to the input",
    "padded": "images padded to a square",
    "window_header": "the window of the files (window: header)",
    "window_full": "the full range of grey levels (window: full)",
}
"""Variant of the card → its images as a noun phrase."""
SHORTCUT = "shortcut_"
"""Start of the names of rules about shortcuts."""


TOLD = 0.7
"""AUROC from which on an output counts as telling its finding."""
SURELY_TOLD = 0.9
"""AUROC from which on another output counts as that of a finding, where no output tells its own."""


def probe_suspicions(effects: Iterable[ProbeEffect], known: Iterable[Suspicion] = ()) -> Iterator[Suspicion]:
    """One suspicion for each answer that speaks against something, and those about all findings together.

    `known` are the suspicions of other rules.
    """
    rows = list(effects)
    lost = tuple(_lost(rows, list(known)))
    cards = [] if lost else [row for row in rows if _is_better_card(row, rows)]
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
    yield from _masks(rows)


def _is_better_card(effect: ProbeEffect, rows: Sequence[ProbeEffect]) -> bool:
    """Whether a network trained on this variant may be what answers.

    It tells the finding with the variant, better than the output or its opposite tells it without; and no
    other finding is told worse, because all were trained on the same images. Of outputs at random some
    variant always raises one.
    """
    others = (row for row in rows if (row.probe, row.variant) == (effect.probe, effect.variant))
    return (
        effect.answer == "rises" and _tells_more(effect) and not any(row.answer == "drops" for row in others)
    )


def _tells_more(effect: ProbeEffect) -> bool:
    """Whether the finding is told with a variant of the card, better than without, shown or not."""
    if effect.probe != "card" or effect.before is None or effect.after is None:
        return False
    return effect.after >= TOLD and effect.after - max(effect.before, 1 - effect.before) >= LEAST_CHANGE


def _lost(rows: Sequence[ProbeEffect], known: Sequence[Suspicion]) -> Iterator[Suspicion]:
    """Half of the findings or more are not told: what was learnt is lost, if the outputs do not need regions.

    Where the card is at fault instead, some variant tells most of what is lost; where the outputs are in
    another order, other outputs tell all of it.
    """
    areas = _areas(rows)
    lost = {finding: row for finding, row in areas.items() if (row.before or 0) < TOLD}
    if not lost or 2 * len(lost) < len(areas) or not _is_without_sense(rows, lost):
        return
    if 2 * _most_told_by_a_card(rows, lost) > len(lost):
        return
    least, *_, most = sorted([row.before or 0 for row in lost.values()] * 2)
    what = (
        f"{len(lost)} of {len(areas)} findings have an AUROC below {TOLD:g}, from {least:.2f} to {most:.2f}, "
    )
    if set(lost) <= set(_told_by_others(known)):
        cause = "and other outputs tell each of them: the outputs may be in another order than the card says."
        rule, suspect = "order_of_all", "labels"
    else:
        cause = (
            "and their outputs do not fall as they should without the annotated regions: the weights may be "
            "untrained or broken, or those of another network."
        )
        rule, suspect = "nothing_learnt", "weights"
    count = max(row.n for row in lost.values())
    yield Suspicion(ALL_FINDINGS, rule, suspect, "strong", what + cause, most, n=count)  # type: ignore[arg-type]


def _is_without_sense(rows: Sequence[ProbeEffect], lost: Mapping[str, ProbeEffect]) -> bool:
    """Whether the outputs that tell nothing need no regions either, which they would if labels were at fault.

    Outputs of random weights may need the regions of some findings. Some that tell the opposite beside some
    that tell nothing are enough: no training ends so. Where all tell it, labels or outputs are turned.
    """
    used = {row.finding for row in rows if row.answer == "used"}
    turned = {finding for finding, row in lost.items() if (row.before or 0) < 1 - TOLD}
    if turned - used and set(lost) - turned:
        return True
    has_answer = any(row.answer == "not_used" for row in rows)
    return has_answer and used <= set(lost) and 2 * len(used) < len(lost)


def _card_of_all(cards: Sequence[ProbeEffect]) -> Iterator[Suspicion]:
    """A card is one for all findings: a variant that tells several of them better speaks of all."""
    told = Counter(row.variant for row in cards)
    variant, count = max(told.items(), key=lambda item: item[1], default=("", 0))
    if count > 1:
        best = max((row for row in cards if row.variant == variant), key=lambda row: row.estimate or 0)
        of_one = _card(best)
        sentence = (
            f"{count} findings are told better with {_form(variant)}. Of {best.finding}: {of_one.sentence}"
        )
        yield replace(of_one, finding=ALL_FINDINGS, sentence=sentence)


def _masks(rows: Sequence[ProbeEffect]) -> Iterator[Suspicion]:
    """Several findings are told, and not one needs its annotated region, nor anything that a probe removed.

    One finding may rest on a shortcut that no probe knows. That all do is less likely than that the
    annotations belong to other images.
    """
    told = {finding for finding, row in _areas(rows).items() if (row.before or 0) >= TOLD}
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


def _areas(rows: Sequence[ProbeEffect]) -> dict[str, ProbeEffect]:
    """Finding → a row with the AUROC of its images as they are."""
    return {row.finding: row for row in rows if row.measure == "auroc" and row.before is not None}


def _most_told_by_a_card(rows: Sequence[ProbeEffect], lost: Collection[str]) -> int:
    """The largest number of lost findings that a variant of the card tells which was shown to for one."""
    shown = {row.variant for row in rows if _is_better_card(row, rows)}
    told = Counter(
        row.variant for row in rows if row.variant in shown and row.finding in lost and _tells_more(row)
    )
    return max(told.values(), default=0)


def _told_by_others(known: Iterable[Suspicion]) -> Iterator[str]:
    """Findings whose label another output tells surely."""
    for one in known:
        if one.rule == ORDER_OF_OUTPUTS and (one.estimate or 0) >= SURELY_TOLD:
            yield one.finding


ORDER_OF_OUTPUTS = "order_of_outputs"
"""Rule whose `estimate` is the AUROC of another output for the finding's label."""


def _unused(effect: ProbeEffect, rows: Sequence[ProbeEffect]) -> Suspicion:
    """Strong where the annotations of another finding are needed, or where a probe found a shortcut."""
    is_sure = has_other_need(effect.finding, rows)
    doubt = "" if is_sure else " Or the annotations belong to other images."
    sentence = (
        f"Replacing the annotated region lowers the output by {signed(effect.estimate)} SD "
        f"[{signed(effect.low)} to {signed(effect.high)}] more than replacing a control region of the same "
        f"shape: the network does not need what is annotated.{doubt}"
    )
    return _suspicion(effect, "lesion_not_used", "network", sentence, "strong" if is_sure else "weak")


def _shortcut(effect: ProbeEffect) -> Suspicion:
    change = CHANGES.get(effect.probe, f"the probe {effect.probe} changes the images")
    reading = READINGS.get(effect.probe, "what this probe changes")
    sentence = f"The AUROC falls {_from_to(effect)} if {change}: the network may read {reading}."
    return _suspicion(effect, f"{SHORTCUT}{effect.probe}", "network", sentence)


def _card(effect: ProbeEffect) -> Suspicion:
    sentence = (
        f"The AUROC rises {_from_to(effect)} with {_form(effect.variant)}: the card may state "
        "the preprocessing wrongly, or the images are stored so."
    )
    return _suspicion(effect, f"card_{effect.variant}", "card", sentence)


def _form(variant: str) -> str:
    return FORMS.get(variant, f"the intensities '{variant.removeprefix('intensity_')}'")


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
    return f"from {effect.before:.2f} to {effect.after:.2f}"
