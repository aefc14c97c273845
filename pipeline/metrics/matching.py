"""Matching: which contour found which lesion (assignment, Maier-Hein et al. 2024, Metrics Reloaded)."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, TypeAlias

import numpy as np
from scipy.optimize import linear_sum_assignment

from pipeline.metrics.bootstrap import Values

Assignment: TypeAlias = Literal["greedy", "optimal", "many_to_one"]
Matches: TypeAlias = tuple[int | None, ...]
"""For each contour the number of the lesion that it found, counted from 1; None: it found none."""


def matched(
    affinity: Values, scores: Sequence[float], *, threshold: float, assignment: Assignment
) -> Matches:
    """What each contour found; `affinity` is (contours, lesions), a pair may match from `threshold` up.

    "greedy": contours choose in the order of their scores, the best of the lesions that are left (COCO).
    "optimal": as many pairs as possible, and of these choices the one with the greatest affinity (Hungarian).
    "many_to_one": every contour its best lesion, however many others found it.
    """
    if not affinity.size:
        return (None,) * len(scores)
    return ASSIGNMENTS[assignment](np.where(affinity >= threshold, affinity, -np.inf), scores)


def _greedy(affinity: Values, scores: Sequence[float]) -> Matches:
    """`affinity` is -inf where a pair may not match; here and below."""
    left = affinity.copy()
    found: list[int | None] = [None] * len(scores)
    for contour in np.argsort(-np.asarray(scores), kind="stable"):
        lesion = int(left[contour].argmax())
        if left[contour, lesion] > -np.inf:
            found[contour] = lesion + 1
            left[:, lesion] = -np.inf
    return tuple(found)


def _optimal(affinity: Values, _: Sequence[float]) -> Matches:
    may = affinity > -np.inf
    one_more_pair = affinity.max(initial=0, where=may) * min(affinity.shape) + 1
    worth = np.where(may, one_more_pair + np.where(may, affinity, 0), 0)
    pairs = {int(c): int(lesion) for c, lesion in zip(*linear_sum_assignment(-worth), strict=True)}
    return tuple(
        pairs[contour] + 1 if contour in pairs and may[contour, pairs[contour]] else None
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
