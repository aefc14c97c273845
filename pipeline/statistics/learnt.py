"""Learnt: what the network learnt is lost. In its head, in its weights, or in the order of its outputs?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from pipeline.records import ENOUGH_PATIENTS, Suspicion
from pipeline.records.names import ALL_FINDINGS, LEVEL
from pipeline.statistics.cross import AUROC
from pipeline.statistics.probe_answers import LEAST_CHANGE, ProbeEffect
from pipeline.statistics.readouts import ReadoutRow
from pipeline.statistics.rules.inside import State

TOLD = 0.7
"""AUROC from which on an output counts as telling its finding."""
SURELY_TOLD = 0.9
"""AUROC from which on another output counts as that of a finding, where no output tells its own."""
CHANCE = 0.5
HEAD_GAIN = 0.1
"""AUROC by which features tell a finding better than a head that was trained on them."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What is known of all outputs of a network together."""

    effects: Sequence[ProbeEffect] = ()
    state: State = "unknown"
    """How the images compare with the network's training."""
    cross: Sequence[Mapping[str, Any]] = ()
    """Rows of cross.csv."""
    readouts: Sequence[ReadoutRow] = ()
    """Rows of readouts.csv of findings."""
    wrong_activation: bool = False
    """Whether the labels contradict the card's activation, so that outputs are read in a wrong way."""

    def told(self) -> dict[str, float]:
        """Finding → AUROC of its output on the images as they are, of the change that most images allow.

        Without findings of fewer than `ENOUGH_PATIENTS`, whose AUROCs are far from .5 by chance.
        """
        return {
            row.finding: row.before
            for row in sorted(self.effects, key=lambda row: row.n)
            if row.measure == "auroc" and row.before is not None and row.patients >= ENOUGH_PATIENTS
        }

    def turned(self) -> set[str]:
        """Findings whose outputs tell the opposite, and not by chance as far as cross.csv says."""
        highest = {
            row["finding"]: row.get("high")
            for row in self.cross
            if row["measure"] == AUROC and row["finding"] == row["output"]
        }
        return {
            finding
            for finding, area in self.told().items()
            if area < 1 - TOLD and (highest.get(finding) or 0.0) < CHANCE
        }

    def better_cards(self) -> list[ProbeEffect]:
        """The variants of the card that a network may have been trained with, by finding.

        Where the images agree with the training, no variant is better: of outputs at random some always is.
        """
        if self.state == "like_training":
            return []
        return [row for row in self.effects if _is_better_card(row, self.effects)]


def lost_suspicions(learnt: Learnt) -> Iterator[Suspicion]:
    """At most one suspicion about all findings together: head, weights, or order of the outputs.

    Broken layers and another card, which `rules.inside` tells, explain all that is lost. A wrong activation
    explains outputs that tell less than their features.
    """
    if learnt.state in {"untrained", "broken", "other_card"}:
        return
    told = learnt.told()
    lost = {finding: area for finding, area in told.items() if area < TOLD}
    half = bool(lost) and 2 * len(lost) >= len(told)
    if half and in_another_order(learnt.cross, lost):
        yield _suspicion(
            "order_of_all", "labels", lost, told, learnt,
            "and each is told by another output: the outputs may be in another order than the card says.",
        )  # fmt: skip
    elif learnt.wrong_activation:
        return
    elif (of_features := told_by_features(learnt.readouts)) and learnt.state != "unlike":
        yield _head(of_features)
    elif half and _is_without_sense(learnt, lost) and not _has_likelier_cause(learnt, lost):
        yield _suspicion(
            "nothing_learnt", "weights", lost, told, learnt,
            "and their outputs do not fall as they should without the annotated regions: the weights may be "
            "untrained or broken, or those of another network.",
        )  # fmt: skip


def in_another_order(cross: Sequence[Mapping[str, Any]], lost: Collection[str]) -> bool:
    """Whether the outputs, each given to one finding, tell all that is lost surely."""
    areas = {(row["finding"], row["output"]): row["estimate"] for row in cross if row["measure"] == AUROC}
    findings = list(dict.fromkeys(finding for finding, _ in areas))
    outputs = list(dict.fromkeys(output for _, output in areas))
    if not findings or not set(lost) <= set(findings):
        return False
    table = np.array([[areas.get((finding, output)) or 0.0 for output in outputs] for finding in findings])
    rows, columns = linear_sum_assignment(table, maximize=True)
    given = {
        findings[row]: (outputs[column], table[row, column])
        for row, column in zip(rows, columns, strict=True)
    }
    return all(
        finding in given and given[finding][0] != finding and given[finding][1] >= SURELY_TOLD
        for finding in lost
    )


def told_by_features(readouts: Iterable[ReadoutRow]) -> list[ReadoutRow]:
    """Findings that the features tell better than the output, if these are half of all, and two or more.

    A head is learnt on the features of many images. That the few images of an audit make more of them is no
    chance if it holds for several findings after correction.
    """
    known = [row for row in readouts if row.difference is not None]
    better = [
        row
        for row in known
        if (row.difference or 0) >= HEAD_GAIN and row.corrected_p is not None and row.corrected_p <= LEVEL
    ]
    return better if len(better) > 1 and 2 * len(better) >= len(known) else []


def _head(better: Sequence[ReadoutRow]) -> Suspicion:
    best = max(better, key=lambda row: row.difference or 0)
    names = ", ".join(row.name for row in better)
    return Suspicion(
        ALL_FINDINGS,
        "head_lost",
        "weights",
        "strong",
        f"The features below the last layer tell {names} better than the outputs: {best.name} with an AUROC "
        f"of {best.auroc:.2f}, its output with {best.output:.2f}. The last layer may be untrained, or belong "
        "to another training.",
        best.difference,
        best.difference_low,
        best.difference_high,
        best.n,
    )


def _is_without_sense(learnt: Learnt, lost: Mapping[str, float]) -> bool:
    """Whether the outputs that tell nothing need no regions either, which they would if labels were at fault.

    Outputs of random weights may need the regions of some findings. Some that tell the opposite beside some
    that tell nothing are enough: no training ends so. Where all tell it, labels or outputs are turned.
    """
    rows, turned = learnt.effects, learnt.turned()
    used = {row.finding for row in rows if row.answer == "used"}
    if turned - used and set(lost) - turned:
        return True
    has_answer = any(row.answer == "not_used" for row in rows)
    return has_answer and used <= set(lost) and 2 * len(used) < len(lost)


def _has_likelier_cause(learnt: Learnt, lost: Mapping[str, float]) -> bool:
    """Whether another cause is likelier than broken weights.

    A variant of the card tells most of what is lost; or every layer is as in training, and its features tell
    nothing of the labels, as if these belonged to other images.
    """
    if 2 * _most_told_by_a_card(learnt, lost) > len(lost):
        return True
    return learnt.state in {"like_training", "unlike"} and bool(learnt.readouts)


def _most_told_by_a_card(learnt: Learnt, lost: Collection[str]) -> int:
    """The largest number of lost findings that a variant of the card tells which was shown to for one."""
    shown = {row.variant for row in learnt.better_cards()}
    told = Counter(
        row.variant
        for row in learnt.effects
        if row.variant in shown and row.finding in lost and _tells_more(row)
    )
    return max(told.values(), default=0)


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


def _suspicion(
    rule: str,
    suspect: Any,
    lost: Mapping[str, float],
    told: Mapping[str, float],
    learnt: Learnt,
    cause: str,
) -> Suspicion:
    least, most = min(lost.values()), max(lost.values())
    count = max(row.n for row in learnt.effects if row.finding in lost)
    return Suspicion(
        ALL_FINDINGS,
        rule,
        suspect,
        "strong",
        f"{len(lost)} of {len(told)} findings have an AUROC below {TOLD:g}, from {least:.2f} to {most:.2f}, "
        + cause,
        most,
        n=count,
    )
