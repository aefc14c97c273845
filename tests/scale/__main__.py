"""Scale: what very many images cost; exits with 1 if a promise is missed.

Statistics, verdict and report of finished cases that are made (`finished_cases`), in `--folder` or a
temporary one, where what is there is used again; the report in a browser; the size of real cases; and the
memory of a real run of small images.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from tests.bench.memory import memory
from tests.bench.promises import MISSED, Promises
from tests.scale.made_run import made_run
from tests.scale.sizes import sizes

CASES, REAL = 100_000, 20_000
FEWER = 40
"""The real run is compared with one of so many times fewer images."""


def main() -> int:
    """Print the tables; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES, help=f"made; 0: none (default {CASES:,})")
    parser.add_argument("--folder", type=Path, help="of made cases: kept, and used again")
    parser.add_argument(
        "--real", type=int, default=REAL, help=f"images of the real run; 0: none (default {REAL:,})"
    )
    options = parser.parse_args()
    console, promises = Console(width=120, soft_wrap=True, highlight=False), Promises()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if options.cases:
            console.print(made_run(options.folder or folder / "made", options.cases, promises))
        if options.real:
            console.print(sizes(folder / "sizes", promises))
            table, is_flat = memory(folder / "real", options.real // FEWER, options.real)
            console.print(table)
            promises.missed += [] if is_flat else ["growth of memory"]
    for missed in promises.missed:
        console.print(f"{MISSED}: {missed}")
    return int(bool(promises.missed))


if __name__ == "__main__":
    sys.exit(main())
