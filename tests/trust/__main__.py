"""Trust: plant defects in audits of phantoms, and count which are seen, named, and blamed on another.

`make trust` audits every defect at every dose, and each clean setup with more seeds. It exits with 1 if a
promise of `tables.WANTED` and `tables.ALLOWED` is not kept. Rules and thresholds are chosen on even seeds
(`--choose`); what it reports are odd ones, of which the first is left to `make trust-quick`. That compares
ten defects and four clean setups with `baseline.json`; `--store` replaces that file.

With `--breast` and `--breast-weights` it audits a trained network on breast ultrasound images, too; neither
is part of the project. `--defects breast_marker breast_shifted --clean 0` audits nothing else.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.trust import baseline
from tests.trust.breast import CARD, CONFIGS, Study
from tests.trust.defects import DEFECTS, TWINS, is_of_breast
from tests.trust.jobs import Job, answers_of, jobs_of
from tests.trust.tables import PAGE, Answers, documented, dose_table, family_table, missed

SEEDS = 3
"""Of defects."""
BREAST_SEEDS = 1
"""Of the breast set: its audits take minutes."""
CLEAN_SEEDS = 10
"""Of each clean setup: 120 audits of twelve."""


def main() -> int:
    """Print the tables and return the exit code."""
    options = _options()
    jobs = baseline.quick_jobs() if options.quick else _jobs(options)
    answers = _asked(jobs, options)
    if options.quick:
        return _quick(answers, store=options.store)
    print("\n".join([*family_table(answers), "", *dose_table(answers)]))
    if options.document:
        PAGE.write_text(documented(PAGE.read_text(encoding="utf-8"), answers), encoding="utf-8")
    failed = missed(answers)
    print(f"Promises that are not kept: {'; '.join(failed) or 'none'}.")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="ten defects and four clean setups")
    parser.add_argument("--store", action="store_true", help="with --quick: replace the baseline")
    parser.add_argument("--document", action="store_true", help=f"write the tables to {PAGE.name}, too")
    parser.add_argument("--choose", action="store_true", help="the seeds on which rules are chosen")
    parser.add_argument(
        "--defects", nargs="+", choices=[*DEFECTS], metavar="NAME", help="only these (default: all)"
    )
    parser.add_argument("--seeds", type=int, default=SEEDS, help="of defects (default 3)")
    parser.add_argument("--clean", type=int, default=CLEAN_SEEDS, help="of clean setups (default 10)")
    parser.add_argument("--full-only", action="store_true", help="only the largest dose of each defect")
    parser.add_argument(
        "--breast", type=Path, metavar="FOLDER", help="with images, masks and labels.csv of the breast set"
    )
    parser.add_argument(
        "--breast-weights", type=Path, metavar="FILE", help=f"of {CARD.relative_to(CONFIGS.parent)}"
    )
    parser.add_argument(
        "--breast-seeds", type=int, default=BREAST_SEEDS, help=f"of its defects (default {BREAST_SEEDS})"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--answers", type=Path, help="file that keeps answers; those in it are not asked again"
    )
    options = parser.parse_args()
    if (options.breast is None) != (options.breast_weights is None):
        parser.error("--breast and --breast-weights go together")
    if options.defects is None:
        options.defects = [name for name in DEFECTS if options.breast or not is_of_breast(name)]
    elif not options.breast and (of_breast := [*filter(is_of_breast, options.defects)]):
        parser.error(f"{', '.join(of_breast)}: give --breast and --breast-weights, too")
    return options


def _jobs(options: argparse.Namespace) -> list[Job]:
    start = 2 if options.choose else baseline.SEED + 2
    phantoms, of_clean, of_breast = (
        range(start, start + 2 * count, 2) for count in (options.seeds, options.clean, options.breast_seeds)
    )
    jobs = {Job(seed, name) for name in TWINS if not is_of_breast(name) for seed in of_clean}
    for name in options.defects:
        seeds = of_breast if is_of_breast(name) else phantoms
        jobs.update(jobs_of([name], seeds, full_only=options.full_only))
    return sorted(jobs)


def _asked(jobs: Sequence[Job], options: argparse.Namespace) -> Answers:
    study = Study(options.breast, options.breast_weights) if options.breast else None
    answers = {}
    found = answers_of(jobs, processes=options.processes, kept=options.answers, study=study)
    for job, answer in found:
        answers[job] = answer
        print(f"\r{len(answers)} of {len(jobs)} audits", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return answers


def _quick(answers: Answers, *, store: bool) -> int:
    now = baseline.found(answers)
    print("\n".join(baseline.lines(answers)))
    if store:
        baseline.store(now)
        return 0
    failed = baseline.worse(now, baseline.stored())
    print(f"Worse than the baseline: {'; '.join(failed) or 'nothing'}.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
