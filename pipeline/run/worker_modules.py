"""Worker modules: what the workers of an audit import, once for all of them; nothing is imported here."""

from __future__ import annotations

from typing import Final

WORKER_MODULES: Final = (
    "pipeline.cases.case",
    "pipeline.validation.case",
    "pipeline.probes.drawing",
    "pipeline.probes.map_tests.tasks",
)
"""None of them loads torch, which a worker never calls."""
