"""Whole audits with map tests: files, tables, page, and an interrupted run."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from pipeline.audit import audit
from pipeline.executors.here import Here
from pipeline.plan import AuditPlan
from pipeline.records import Progress
from pipeline.records.names import ALL_FINDINGS
from pipeline.reporting.run_folder import read_run
from pipeline.run_files.outputs import OUTPUTS
from tests.probes.map_tests.few import folder_of_study, plan


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of_study(tmp_path_factory.mktemp("study"))


def settings(folder: Path, out: str) -> AuditPlan:
    """Few images a batch, so that there are several; the gate is open, as for map tests."""
    return plan(folder, out=str(folder / out), batch_size=2, **{"contours.gate": "all"})


@pytest.fixture(scope="module")
def whole(folder: Path) -> Path:
    return audit(settings(folder, "whole"), executor=Here()).index.parent


def test_an_audit_with_full_probes_has_numbers_a_table_and_a_section(whole: Path) -> None:
    files = {path.relative_to(whole).as_posix() for path in (whole / "map_tests").iterdir()}
    # Images 1, 3 and 5 show a nodule, 3 and 6 an effusion.
    assert len(files) == 4
    hashed = (whole / OUTPUTS).read_text()
    assert all(name in hashed for name in (*files, "map_tests.csv"))
    with (whole / "map_tests.csv").open() as file:
        rows = list(csv.DictReader(file))
    found = {(row["finding"], row["test"], row["measure"], row["variant"]): row["n"] for row in rows}
    assert found["nodule", "repeatability", "spearman", "flip"] == "3"
    assert found["effusion", "repeatability", "same_hit", "noise"] == "2"
    assert found[ALL_FINDINGS, "randomisation", "hit", ""] == "5"
    assert {row["test"] for row in rows} >= {"randomisation", "repeatability"}
    assert "agreement" not in {row["test"] for row in rows}
    page = (whole / "index.html").read_text(encoding="utf-8")
    assert "Tests of the maps" in page
    assert "The run has one method only" in page


def test_hits_of_the_network_are_those_of_the_audit(whole: Path) -> None:
    opened = read_run(whole)
    (row,) = (
        row
        for row in opened.table("map_tests")
        if (row["finding"], row["measure"], row["variant"], row["compared_with"], row["test"])
        == ("nodule", "hit", "", "", "randomisation")
    )
    (summary,) = (
        one
        for one in opened.summaries
        if (one.finding, one.method, one.metric) == ("nodule", "gradcam", "hit")
    )
    assert summary.n == int(row["n"])
    assert summary.estimate == pytest.approx(float(row["estimate"]))


class StoppedError(Exception):
    """What ends a run in the middle."""


def test_an_interrupted_run_goes_on_with_the_next_batch_and_ends_with_the_same_bytes(
    folder: Path, whole: Path
) -> None:
    out = folder / "stopped"
    out.mkdir()
    (out / "pseudonym.key").write_bytes((folder / "whole" / "pseudonym.key").read_bytes())

    def stop(progress: Progress) -> None:
        if progress.doing.startswith("Testing maps") and progress.done:
            raise StoppedError

    with pytest.raises(StoppedError):
        audit(settings(folder, "stopped"), executor=Here(), progress=stop)
    (stopped,) = (path for path in out.iterdir() if path.is_dir())
    kept = {path.name: path.stat().st_mtime_ns for path in (stopped / "map_tests").iterdir()}
    assert len(kept) == 2
    said: list[Progress] = []
    audit(settings(folder, "stopped"), executor=Here(), progress=said.append)
    assert {name: (stopped / "map_tests" / name).stat().st_mtime_ns for name in kept} == kept
    for path in sorted((whole / "map_tests").iterdir()):
        assert (stopped / "map_tests" / path.name).read_bytes() == path.read_bytes()
    assert (stopped / "map_tests.csv").read_bytes() == (whole / "map_tests.csv").read_bytes()
    assert any("forward passes" in progress.doing and progress.done == 2 for progress in said)
