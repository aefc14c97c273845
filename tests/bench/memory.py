"""Memory: peak memory of an audit of many images compared with one of few."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

from rich.table import Table

from tests.bench.audited import memory_of_audit
from tests.study import picture, square, write_image, write_labels, write_mask, write_model

PATIENTS = 50
MOST_GROWTH = 1.1
"""Promised of the peak memory of the main process, and of all, from 500 to 20,000 images."""


def memory(folder: Path, few: int, many: int) -> tuple[Table, bool]:
    """Peak memory of small audits of `few` and of `many` images; whether it grows as promised at most."""
    peaks = [_peaks(folder, count) for count in (few, many)]
    table = Table("images", "peak MiB, main process", "peak MiB, all processes", box=None, pad_edge=False)
    table.title = "Peak memory by the size of the study set"
    for count, (own, tree) in zip((few, many), peaks, strict=True):
        table.add_row(f"{count:,}", f"{own / 2**20:.0f}", f"{tree / 2**20:.0f}")
    (few_own, few_all), (many_own, many_all) = peaks
    grown = {"main process": many_own / few_own, "all processes": many_all / few_all}
    each = (many_own - few_own) / (many - few) / 1000
    table.caption = f"{growth_said(grown)}; main process: {each:.1f} kB an image"
    return table, max(grown.values()) <= MOST_GROWTH


def growth_said(grown: dict[str, float]) -> str:
    """What is promised of the growth of processes, and whether it is kept."""
    return "; ".join(
        f"{whose}: {times:.2f} ×, at most {MOST_GROWTH} ×{'' if times <= MOST_GROWTH else ' MISSED'}"
        for whose, times in grown.items()
    )


def _peaks(folder: Path, count: int) -> tuple[int, int]:
    """Bytes of the main process, and of all processes, of the audit of so many images."""
    study = folder / str(count)
    for number in range(1, count + 1):
        write_image(study / "images", number, picture(number % 50), PatientID=f"P{number % PATIENTS}")
    write_mask(study, "nodule", 1, square((61, 61), 5, 5, 20))
    write_labels(study, {number: (number % 2, number % 3 == 0) for number in range(1, count + 1)})
    model = write_model(study / "model")
    context = multiprocessing.get_context("spawn")
    queue: Any = context.Queue()
    process = context.Process(target=memory_of_audit, args=(study, model, queue))
    process.start()
    own, tree = queue.get()
    process.join()
    return own, tree
