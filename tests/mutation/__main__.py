"""`python -m tests.mutation [--count 100] [--seed 0] [--module run/tables]`: exits 1 below 95 % killed."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory

from pipeline.registry import did_you_mean
from tests.mutation.equivalent import equivalence
from tests.mutation.killing import Tree, copied
from tests.mutation.mutants import Mutant
from tests.mutation.sampling import all_mutants, modules, sample, source_of

ROOT = Path(__file__).parents[2]
WORKERS = 2
LEAST_KILLED = 0.95
SURVIVED, EQUIVALENT = "SURVIVED", "equivalent"


def main(arguments: Sequence[str] | None = None) -> int:
    """Test a sample of mutants and print one line each; the exit code."""
    options = _options(arguments)
    wanted = options.module or list(modules(options.root))
    mutants = sample(all_mutants(options.root, wanted), count=options.count, seed=options.seed)
    start, outcomes = time.monotonic(), Counter[str]()
    for module, mutant, outcome in _tested(options.root, mutants):
        print(f"{f'{module}:{mutant.line}':28} {mutant.change:24} {outcome}", flush=True)
        kind = outcome.partition(":")[0]
        outcomes[kind if kind in {SURVIVED, EQUIVALENT} else "killed"] += 1
    counted = outcomes["killed"] + outcomes[SURVIVED]
    rate = outcomes["killed"] / counted if counted else 0.0
    print(
        f"{len(mutants)} mutants of {len(wanted)} modules, seed {options.seed}: {outcomes['killed']} killed, "
        f"{outcomes[SURVIVED]} survived, {outcomes[EQUIVALENT]} equivalent; {rate:.1%} killed, "
        f"in {time.monotonic() - start:.0f} s"
    )
    return 0 if rate >= LEAST_KILLED else 1


def _options(arguments: Sequence[str] | None) -> Namespace:
    parser = ArgumentParser(
        prog="python -m tests.mutation", description="Do the tests notice a flipped token?"
    )
    parser.add_argument("--count", type=int, default=100, help="number of mutants, at least one per module")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--module", action="append", help='only this module, for example "run/tables"; repeatable'
    )
    parser.add_argument(
        "--root", type=Path, default=ROOT, help="project folder, which is copied and never changed"
    )
    options = parser.parse_args(arguments)
    known = list(modules(options.root))
    if not known:
        parser.error(
            f"--root: found no module below {options.root / 'pipeline'}; give the folder of the project"
        )
    for name in options.module or ():
        if not source_of(options.root, name).is_file():
            parser.error(
                f"--module: found no '{name}' in {options.root / 'pipeline'}{did_you_mean(name, known)}"
            )
    return options


def _tested(root: Path, mutants: Sequence[tuple[str, Mutant]]) -> Iterator[tuple[str, Mutant, str]]:
    """Each mutant with its outcome: the test that failed, SURVIVED or EQUIVALENT; in the given order."""
    with TemporaryDirectory() as folder, ThreadPoolExecutor(WORKERS) as threads:
        trees = [copied(root, Path(folder) / "0")]
        rooms = dict.fromkeys(module.partition("/")[0] for module, _ in mutants)
        seconds = trees[0].seconds([*rooms])
        trees += [copied(trees[0].root, Path(folder) / str(number)) for number in range(1, WORKERS)]
        free: SimpleQueue[Tree] = SimpleQueue()
        for tree in trees:
            free.put(tree)

        def outcome(entry: tuple[str, Mutant]) -> str:
            module, mutant = entry
            reason = equivalence(module, source_of(root, module).read_text(encoding="utf-8"), mutant)
            if reason is not None:
                return f"{EQUIVALENT}: {reason}"
            tree = free.get()
            try:
                return tree.killer(module, mutant, seconds=seconds) or SURVIVED
            finally:
                free.put(tree)

        for (module, mutant), result in zip(mutants, threads.map(outcome, mutants), strict=True):
            yield module, mutant, result


if __name__ == "__main__":
    sys.exit(main())
