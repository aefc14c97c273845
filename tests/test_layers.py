"""Layers: what is loaded when. Who may import whom is checked by import-linter, see pyproject.toml."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import pipeline

ROOT = Path(pipeline.__file__).parent
STAGES = sorted(f"pipeline.{path.parent.name}" for path in ROOT.glob("*/__init__.py"))
CORE = ["pipeline.records", "pipeline.contracts", "pipeline.geometry", "pipeline.config", "pipeline.cli.main"]
HEAVY = {"torch", "monai", "highdicom", "SimpleITK"}
"""What takes seconds to load: a complaint about a config, or a worker that decodes, shall not wait for it."""

LOAD = """
import importlib, json, sys
heavy, seen, loaded = set(json.loads(sys.argv[1])), set(), {}
for name in sys.argv[2:]:
    importlib.import_module(name)
    loaded[name] = sorted((heavy & set(sys.modules)) - seen)
    seen |= set(loaded[name])
json.dump(loaded, sys.stdout)
"""


@pytest.fixture(scope="module")
def loaded() -> dict[str, list[str]]:
    """Heavy libraries that the import of each module brings in, on top of those before it."""
    ended = subprocess.run(
        [sys.executable, "-c", LOAD, json.dumps(sorted(HEAVY)), *CORE, *STAGES],
        cwd=ROOT.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, list[str]] = json.loads(ended.stdout)
    return found


def test_every_stage_is_examined() -> None:
    assert {"pipeline.loaders", "pipeline.attribution", "pipeline.checks", "pipeline.reporting"} <= set(
        STAGES
    )


@pytest.mark.parametrize("name", [*CORE, *STAGES])
def test_the_core_and_the_registries_load_nothing_heavy(loaded: dict[str, list[str]], name: str) -> None:
    assert loaded[name] == []
