"""Output hashes: write the hashes of all files with results of a run, so that later changes are noticed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from pipeline.run_files.outputs import OUTPUTS, RESULTS, sha256_of
from pipeline.store.atomic import write_bytes
from pipeline.store.cases import case_folder
from pipeline.store.map_tests import map_tests_file
from pipeline.store.probes import probed_file

OTHERS: Final = ("regions.json", "groups.json", "baselines.npz", "reading.npz")
OF_CASE: Final = ("case.json", "case.js", "pixels.js", "heatmaps.npz", "thumbnail.jpg", "skipped.json")
THREADS: Final = 4
"""Files that are hashed at a time; more would wait for the disk."""


def write_output_hashes(run: Path, case_ids: Iterable[str]) -> None:
    """Write `outputs.sha256`, which `sha256sum --check` reads.

    Pages are left out, because `heatproof report` writes them again, and so is the crosswalk, which only its
    owner has: the hash of a short one would tell whether a guess of its names is right.
    """
    files = [path for path in _files(run, case_ids) if path.is_file()]
    with ThreadPoolExecutor(THREADS) as threads:
        hashes = threads.map(sha256_of, files)
        lines = [
            f"{sha256}  {path.relative_to(run).as_posix()}\n"
            for path, sha256 in zip(files, hashes, strict=True)
        ]
    write_bytes(run / OUTPUTS, "".join(lines).encode())


def _files(run: Path, case_ids: Iterable[str]) -> Iterator[Path]:
    yield from (run / name for name in sorted({*RESULTS, *OTHERS}))
    for case_id in case_ids:
        yield from (case_folder(run, case_id) / name for name in OF_CASE)
        yield probed_file(run, case_id)
        yield map_tests_file(run, case_id)
