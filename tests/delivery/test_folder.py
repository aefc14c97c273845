"""The folder of an export: for its owner alone, outside the run, and of one run and form."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.delivery.folder import LEFT_OUT, OBJECTS, open_folder
from pipeline.errors import ConfigError
from pipeline.exports import EXPORTS
from pipeline.exports.objects import ExportedObject, LeftOut
from tests.exports.made import RUN, study


@pytest.fixture(scope="module")
def stored() -> ExportedObject:
    """An object with the patient's identifiers."""
    return next(one for one in EXPORTS["gsps"].objects(study("DX"), {}) if isinstance(one, ExportedObject))


def opened(path: Path, run: Path, *, pseudonymous: bool = False, run_id: str = RUN.run_id):
    return open_folder(path, run, run_id=run_id, pseudonymous=pseudonymous)


def test_nobody_else_can_enter_or_read_and_what_is_gone_is_removed(tmp_path, stored):
    run = tmp_path / "run"
    run.mkdir()
    first = opened(tmp_path / "to", run)
    first.store("gsps", stored)
    first.close([LeftOut("case-1", "seg", "no_contour", "none")])
    files = [path for path in (tmp_path / "to").rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {OBJECTS, LEFT_OUT}
    assert {path.stat().st_mode & 0o077 for path in [tmp_path / "to", *files]} == {0}
    assert "patient data" in " ".join(first.lines())
    assert [path.suffix for path in files].count(".dcm") == 1
    opened(tmp_path / "to", run).close([])
    assert not list((tmp_path / "to").rglob("*.dcm"))


def test_a_folder_in_the_run_or_of_another_export_is_refused(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    with pytest.raises(ConfigError, match="lies in the run's folder"):
        opened(run / "to", run)
    opened(tmp_path / "to", run)
    for changed in ({"pseudonymous": True}, {"run_id": "other"}):
        with pytest.raises(ConfigError, match="no export of this run in this form"):
            opened(tmp_path / "to", run, **changed)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("")
    with pytest.raises(ConfigError, match="no export of this run in this form"):
        opened(tmp_path / "full", run)
