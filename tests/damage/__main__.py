"""The fuzz run: `python -m tests.damage [--count 10000]`. Exits with 1 if any error was unhandled."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline.executors.pool import Pool
from tests.damage.fuzz import LIMITS, fuzz, fuzz_annotations, table

WORKER_MODULES = ("tests.damage.examine", "tests.damage.annotations")


def main() -> int:
    """The exit code."""
    parser = ArgumentParser(description="Damaged files through the decoding workers.")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--workers", type=int, default=0)
    options = parser.parse_args()
    start = time.monotonic()
    with (
        TemporaryDirectory() as folder,
        Pool(workers=options.workers, preload=WORKER_MODULES, limits=LIMITS) as pool,
    ):
        options_of_both: dict[str, Any] = {"seed": options.seed, "pool": pool}
        images = fuzz(Path(folder) / "images", count=options.count, **options_of_both)
        annotations = fuzz_annotations(
            Path(folder) / "annotations", count=options.count // 5, **options_of_both
        )
    for tally in (images, annotations):
        print("", *tally.unhandled, table(tally), sep="\n")
    print(f"in {time.monotonic() - start:.0f} s")
    return 1 if images.unhandled or annotations.unhandled else 0


if __name__ == "__main__":
    sys.exit(main())
