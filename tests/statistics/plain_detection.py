"""Detection, plainly: counts at every distinct score, for every replicate and contour at once."""

from collections.abc import Sequence

import numpy as np

from pipeline.metrics.lesions import Rule, matches
from pipeline.records import Candidates, Values
from pipeline.records.names import FROC_RATES


def plain_measures(
    cases: Sequence[Candidates], units: Sequence[int], rule: Rule, weights: Values
) -> dict[str, Values]:
    """Recall, FROC and average precision of each replicate."""
    rows = [
        (*event, unit)
        for case, unit in zip(cases, units, strict=True)
        for event in countable(case, matches(case, rule))
    ]
    score, hit, unit = np.array(rows, np.float64).reshape(-1, 3).T
    order = np.lexsort((unit, hit, -score))
    score, hit, of_contour = score[order], hit[order], weights[:, unit[order].astype(int)]
    last_of_ties = np.flatnonzero(np.diff(score, append=-np.inf))
    found = np.cumsum(of_contour * hit, axis=1)[:, last_of_ties]
    false = np.cumsum(of_contour * (1 - hit), axis=1)[:, last_of_ties]
    lesions = weights[:, units] @ [float(case.lesions) for case in cases]
    images = weights[:, units].sum(axis=1)
    with np.errstate(invalid="ignore"):
        return {
            "recall": (found[:, -1] if score.size else np.zeros(len(weights))) / lesions,
            "froc": np.stack([_at(rate * images, found, false) / lesions for rate in FROC_RATES], axis=1),
            "precision": _areas(found, false) / lesions,
        }


def countable(case: Candidates, lesions: Sequence[int | None]) -> list[tuple[float, bool]]:
    """(score, found a lesion) per contour, without those whose lesion a higher-scored one has found."""
    ordered = sorted(zip(case.scores, lesions, strict=True), key=lambda row: -row[0])
    before = [{lesion for _, lesion in ordered[:place]} for place in range(len(ordered))]
    return [
        (score, lesion is not None)
        for (score, lesion), known in zip(ordered, before, strict=True)
        if lesion is None or lesion not in known
    ]


def _at(allowed: Values, found: Values, false: Values) -> Values:
    """Lesions found at the lowest score with so many false positives."""
    last = (false <= allowed[:, None]).sum(axis=1)
    return np.pad(found, ((0, 0), (1, 0)))[np.arange(len(found)), last]


def _areas(found: Values, false: Values) -> Values:
    """Under the best precision from each recall on, times the number of lesions."""
    called = found + false
    precision = np.divide(found, called, out=np.zeros_like(called), where=called > 0)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    areas: Values = (np.diff(found, axis=1, prepend=0) * best).sum(axis=1)
    return areas
