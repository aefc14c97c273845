"""Within groups: the AUROC of images that are compared only with images of their own group.

A network that reads the group tells a finding that is commoner in one of the groups, but not within any of
them; one that reads the finding tells it within each as well as in all.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from pipeline.statistics.auroc import Ranked, ranked


def ranked_within(
    score: ArrayLike, label: ArrayLike, patients: Sequence[str], groups: Sequence[str]
) -> Ranked | None:
    """The share of pairs, of images with and without the label in one group, that the score orders rightly.

    Each group counts by its number of pairs, as in van Elteren's stratified rank test (1960). None if no
    group holds both.
    """
    scores, truth = np.asarray(score, np.float64), np.asarray(label, np.bool_)
    patient, group = np.asarray(patients, np.str_), np.asarray(groups, np.str_)
    parts: list[tuple[int, Ranked]] = []
    for name in np.unique(group):
        rows = group == name
        found = ranked(scores[rows], truth[rows], patient[rows].tolist())
        if found is not None:
            parts.append((int(truth[rows].sum()) * int((~truth[rows]).sum()), found))
    if not parts:
        return None
    pairs = sum(number for number, _ in parts)
    units = np.unique(np.concatenate([part.units for _, part in parts]))
    positive, negative = np.zeros((2, len(units)))
    present, absent = np.zeros((2, len(units)), np.bool_)
    for number, part in parts:
        place = np.searchsorted(units, part.units)
        positive[place] += number / pairs * part.positive
        negative[place] += number / pairs * part.negative
        present[place] |= part.has_positive
        absent[place] |= part.has_negative
    estimate = sum(number * part.estimate for number, part in parts) / pairs
    n = sum(part.n for _, part in parts)
    return Ranked(estimate, n, units, positive, negative, present, absent)
