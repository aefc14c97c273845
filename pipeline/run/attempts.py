"""Attempts: `provenance.json`, which says who ran a run, when, with which command and code, and on what.

These facts differ between runs with the same results, so they have a file of their own: the manifest and all
tables stay the same bytes when a run is repeated or resumed. The run id does not depend on them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.errors import ConfigError
from pipeline.plan import RunPlan
from pipeline.run.command_line import Word, shown_words
from pipeline.run.host import host, packages, python
from pipeline.run.opening import Run
from pipeline.run.source import source
from pipeline.run_files.objects import read_object
from pipeline.run_files.outputs import PROVENANCE
from pipeline.run_files.shapes import Provenance
from pipeline.store.atomic import write_bytes
from pipeline.store.dates import clock, now_utc


def begin_attempt(run: Run, plan: RunPlan, command: Sequence[Word], device: Mapping[str, Any]) -> None:
    """Add this attempt to the run's provenance: the first, or one that resumes or repeats the run.

    `command`: empty if the run was started from Python. `device`: further facts about the host.
    """
    content = _content(run)
    found = source()
    attempt = {
        "started": run.started,
        "finished": None,
        "clock": clock(),
        "operator": plan.config.operator,
        "command": shown_words(command, run.pseudonym),
        "version": __version__,
        "commit": found.commit,
        "is_changed": found.is_changed,
        "python": python(),
        "packages": packages(),
        "host": {**host(), **device},
    }
    _write(run.folder, content | {"attempts": [*content["attempts"], attempt]})


def finish_attempt(run: Path) -> None:
    """Note that the last attempt has written all results; pages and hashes are made from them."""
    content = read_object(run / PROVENANCE, Provenance)
    content["attempts"][-1]["finished"] = now_utc()
    _write(run, content)


def _content(run: Run) -> dict[str, Any]:
    """What earlier attempts wrote. A damaged file cannot stop a run, which says that it was lost."""
    path = run.folder / PROVENANCE
    is_lost = path.exists()
    with suppress(ConfigError):
        return read_object(path, Provenance)
    return {"run_id": run.folder.name, "is_lost": is_lost, "attempts": []}


def _write(run: Path, content: Mapping[str, Any]) -> None:
    write_bytes(run / PROVENANCE, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
