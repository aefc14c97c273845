"""Sample size: the smallest difference between two maps of the same patients that a study set can show.

The unit is the patient, because images of one patient are alike. Two-sided tests; 80 % power.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Literal, TypeAlias

import numpy as np
from scipy.optimize import brentq
from scipy.stats import nct, norm
from scipy.stats import t as student

from pipeline.records.names import LEVEL

POWER = 0.8
LEAST_PATIENTS = 2
MARGIN = 0.1
"""Difference for which the number of patients is given: 10 points of a hit rate, or an IoU of 0.1."""
ONE = 1.0
MOST_PATIENTS = 1_000_000

Formula: TypeAlias = Literal["shares", "means"]
FORMULAS: dict[Formula, str] = {
    "shares": "n = (z(1−α/2)·√ψ + z(power)·√(ψ − δ²))² / δ², with δ the difference of the two hit "
    "rates and ψ the "
    "share of patients hit by one map alone (McNemar’s test; Connor 1987, Biometrics 43:207)",
    "means": "power = P(|T| > t(1−α/2, n−1)), with T noncentral t, n − 1 degrees of freedom and "
    "noncentrality δ·√n / s, and s the standard deviation over patients of the paired difference (Cohen "
    "1988, Statistical power analysis, chapter 2; Julious 2004, Stat Med 23:1921)",
}
"""Formula → how it reads, and its source."""


@dataclass(frozen=True, slots=True)
class SmallestDifference:
    """What a study set can show of the paired difference between two maps."""

    n: int
    """Pairs of scores, of one image or lesion each."""
    patients: int
    formula: Formula
    spread: float | None
    """Share of patients hit by one map alone (`shares`), or standard deviation over patients (`means`)."""
    smallest: float | None
    """Smallest difference shown with 80 % power, at α = 0.05; None: see `because`."""
    corrected: float | None
    """The same at α divided by the number of tests, which Holm's correction asks of its smallest p."""
    needed: int | None
    """Patients that a difference of `MARGIN` takes, at α = 0.05."""
    because: str = ""
    """Why there is no smallest difference; empty if there is one."""


def smallest_difference(
    pairs: Iterable[tuple[Hashable, float, float]], *, shares: bool, tests: int = 1
) -> SmallestDifference:
    """The smallest difference of scores paired as (patient, first, second); `shares`: they are 0 or 1.

    Shares of several images per patient become means over the patient, which are no longer 0 or 1.
    """
    by_patient: dict[Hashable, list[float]] = defaultdict(list)
    for patient, first, second in pairs:
        by_patient[patient].append(first - second)
    n = sum(map(len, by_patient.values()))
    patients = len(by_patient)
    formula: Formula = "shares" if shares and n == patients else "means"
    spread = _spread([float(np.mean(found)) for found in by_patient.values()], formula)
    if spread is None:
        return SmallestDifference(n, patients, formula, None, None, None, None, "fewer than 2 patients")
    if spread == 0:
        why = "no two patients differ in the difference, so its spread is unknown"
        return SmallestDifference(n, patients, formula, spread, None, None, None, why)
    find, count = (
        (share_shown, patients_for_share) if formula == "shares" else (mean_shown, patients_for_mean)
    )
    smallest = find(spread, patients)
    return SmallestDifference(
        n,
        patients,
        formula,
        spread,
        smallest,
        find(spread, patients, alpha=LEVEL / max(tests, 1)),
        count(spread, MARGIN),
        "" if smallest is not None else "even the largest possible difference is not shown with 80 % power",
    )


def _spread(differences: Sequence[float], formula: Formula) -> float | None:
    if len(differences) < LEAST_PATIENTS:
        return None
    if formula == "shares":
        return float(np.mean(np.abs(differences)))
    spread = float(np.std(differences, ddof=1))
    return 0.0 if spread < np.finfo(np.float32).eps else spread


def share_shown(
    discordant: float, patients: int, *, alpha: float = LEVEL, power: float = POWER
) -> float | None:
    """The smallest difference of two shares of the same patients that McNemar's test shows.

    `discordant`: share of patients in which one alone is 1. Connor's formula, solved for the difference. None
    if it exceeds `discordant`, its largest possible value.
    """
    first, second = (float(norm.ppf(level)) for level in (1 - alpha / 2, power))
    middle = first * sqrt(discordant)
    divisor = patients + second**2
    constant = middle**2 - second**2 * discordant
    root = sqrt(max(middle**2 * patients - divisor * constant, 0.0))
    found = (middle * sqrt(patients) + root) / divisor
    return found if found <= discordant else None


def patients_for_share(
    discordant: float, difference: float, *, alpha: float = LEVEL, power: float = POWER
) -> int:
    """Patients in which McNemar's test shows a difference of two shares (Connor 1987).

    At least as many patients must be discordant as the difference says.
    """
    first, second = (float(norm.ppf(level)) for level in (1 - alpha / 2, power))
    discordant = max(discordant, difference)
    root = first * sqrt(discordant) + second * sqrt(discordant - difference**2)
    return ceil(root**2 / difference**2)


def mean_shown(spread: float, patients: int, *, alpha: float = LEVEL, power: float = POWER) -> float | None:
    """The smallest mean paired difference that the t-test shows; None if it exceeds 1, the largest IoU."""
    if power_of_mean(spread, patients, ONE, alpha=alpha) < power:
        return None
    return float(brentq(lambda d: power_of_mean(spread, patients, d, alpha=alpha) - power, 0.0, ONE))


def patients_for_mean(
    spread: float, difference: float, *, alpha: float = LEVEL, power: float = POWER
) -> int | None:
    """The fewest patients in which the t-test shows a mean paired difference; None beyond a million."""
    low, high = LEAST_PATIENTS, LEAST_PATIENTS
    while power_of_mean(spread, high, difference, alpha=alpha) < power:
        low, high = high, 2 * high
        if high > MOST_PATIENTS:
            return None
    while low < high:
        middle = (low + high) // 2
        enough = power_of_mean(spread, middle, difference, alpha=alpha) >= power
        low, high = (low, middle) if enough else (middle + 1, high)
    return high


def power_of_mean(spread: float, patients: int, difference: float, *, alpha: float = LEVEL) -> float:
    """The power of the two-sided paired t-test at a true mean difference."""
    critical = float(student.ppf(1 - alpha / 2, patients - 1))
    noncentrality = difference * sqrt(patients) / spread
    beyond = nct.sf(critical, patients - 1, noncentrality) + nct.cdf(-critical, patients - 1, noncentrality)
    return 1.0 if np.isnan(beyond) else float(beyond)
