"""Kappa: agreement of reviewers beyond chance, computed from weighted patients.

Each measure has a table of sums over the subjects of a patient, one row per patient. A weighted sum of its
rows is the table of a bootstrap sample, so the bootstrap needs no loop over subjects.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Values

Answers = NDArray[np.intp]
"""(subjects, reviewers): index of the answer, -1 for none."""

PAIR = 2
"""Number of answers needed for agreement."""


def cohen_table(given: Answers, patients: Sequence[str], *, answers: int) -> Values:
    """(patients, answers × answers): confusion matrix of two reviewers for each patient.

    `given` is (subjects, 2); subjects that lack an answer are excluded.
    """
    both = (given >= 0).all(axis=1)
    cells = np.eye(answers * answers)[given[both, 0] * answers + given[both, 1]]
    return _per_patient(cells, np.asarray(patients, np.str_)[both])


def cohen_kappa(sums: Values) -> Values:
    """Cohen's kappa (1960) of each row of a weighted `cohen_table`; NaN if chance agreement is 1."""
    size = int(np.sqrt(sums.shape[1]))
    both = sums.reshape(-1, size, size)
    total = both.sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        agreed = np.trace(both, axis1=1, axis2=2) / total
        chance = (both.sum(axis=1) * both.sum(axis=2)).sum(axis=1) / total**2
        return _chance_corrected(agreed, chance)


def fleiss_table(given: Answers, patients: Sequence[str], *, answers: int) -> Values:
    """(patients, 2 + answers): subjects, sum of their shares of agreeing pairs, count of each answer.

    Subjects with fewer than two answers are excluded.
    """
    counts = np.stack([(given == answer).sum(axis=1) for answer in range(answers)], axis=1)
    raters = counts.sum(axis=1)
    rated = raters >= PAIR
    counts, raters = counts[rated], raters[rated]
    alike = (counts * (counts - 1)).sum(axis=1) / (raters * (raters - 1))
    rows = np.column_stack([np.ones(len(counts)), alike, counts])
    return _per_patient(rows, np.asarray(patients, np.str_)[rated])


def fleiss_kappa(sums: Values) -> Values:
    """Fleiss' kappa (1971) of each row of a weighted `fleiss_table`.

    If all subjects have the same number of answers, it is the classic kappa; otherwise each subject has the
    same weight, whatever its number of answer pairs.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        agreed = sums[:, 1] / sums[:, 0]
        shares = sums[:, 2:] / sums[:, 2:].sum(axis=1, keepdims=True)
        return _chance_corrected(agreed, (shares**2).sum(axis=1))


def _per_patient(rows: Values, patients: NDArray[np.str_]) -> Values:
    """Sums of the rows per patient, sorted by patient."""
    units, unit = np.unique(patients, return_inverse=True)
    table = np.zeros((len(units), rows.shape[1]))
    np.add.at(table, unit, rows)
    return table


def _chance_corrected(agreed: Values, chance: Values) -> Values:
    """Kappa; NaN if chance agreement is 1, because then all answers are the same and kappa is undefined."""
    kappa: Values = np.where(chance < 1, (agreed - chance) / (1 - chance), np.nan)
    return kappa
