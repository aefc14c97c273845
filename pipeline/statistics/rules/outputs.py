"""Outputs: rules about the network's outputs and the labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from pipeline.records import Strength, Summary, Suspect, Suspicion
from pipeline.records.names import ALL_FINDINGS, Limit
from pipeline.statistics.cross import AUROC
from pipeline.statistics.judging import LOW_AUROC, auroc_of, limit_of_auroc
from pipeline.statistics.rules.tables import RunTables, best_other, percent, suspicion

TOLD = 0.7
"""Least AUROC of an output that is said to tell another label."""
GAIN = 0.1
"""Least difference of AUROC that matters."""
EDGE = 1e-6
"""Distance from 0 and 1 within which a probability is saturated."""
MOST_SATURATED = 0.5
"""Share of saturated probabilities from which on their order and their map can hardly be told."""

ORDER = (
    "The output of {output} tells the label {finding} better than its own output: AUROC {estimate:.2f} "
    "against {own:.2f} ({n} images), corrected p = {corrected_p:.2g}. The outputs may be in another order "
    "than the card's findings, or the labels may be those of another finding."
)
SAID: Mapping[Limit, tuple[Suspect, Strength, str]] = {
    "auroc_turned": (
        "labels",
        "strong",
        "The network takes images without {finding} for those with it: {numbers}. Output or label is turned.",
    ),
    "auroc_low": (
        "labels",
        "weak",
        "The network tells other findings, but hardly {finding}: {numbers}. Its labels may be wrong.",
    ),
    "auroc_uncertain": (
        "too_few",
        "weak",
        "It is not shown that the network tells {finding}: {numbers}. More images would show it.",
    ),
}
NONE_TOLD: Mapping[Suspect, str] = {
    "weights": "The weights may be untrained, of another network, or not wholly loaded.",
    "card": "The images may be prepared otherwise than in training.",
    "labels": "The labels may belong to other images.",
}
"""Where no finding is told: suspect → what may be wrong."""


def order(tables: RunTables) -> Iterator[Suspicion]:
    """Another output tells a label better than its own: outputs in another order, or other labels.

    Strong if two outputs are exchanged, or if the own output hardly tells its label at all; else findings
    that often occur together may explain it.
    """
    rows = {(row["finding"], row["output"]): row for row in tables.cross if row["measure"] == AUROC}
    better = {
        finding: row
        for finding in tables.findings
        if (row := best_other(finding, rows, gain=GAIN, least=TOLD, minimum=tables.minimum))
    }
    for finding, row in better.items():
        own = rows[finding, finding]["estimate"]
        back = better.get(row["output"])
        exchanged = back is not None and back["output"] == finding
        found = ORDER.format(**row, own=own)
        yield suspicion(
            finding,
            "order_of_outputs",
            "labels",
            "strong" if exchanged or own < LOW_AUROC else "weak",
            found,
            row,
        )


def chance(tables: RunTables) -> Iterator[Suspicion]:
    """AUROCs at or below chance: of one finding its labels, of all of them weights, card or labels."""
    areas = {f: area for f in tables.findings if (area := auroc_of(f, tables.summaries)) is not None}
    limits = {finding: limit_of_auroc(area) for finding, area in areas.items()}
    none = "auroc_low" in limits.values() and set(limits.values()) <= {"auroc_low", "auroc_turned"}
    for finding, limit in limits.items():
        if limit in SAID and not (none and limit == "auroc_low"):
            suspect, strength, sentence = SAID[limit]
            text = sentence.format(finding=finding, numbers=_numbers(areas[finding]))
            yield suspicion(finding, limit, suspect, strength, text, areas[finding])
    if none:
        best = max(areas.values(), key=lambda area: area.estimate or 0)
        for of, cause in NONE_TOLD.items():
            text = f"The network hardly tells any finding: the best is {_numbers(best)}. {cause}"
            yield suspicion(ALL_FINDINGS, "auroc_low", of, "weak", text, best)


def saturated(tables: RunTables) -> Iterator[Suspicion]:
    """Probabilities at 0 and 1: scaling, activation or weights; AUROCs and gates then rest on last digits."""
    for finding, probabilities in tables.probabilities.items():
        values = np.asarray(probabilities, np.float64)
        share = float(((values < EDGE) | (values > 1 - EDGE)).mean()) if values.size else 0.0
        if share >= MOST_SATURATED:
            yield Suspicion(
                finding,
                "saturated",
                "card",
                "weak",
                f"{percent(share)} of {values.size:,} probabilities of {finding} are within a millionth of 0 "
                "or 1. The card may state a wrong scaling of brightness or activation, or the weights "
                "are wrong.",
                share,
                n=int(values.size),
            )


def one_class(tables: RunTables) -> Iterator[Suspicion]:
    """A finding that all labelled images have, or none: whether the network tells it cannot be known.

    That none has a rare finding is no surprise; that all have one says that labels were filled in, or that
    the study set was selected by it.
    """
    for finding, (present, absent) in tables.labels.items():
        if present >= tables.minimum and not absent:
            text = (
                f"All {present:,} labelled images have {finding}, so nothing shows whether the network tells "
                "it. Add images without it, or correct the labels."
            )
            yield Suspicion(finding, "one_class", "too_few", "strong", text, n=present)
        if absent >= tables.minimum and not present:
            text = f"None of {absent:,} labelled images has {finding}, so nothing is said about it."
            yield Suspicion(finding, "one_class", "too_few", "weak", text, n=absent)


def negatives(tables: RunTables) -> Iterator[Suspicion]:
    """Images that look like negatives of the others: stored inverted, or said to be."""
    if tables.negatives:
        count = len(tables.negatives)
        text = (
            f"{count:,} of {tables.images:,} images look like negatives of the others, such as "
            f"{', '.join(tables.negatives[:SHOWN])}: they may be stored inverted, or state a wrong "
            "photometric interpretation."
        )
        strength: Strength = "strong" if count >= tables.minimum else "weak"
        yield Suspicion(
            ALL_FINDINGS, "negatives", "card", strength, text, count / tables.images, n=tables.images
        )


SHOWN = 3
"""Case ids that a sentence gives as examples."""


def _numbers(area: Summary) -> str:
    between = "" if area.low is None or area.high is None else f" [{area.low:.2f} to {area.high:.2f}]"
    return f"AUROC {area.estimate:.2f}{between} of {area.n} images"
