"""Runs: finished run folders with one damaged file, beside an intact one and the decisions on it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from pipeline.cli.arguments import parser_of
from pipeline.cli.main import COMMANDS
from pipeline.contracts import Executor
from tests.damage.run_folders import kinds, make_reviewed_run, words_of, write_decisions

RUN, OTHER, DECISIONS = "run", "other", "decisions.json"
GROUPS = {"manifest": "manifest.json", "cases": "case.", "json": ".json", "tables": ".csv", "any": ""}
"""Kind → part of the name of the damaged file."""
REPLICATES = 20
"""Of the bootstrap, which takes most of the time."""


@dataclass(frozen=True, slots=True)
class RunFamily:
    """Run folders that a command reads; a family like those of `families.Family`."""

    way: str
    kinds: tuple[str, ...] = tuple(GROUPS)

    def write(self, folder: Path, kind: str | None, random: Random) -> Path:
        """Write a run of which one file is damaged, or an intact one if `kind` is None; its path."""
        shutil.copytree(_sound(), folder)
        path = folder / RUN
        if kind:
            known = kinds(_sound() / RUN)
            name, damage = random.choice([entry for entry in known.values() if GROUPS[kind] in entry[0]])
            damage(random, path / name)
        return path


@cache
def _sound() -> Path:
    """A folder with two equal runs and decisions, which lasts as long as this process."""
    folder = Path(_lasting().name)
    run, together = make_reviewed_run(folder / "made"), folder / "together"
    manifest = json.loads((run / "manifest.json").read_bytes())
    manifest["statistics"]["replicates"] = REPLICATES
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for name in (RUN, OTHER):
        shutil.copytree(run, together / name)
    write_decisions(run, together / DECISIONS)
    return together


@cache
def _lasting() -> TemporaryDirectory[str]:
    return TemporaryDirectory()


def read_run(path: Path, executor: Executor, *, command: str) -> str:  # noqa: ARG001
    """The run, as a command reads it."""
    words = words_of(path, path.with_name(OTHER), path.with_name(DECISIONS), command)
    options = parser_of().parse_args(words)
    COMMANDS[options.command](options)
    return "sound"
