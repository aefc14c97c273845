"""Overview: the worst and best cases of each finding."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.reporting.overview import overview
from pipeline.reporting.run_folder import RunFolder, read_run
from pipeline.reporting.survey import survey
from tests.reporting.run_folder import make_run


def test_a_case_is_read_once_for_all_findings_of_which_it_is_an_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = read_run(make_run(tmp_path, cases=6))
    of_run = survey(run)
    read: list[str] = []
    case = RunFolder.case
    monkeypatch.setattr(RunFolder, "case", lambda self, case_id: read.append(case_id) or case(self, case_id))
    rows = tuple(
        replace(row, outcome="located", iou=number / 100) for number, row in enumerate(of_run.rows, start=1)
    )
    extremes = overview(run, replace(of_run, rows=rows))["extremes"]
    assert {finding.finding: [e.row.case_id for e in finding.worst] for finding in extremes} == {
        finding: list(run.case_ids[:3]) for finding in run.findings
    }
    assert all(e.row.finding == x.finding for x in extremes for e in (*x.worst, *x.best))
    assert read == sorted(run.case_ids)
