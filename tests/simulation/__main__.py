"""Simulation: coverage of the intervals, and false alarms of the tests.

`make simulate` prints the shares over 500 synthetic study sets of each of several sizes. It exits with 1
if the default interval of a statistic covers the true value in fewer than 93 % or more than 97 % of all its
study sets. For a single size, 500 study sets determine a share only to 2 %, so two more percent are allowed.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import numpy as np
from rich.console import Console
from rich.table import Table

from pipeline.statistics.bootstrap import Resampling
from pipeline.statistics.classification import auroc
from pipeline.statistics.comparison import difference_of_means
from pipeline.statistics.intervals import Interval, interval_of_mean
from pipeline.statistics.proportions import interval_of_proportion
from pipeline.statistics.skill import skill
from tests.simulation.studies import MANY, StudySet, study_set
from tests.statistics.areas import interval_of_auroc

SIZES = (10, 20, 50, 100, 200)
"""Patients."""
WANTED, ALLOWED = (0.93, 0.97), (0.91, 0.99)
"""Of all study sets of a statistic, and of those of one size."""
INTERVALS: tuple[Literal["percentile", "bca", "expanded"], ...] = ("percentile", "bca", "expanded")
DEFAULT = Resampling().interval
SIGNIFICANT = 0.05
STATISTICS: dict[str, Callable[[StudySet, Resampling], Interval]] = {
    "mean score": lambda of, how: interval_of_mean(of.score, of.patients, how),
    "hit rate": lambda of, how: interval_of_proportion(of.hit, of.patients, how),
    "skill": lambda of, how: skill(of.score, of.prior, of.patients, how, ceiling=(of.ceiling, of.patients)),
    "AUROC": lambda of, how: interval_of_auroc(of.probability, of.label, of.patients, how),
}
Shares = dict[tuple[str, int, str], float]
"""(statistic, patients, kind of interval) → the share of study sets."""


def main() -> int:
    """Print the tables and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=500, help="study sets of each size (default 500)")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="patients (default 10 … 200)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    truth = true_values(np.random.default_rng(options.seed))
    covered: Shares = {}
    seen: Shares = {}
    for size in options.sizes:
        covered |= coverage(size, truth, sets=options.sets, seed=options.seed)
        seen |= false_alarms(size, sets=options.sets, seed=options.seed)
    console = Console(soft_wrap=True, highlight=False)
    console.print(table(f"95 % intervals that hold the truth, of {options.sets} study sets", covered))
    console.print(table(f"p < {SIGNIFICANT} without a difference, of {options.sets} study sets", seen))
    failed = outside(covered, options.sizes)
    console.print(
        f"'{DEFAULT}', the default, covers too seldom or too often: {'; '.join(failed) or 'nothing'}."
    )
    return 1 if failed else 0


def table(title: str, shares: Shares) -> Table:
    """One line per statistic and size, one column per kind of interval."""
    found = Table("statistic", "patients", *INTERVALS, title=title)
    for name, size in dict.fromkeys((name, size) for name, size, _ in shares):
        found.add_row(name, str(size), *(f"{100 * shares[name, size, how]:.1f} %" for how in INTERVALS))
    return found


def outside(covered: Shares, sizes: Sequence[int]) -> list[str]:
    """The statistics whose default interval has too low or too high coverage."""
    failed = []
    for name in STATISTICS:
        shares = [covered[name, size, DEFAULT] for size in sizes]
        if not WANTED[0] <= np.mean(shares) <= WANTED[1]:
            failed.append(f"{name}: {100 * np.mean(shares):.1f} %")
        failed += [
            f"{name} of {size} patients: {100 * share:.1f} %"
            for size, share in zip(sizes, shares, strict=True)
            if not ALLOWED[0] <= share <= ALLOWED[1]
        ]
    return failed


def true_values(generator: np.random.Generator) -> dict[str, float]:
    """The true values of the statistics, from very many patients."""
    of = study_set(generator, MANY)
    score, prior, ceiling = of.score.mean(), of.prior.mean(), of.ceiling.mean()
    return {
        "mean score": float(score),
        "hit rate": float(of.hit.mean()),
        "skill": float((score - prior) / (ceiling - prior)),
        "AUROC": auroc(of.probability, of.label),
    }


def coverage(size: int, truth: dict[str, float], *, sets: int, seed: int) -> Shares:
    """Share of the intervals that contain the true value."""
    covered: Counter[tuple[str, str]] = Counter()
    given: Counter[tuple[str, str]] = Counter()
    for number, of in enumerate(_study_sets(size, sets, seed)):
        for how in INTERVALS:
            resampling = Resampling(seed=number, interval=how)
            for name, interval_of in STATISTICS.items():
                _, low, high = interval_of(of, resampling)
                if low is not None and high is not None:
                    given[name, how] += 1
                    covered[name, how] += low <= truth[name] <= high
    return {
        (name, size, how): covered[name, how] / given[name, how] for name in STATISTICS for how in INTERVALS
    }


def false_alarms(size: int, *, sets: int, seed: int) -> Shares:
    """Share of study sets in which two equally good maps differ significantly."""
    seen: Counter[str] = Counter()
    for number, of in enumerate(_study_sets(size, sets, seed + 1)):
        for how in INTERVALS:
            resampling = Resampling(seed=number, interval=how)
            found = difference_of_means(of.score, of.rival, of.patients, resampling)
            assert found.p is not None
            seen[how] += found.p < SIGNIFICANT
    return {("difference of means", size, how): seen[how] / sets for how in INTERVALS}


def _study_sets(size: int, sets: int, seed: int) -> Iterator[StudySet]:
    for number in range(sets):
        yield study_set(np.random.default_rng((seed, size, number)), size)


if __name__ == "__main__":
    sys.exit(main())
