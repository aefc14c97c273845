"""Sizes: bytes that an image without a page takes in a real run of 14 findings and 4 methods."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from statistics import fmean
from unittest.mock import patch

from rich.table import Table

from pipeline.reporting.run_folder import pages_of
from tests.bench.promises import Promises
from tests.bench.study import FINDINGS, SHAPE, run_audit, write_densenet121, write_uncompressed_study

METHODS = ("gradcam", "gradcam++", "layercam", "hirescam")
IMAGES, PAGES = 40, 10
MOST_KB = 25
"""Promised of an image beyond the case pages that were chosen."""
OF_CASES = (
    "cases.csv", "crosswalk.csv", "outputs.sha256", "predictions.parquet", "regions.json", "scores.parquet",
    "unmatched.parquet",
)  # fmt: skip
"""Files that grow with every image."""


def sizes(folder: Path, promises: Promises) -> Table:
    """Audit a few images, of which some get a page; what the others take, beside the promise.

    Tables are Parquet, as in a run of very many images.
    """
    folder.mkdir(parents=True)
    write_uncompressed_study(folder, IMAGES)
    with patch("pipeline.run.large_tables.MOST_ROWS", 0):
        run = run_audit(
            folder, write_densenet121(folder), batch=8, device="cpu", probes="off", methods=list(METHODS),
            report__cases=PAGES,
        )  # fmt: skip
    chosen = pages_of(run)
    assert chosen is not None
    assert len(chosen) == PAGES
    cases = [case for case in (run / "cases").iterdir() if case.is_dir() and case.name not in chosen]
    files = {name: fmean(_bytes_of([case / name]) for case in cases) for name in sorted(_names(cases))}
    tables = {name: _bytes_of([run / name]) / IMAGES for name in OF_CASES}
    table = Table("file", "kB an image", "promised", box=None, pad_edge=False)
    table.title = (
        f"{IMAGES} images of {SHAPE[0]} × {SHAPE[1]}, {PAGES} with a page; {len(FINDINGS)} findings, "
        f"{len(METHODS)} methods and baselines"
    )
    for name, size in (files | tables).items():
        table.add_row(name, f"{size / 1000:.1f}")
    what, kilobytes = "an image without a page", sum((files | tables).values()) / 1000
    table.add_row(what, f"{kilobytes:.1f}", promises.at_most(what, kilobytes, MOST_KB))
    return table


def _names(cases: Iterable[Path]) -> set[str]:
    return {path.name for case in cases for path in case.iterdir()}


def _bytes_of(paths: Iterable[Path]) -> float:
    return sum(path.stat().st_size for path in paths if path.exists())
