"""Suspects: the overview says what each rule found, and where the fault may lie."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from pipeline.records import Suspect, Suspicion
from pipeline.records.names import ALL_FINDINGS
from pipeline.reporting.run_folder import read_run
from pipeline.reporting.suspects import TITLES, suspects
from pipeline.statistics.suspects import suspect_rows
from pipeline.store.tables import write_table
from tests.reporting.run_folder import FINDINGS, HOSTILE, make_run
from tests.reporting.written import write_report


def test_every_suspect_has_its_words() -> None:
    assert set(TITLES) == set(get_args(Suspect))


def test_a_run_without_suspicions_has_no_section_of_them(reported: Path) -> None:
    assert suspects(read_run(reported)) == []
    assert 'id="suspects"' not in (reported / "index.html").read_text(encoding="utf-8")


def test_what_was_found_is_told_with_its_finding_as_text(tmp_path: Path) -> None:
    run = make_run(tmp_path, cases=1)
    found = (
        Suspicion(FINDINGS[0], "order", "labels", "strong", f"Another output fits better. {HOSTILE}"),
        Suspicion(ALL_FINDINGS, "saturated", "card", "weak", "Probabilities are 0 or 1."),
    )
    write_table(run, "suspects.csv", suspect_rows(found))
    write_report(run)
    page = (run / "index.html").read_text(encoding="utf-8")
    assert "Another output fits better." in page
    assert HOSTILE not in page
    assert [(one.finding, one.where) for one in suspects(read_run(run))] == [
        (FINDINGS[0], "the labels, or the order of outputs"),
        ("All findings", "the model card, preprocessing"),
    ]
