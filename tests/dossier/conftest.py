"""Fixtures: a finished run with a row in every table, and its dossier."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.dossier.write import Dossier, write_dossier
from pipeline.run.report import report
from tests.damage.run_folders import make_sound_run

STATED = {
    "product": {"name": "Lung Reader", "version": "2.1", "contact": "help@example.org"},
    "use": {"purpose": "Second reader of chest radiographs", "population": "adults"},
    "study": {"sites": "two hospitals"},
    "reference": {"annotators": "two radiologists, 7 and 12 years"},
    "acceptance": {"criteria": "hit rate above 50 %"},
}
"""What the author of the intended use says."""


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_sound_run(tmp_path_factory.mktemp("dossier") / "run")
    report(folder)
    return folder


@pytest.fixture(scope="session")
def intended_use(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("intended") / "use.yaml"
    lines = [
        line
        for section, texts in STATED.items()
        for line in (f"{section}:", *(f'  {key}: "{text}"' for key, text in texts.items()))
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def written(run: Path, intended_use: Path, tmp_path_factory: pytest.TempPathFactory) -> Dossier:
    return write_dossier(run, tmp_path_factory.mktemp("out") / "dossier", intended_use=intended_use)
