"""Matching: the assignment of contours to lesions (Maier-Hein et al. 2024, Metrics Reloaded)."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
from scipy.optimize import linear_sum_assignment

from pipeline.records import Values

Assignment: TypeAlias = Literal["greedy", "optimal", "many_to_one"]
Matches: TypeAlias = tuple[int | None, ...]
"""For each contour the number of the lesion that it matches, counted from 1; None if it matches none."""


def match_contours(
    affinity: Values, scores: Sequence[float], *, threshold: float, assignment: Assignment
) -> Matches:
    """The lesion of each contour; `affinity` is (contours, lesions), and a match has at least `threshold`.

    "greedy": contours, highest score first, take the best lesion that is not yet taken (COCO).
    "optimal": the most pairs, and among such assignments the greatest total affinity (Hungarian algorithm).
    "many_to_one": each contour takes its best lesion, which other contours may take too.
    """
    if not affinity.size:
        return (None,) * len(scores)
    return ASSIGNMENTS[assignment](np.where(affinity >= threshold, affinity, -np.inf), scores)


def _greedy(affinity: Values, scores: Sequence[float]) -> Matches:
    """`affinity` is -inf for pairs that may not match, here and in the functions below."""
    available = affinity.copy()
    found: list[int | None] = [None] * len(scores)
    for contour in np.argsort(-np.asarray(scores), kind="stable"):
        lesion = int(available[contour].argmax())
        if available[contour, lesion] > -np.inf:
            found[contour] = lesion + 1
            available[:, lesion] = -np.inf
    return tuple(found)


def _optimal(affinity: Values, _: Sequence[float]) -> Matches:
    allowed = affinity > -np.inf
    pair_bonus = affinity.max(initial=0, where=allowed) * min(affinity.shape) + 1
    weights = np.where(allowed, pair_bonus + np.where(allowed, affinity, 0), 0)
    pairs = {int(c): int(lesion) for c, lesion in zip(*linear_sum_assignment(-weights), strict=True)}
    return tuple(
        pairs[contour] + 1 if contour in pairs and allowed[contour, pairs[contour]] else None
        for contour in range(len(affinity))
    )


def _many_to_one(affinity: Values, _: Sequence[float]) -> Matches:
    best = affinity.argmax(axis=1)
    return tuple(
        int(lesion) + 1 if row[lesion] > -np.inf else None for row, lesion in zip(affinity, best, strict=True)
    )


ASSIGNMENTS: Mapping[Assignment, Callable[[Values, Sequence[float]], Matches]] = MappingProxyType(
    {"greedy": _greedy, "optimal": _optimal, "many_to_one": _many_to_one}
)
