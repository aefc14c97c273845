"""Trust: plant defects in audits of phantoms, and count which are seen, named, and blamed on another.

`make trust` audits every defect at every dose, and each clean setup with more seeds. It exits with 1 if a
promise of `tables.WANTED` and `tables.ALLOWED` is not kept. Rules and thresholds are chosen on even seeds
(`--choose`); what it reports are odd ones, of which the first is left to `make trust-quick`. That compares
ten defects and four clean setups with `baseline.json`; `--store` replaces that file.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.trust import baseline
from tests.trust.defects import DEFECTS, TWINS
from tests.trust.jobs import Job, answers_of, jobs_of
from tests.trust.tables import PAGE, Answers, documented, dose_table, family_table, missed

SEEDS = 3
"""Of defects."""
CLEAN_SEEDS = 10
"""Of each clean setup: 120 audits of twelve."""


def main() -> int:
    """Print the tables and return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="ten defects and four clean setups")
    parser.add_argument("--store", action="store_true", help="with --quick: replace the baseline")
    parser.add_argument("--document", action="store_true", help=f"write the tables to {PAGE.name}, too")
    parser.add_argument("--choose", action="store_true", help="the seeds on which rules are chosen")
    parser.add_argument("--defects", nargs="+", default=[*DEFECTS], choices=[*DEFECTS], metavar="NAME")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="of defects (default 3)")
    parser.add_argument("--clean", type=int, default=CLEAN_SEEDS, help="of clean setups (default 10)")
    parser.add_argument("--full-only", action="store_true", help="only the largest dose of each defect")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--answers", type=Path, help="file that keeps answers; those in it are not asked again"
    )
    options = parser.parse_args()
    jobs = baseline.quick_jobs() if options.quick else _jobs(options)
    answers = _asked(jobs, options.processes, options.answers)
    if options.quick:
        return _quick(answers, store=options.store)
    print("\n".join([*family_table(answers), "", *dose_table(answers)]))
    if options.document:
        PAGE.write_text(documented(PAGE.read_text(encoding="utf-8"), answers), encoding="utf-8")
    failed = missed(answers)
    print(f"Promises that are not kept: {'; '.join(failed) or 'none'}.")
    return 1 if failed else 0


def _jobs(options: argparse.Namespace) -> list[Job]:
    start = 2 if options.choose else baseline.SEED + 2
    seeds = range(start, start + 2 * options.seeds, 2)
    clean = {Job(seed, name) for name in TWINS for seed in range(start, start + 2 * options.clean, 2)}
    return sorted({*jobs_of(options.defects, seeds, full_only=options.full_only), *clean})


def _asked(jobs: Sequence[Job], processes: int, kept: Path | None) -> Answers:
    answers = {}
    for job, answer in answers_of(jobs, processes=processes, kept=kept):
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
