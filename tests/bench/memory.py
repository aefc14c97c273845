"""Memory: peak memory of an audit of many images compared with one of few."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.table import Table

from pipeline.audit import audit
from pipeline.config import load_config
from pipeline.plan import make_plan
from tests.study import picture, square, write_image, write_labels, write_mask, write_model

PATIENTS = 50
MOST_GROWTH = 1.1
"""Promised of the peak memory of the main process, from 500 to 20,000 images."""


def memory(folder: Path, few: int, many: int) -> tuple[Table, bool]:
    """Peak memory of small audits of `few` and of `many` images; whether it grows as promised at most."""
    peaks = [_peaks(folder, count) for count in (few, many)]
    table = Table("images", "peak MiB, main process", "peak MiB, all processes", box=None, pad_edge=False)
    table.title = "Peak memory by the size of the study set"
    for count, (own, tree) in zip((few, many), peaks, strict=True):
        table.add_row(str(count), f"{own / 2**20:.0f}", f"{tree / 2**20:.0f}")
    grown = peaks[1][0] / peaks[0][0]
    table.caption = growth_said(grown)
    return table, grown <= MOST_GROWTH


def growth_said(grown: float) -> str:
    """What is promised of the main process, and whether it is kept."""
    kept = "" if grown <= MOST_GROWTH else " MISSED"
    return f"main process: {grown:.2f} ×, at most {MOST_GROWTH} ×{kept}"


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
    process = context.Process(target=_memory_of_audit, args=(study, model, queue))
    process.start()
    own, tree = queue.get()
    process.join()
    return own, tree


def _memory_of_audit(study: Path, model: Path, queue: Any) -> None:
    with tree_memory() as peak:
        settings = {
            "studies": str(study / "images"),
            "annotations.path": str(study),
            "model": str(model),
            "out": str(study / "out"),
            "probes": "off",
        }
        audit(make_plan(load_config(None, settings)))
        own = _status(os.getpid(), "VmHWM")
    queue.put((own, peak()))


@contextmanager
def tree_memory() -> Iterator[Callable[[], int]]:
    """Yield a function that returns the peak memory of this process and its descendants, in bytes."""
    highest = 0
    ended = threading.Event()

    def watch() -> None:
        nonlocal highest
        while not ended.wait(0.1):
            highest = max(
                highest, sum(_status(pid, "VmRSS") for pid in _tree(multiprocessing.current_process().pid))
            )

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield lambda: highest
    finally:
        ended.set()
        thread.join()


def tree_seconds() -> float:
    """Seconds of the processor that this process and its descendants, ended ones too, have taken."""
    ticks = 0
    for pid in _tree(os.getpid()):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile, and is among the ended children of its parent
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _tree(root: int) -> list[int]:
    """A process and all its descendants."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(stat.parent.name)] = int(fields[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _status(pid: int, field: str) -> int:
    """A field of /proc/<pid>/status in bytes; 0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(field + ":"))
