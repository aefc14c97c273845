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


def opened(path: Path, run: Path, *, pseudonymous: bool = False, run_id: str = RUN.run_id, kinds=EXPORTS.own):
    return open_folder(path, run, run_id=run_id, pseudonymous=pseudonymous, kinds=kinds)


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


def test_an_export_of_one_kind_leaves_those_of_others_and_their_rows(tmp_path, stored):
    run, to = tmp_path / "run", tmp_path / "to"
    run.mkdir()
    first = opened(to, run)
    for kind in ("gsps", "sr"):
        first.store(kind, stored)
    left_out = [LeftOut("case-1", kind, "header_refused", "=odd") for kind in ("gsps", "sr", "all")]
    first.close(left_out)
    before = (to / OBJECTS).read_text().splitlines()

    opened(to, run, kinds=("gsps",)).close([])
    assert [path.parent.name for path in to.rglob("*.dcm")] == ["sr"]
    assert (to / OBJECTS).read_text().splitlines() == [before[0], before[2]]
    lines = (to / LEFT_OUT).read_text().splitlines()[1:]
    assert lines == ["case-1,sr,header_refused,'=odd", "case-1,all,header_refused,'=odd"]

    opened(to, run).close([])
    assert not list(to.rglob("*.dcm"))
    assert [len((to / name).read_text().splitlines()) for name in (OBJECTS, LEFT_OUT)] == [1, 1]


@pytest.mark.parametrize("name", [OBJECTS, LEFT_OUT])
@pytest.mark.parametrize(
    "content",
    [b"kind\n", b"", b"\xff\n", b"kind," + b"a" * 200_000],
    ids=["cut", "empty", "not-text", "long"],
)
def test_a_list_that_is_damaged_is_refused_before_anything_is_written(tmp_path, stored, name, content):
    run, to = tmp_path / "run", tmp_path / "to"
    run.mkdir()
    first = opened(to, run)
    first.store("gsps", stored)
    first.close([])
    (to / name).write_bytes(content)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in to.rglob("*") if path.is_file()}
    with pytest.raises(ConfigError, match=f"{name} is damaged"):
        opened(to, run, kinds=("sr",))
    after = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in to.rglob("*") if path.is_file()}
    assert after == before
