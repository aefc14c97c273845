"""Kappa: how far reviewers agree beyond chance, as statistics of weighted patients.

Each measure has a table, one row a patient, of sums over the subjects of that patient; a weighted sum of its
rows is the table of a drawn sample, so the bootstrap needs no loop over subjects.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.bootstrap import Values

Answers = NDArray[np.intp]
"""(subjects, reviewers): the number of an answer, -1 where there is none."""

PAIR = 2


def cohen_table(given: Answers, patients: Sequence[str], *, answers: int) -> Values:
    """(patients, answers × answers): how often the first reviewer said one thing and the second another.

    `given` (subjects, 2); subjects that one of them left open are left out.
    """
    both = (given >= 0).all(axis=1)
    cells = np.eye(answers * answers)[given[both, 0] * answers + given[both, 1]]
    return _per_patient(cells, np.asarray(patients, np.str_)[both])


def cohen_kappa(sums: Values) -> Values:
    """Cohen's kappa (1960) of each row of a weighted `cohen_table`; NaN where chance alone would agree."""
    size = int(np.sqrt(sums.shape[1]))
    both = sums.reshape(-1, size, size)
    total = both.sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        agreed = np.trace(both, axis1=1, axis2=2) / total
        chance = (both.sum(axis=1) * both.sum(axis=2)).sum(axis=1) / total**2
        return _beyond(agreed, chance)


def fleiss_table(given: Answers, patients: Sequence[str], *, answers: int) -> Values:
    """(patients, 2 + answers): subjects, the sum of their shares of agreeing pairs, and each answer's count.

    Subjects with fewer than two answers say nothing about agreement and are left out.
    """
    counts = np.stack([(given == answer).sum(axis=1) for answer in range(answers)], axis=1)
    raters = counts.sum(axis=1)
    many = raters >= PAIR
    counts, raters = counts[many], raters[many]
    alike = (counts * (counts - 1)).sum(axis=1) / (raters * (raters - 1))
    rows = np.column_stack([np.ones(len(counts)), alike, counts])
    return _per_patient(rows, np.asarray(patients, np.str_)[many])


def fleiss_kappa(sums: Values) -> Values:
    """Fleiss' kappa (1971) of each row of a weighted `fleiss_table`.

    With as many answers a subject it is the classic one; otherwise pairs are weighed within their subject.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        agreed = sums[:, 1] / sums[:, 0]
        shares = sums[:, 2:] / sums[:, 2:].sum(axis=1, keepdims=True)
        return _beyond(agreed, (shares**2).sum(axis=1))


def _per_patient(rows: Values, patients: NDArray[np.str_]) -> Values:
    """The sum of the rows of each patient, patients sorted."""
    units, unit = np.unique(patients, return_inverse=True)
    table = np.zeros((len(units), rows.shape[1]))
    np.add.at(table, unit, rows)
    return table


def _beyond(agreed: Values, chance: Values) -> Values:
    """NaN where chance alone agrees always: then every answer is the same, and kappa is not defined."""
    kappa: Values = np.where(chance < 1, (agreed - chance) / (1 - chance), np.nan)
    return kappa
