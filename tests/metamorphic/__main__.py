"""`python -m tests.metamorphic`: violations of every relation, by size of the input and target layer.

Exits with 1 if there is one.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.metamorphic.files import CHANGES, differing, made
from tests.metamorphic.pixels import PLACES, RELATIONS, SIZES, STRIDES, violations

total = 0
print(f"Violations among {len(PLACES)} squares each; layers {', '.join(STRIDES)}")
print(f"{'size':<20}" + "".join(f"{size:>10}" for size in SIZES))
with TemporaryDirectory() as folder:
    for relation in RELATIONS:
        found = [violations(Path(folder), relation, size) for size in SIZES]
        total += sum(sum(row.values()) for row in found)
        print(
            f"{relation:<20}" + "".join(f"{'/'.join(map(str, row.values())):>10}" for row in found),
            flush=True,
        )
    wanted = made(Path(folder) / "wanted").scores()
    for change in CHANGES:
        count = len(differing(CHANGES[change](made(Path(folder) / change)).scores(), wanted))
        total += count
        print(f"{change:<20}{f'{count} of {len(wanted)} scores':>20}", flush=True)
print(f"{total} violations")
sys.exit(bool(total))
