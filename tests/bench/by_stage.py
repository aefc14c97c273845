"""By stage: what each stage of an audit takes of a processor, and their sum against the whole.

The audit runs in one process on one thread, so that all of its time belongs to one stage: that of a function
does not count where it calls another one of the list.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import wraps
from inspect import isgeneratorfunction
from threading import local
from typing import Any
from unittest.mock import patch

import torch
from rich.table import Table

REST = "the rest: stream, locks, provenance"
SHARED = "pipeline.audit."
OF_CASES = "pipeline.cases.case."
STAGES: Mapping[str, tuple[str, ...]] = {
    "model and its self-checks": tuple(
        SHARED + name for name in ("load_model", "self_check", "with_first_images", "fastest")
    ),
    "headers, annotations, baselines": tuple(
        SHARED + name
        for name in ("index", "match", "with_inspection", "reuse_of", "baseline_maps", "alike_parts")
    ),
    "decode": (f"{OF_CASES}decode_image",),
    "burned-in text": (f"{OF_CASES}search_text",),
    "input of the network": (f"{OF_CASES}prepare",),
    "pixels and thumbnail": (f"{OF_CASES}write_pictures", f"{OF_CASES}look_of"),
    "forward and maps": ("pipeline.run.stream._explained",),
    "contours": (f"{OF_CASES}draw_contours",),
    "references and scores": (f"{OF_CASES}references_of", f"{OF_CASES}score_case"),
    "fits of maps and annotations": (f"{OF_CASES}fits_of",),
    "files of a case": (f"{OF_CASES}write_case",),
    "tables": (f"{SHARED}summarise", f"{SHARED}write_crosswalk", f"{SHARED}write_manifest"),
    "report": (f"{SHARED}close_run",),
}
"""Stage → functions whose time is its own, by the names under which the run calls them."""


class Clock:
    """Seconds of the processor by stage; a stage that calls another stands still meanwhile."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._thread = local()

    @contextmanager
    def running(self, stage: str) -> Iterator[None]:
        """Count the time of this thread inside `with` as that of a stage."""
        inner = vars(self._thread).setdefault("inner", [])
        inner.append(0.0)
        start = time.thread_time()
        try:
            yield
        finally:
            took = time.thread_time() - start
            self.seconds[stage] += took - inner.pop()
            if inner:
                inner[-1] += took


def seconds_by_stage(audit: Callable[[], object]) -> Mapping[str, float]:
    """Seconds of each stage of an audit that runs in this process, in order, and of the rest."""
    clock, threads = Clock(), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ExitStack() as patches:
            for stage, names in STAGES.items():
                for name in names:
                    patches.enter_context(_timed(name, stage, clock))
            start = time.process_time()
            audit()
            whole = time.process_time() - start
    finally:
        torch.set_num_threads(threads)
    found = {stage: clock.seconds[stage] for stage in STAGES}
    return {**found, REST: whole - sum(found.values())}


def _timed(name: str, stage: str, clock: Clock) -> Any:
    """A patch that runs the function of a name under the clock; generators run to their end at once."""
    module, _, attribute = name.rpartition(".")
    function = getattr(__import__(module, fromlist=[attribute]), attribute)

    @wraps(function)
    def under_clock(*args: Any, **kwargs: Any) -> Any:
        with clock.running(stage):
            result = function(*args, **kwargs)
            return iter(list(result)) if isgeneratorfunction(function) else result

    return patch(name, under_clock)


def table_by_stage(seconds: Mapping[str, float], *, images: int, whole: float) -> Table:
    """Milliseconds an image and core; `whole`: seconds of all processes of an audit by workers."""
    table = Table("stage", "ms an image and core", "share", box=None, pad_edge=False)
    total = sum(seconds.values())
    for stage, took in seconds.items():
        table.add_row(stage, f"{1000 * took / images:.1f}", f"{took / total:.0%}")
    table.add_row("sum", f"{1000 * total / images:.1f}", "100%")
    table.add_row("whole audit by workers", f"{1000 * whole / images:.1f}", f"{whole / total:.0%} of the sum")
    table.title = f"What the processor does: {images} images, probes off, one thread; without imports"
    return table
