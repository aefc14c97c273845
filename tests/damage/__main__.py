"""The fuzz run: `python -m tests.damage [--count 20000] [--seed 6] [--kinds "map npz"]`.

Exits with 1 if any error was unhandled, or a promise about memory is not kept.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline.executors.pool import Pool
from tests.damage.families import FAMILIES, kinds
from tests.damage.fuzz import LIMITS, WORKER_MODULES, Tally, fuzz, fuzz_files, table

IMAGES = "images"
"""The name of all kinds of damaged DICOM images for --kinds."""
IMAGES_OF_FIVE = 2
"""Two of five inputs are images."""


def main() -> int:
    """The exit code."""
    options = _options()
    start = time.monotonic()
    with (
        TemporaryDirectory() as folder,
        Pool(workers=options.workers, preload=WORKER_MODULES, limits=LIMITS) as pool,
    ):
        shared: dict[str, Any] = {"seed": options.seed, "pool": pool}
        of_images = {"*": options.count * IMAGES_OF_FIVE // 5, IMAGES: options.count}.get(options.kinds, 0)
        found: list[tuple[str, Tally]] = []
        if of_images:
            found.append(("a worker", fuzz(Path(folder) / "images", count=of_images, **shared)))
        if options.kinds != IMAGES:
            others = fuzz_files(
                Path(folder) / "files", count=options.count - of_images, wanted=options.kinds, **shared
            )
            found.append(("the main process above an idle one", others))
    for whose, tally in found:
        print("", *tally.unhandled, table(tally, whose=whose), sep="\n")
    print(f"in {time.monotonic() - start:.0f} s")
    return 1 if any(tally.unhandled for _, tally in found) else 0


def _options() -> Any:
    parser = ArgumentParser(description="Damaged files of all formats through the ways that runs read them.")
    parser.add_argument("--count", type=int, default=20_000, help="inputs")
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument(
        "--kinds", default="*", help=f"{IMAGES}, or the start of 'family: damage', with * and ?"
    )
    options = parser.parse_args()
    if options.kinds != IMAGES and not kinds(options.kinds):
        parser.error(f"--kinds: no kind begins so; families are {IMAGES}, {', '.join(FAMILIES)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
