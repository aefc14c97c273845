"""Audited: memory of an audit of small images, in a process that loads what an audit loads, and no more."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pipeline.audit import audit
from pipeline.config import load_config
from pipeline.plan import make_plan
from tests.bench.sampled import bytes_of, tree_memory


def memory_of_audit(study: Path, model: Path, queue: Any) -> None:
    """Put the peak bytes of this process, and of all, into the queue."""
    with tree_memory() as peak:
        settings = {
            "studies": str(study / "images"),
            "annotations.path": str(study),
            "model": str(model),
            "out": str(study / "out"),
            "probes": "off",
            "burned_in_text.look": "contrast",  # Tesseract would take most of the time
        }
        audit(make_plan(load_config(None, settings)))
        own = bytes_of(os.getpid(), "VmHWM")
    queue.put((own, peak()))
