"""Readouts: the overview says what the features know."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from pipeline.reporting.readouts import readouts
from pipeline.reporting.run_folder import read_run
from pipeline.statistics.probe_answers import ProbeEffect
from pipeline.statistics.readouts import NONSENSE, ReadoutRow
from pipeline.store.tables import write_table
from tests.reporting.run_folder import FINDINGS, make_run
from tests.reporting.written import write_report

FIRST = FINDINGS[0]
ROWS = (
    ReadoutRow(
        *("finding", FIRST, "", 64, 60, 30, 0.951, 0.88, 0.99, ""),
        *(0.62, 0.5, 0.73, 0.331, 0.2, 0.46, 0.001, 0.002),
    ),
    ReadoutRow("finding", FINDINGS[1], "", 64, 60, 3, because="fewer than 5 patients with it", output=1.0),
    ReadoutRow("attribute", "manufacturer", "Kitsune", 64, 60, 20, 0.48, 0.3, 0.66),
    ReadoutRow("nonsense", NONSENSE, "", 64, 60, 31, 0.45, 0.3, 0.61),
)


def test_findings_attributes_and_nonsense_have_their_numbers_or_why_there_are_none(tmp_path: Path) -> None:
    run = make_run(tmp_path, cases=1)
    still = ProbeEffect(FIRST, "stripes", "removed", "auroc", "holds", 64, 60, 0.98, 0.98, 0.0)
    write_table(run, "probes.csv", [asdict(still)])
    write_table(run, "readouts.csv", map(asdict, ROWS))
    assert [tuple(row) for row in readouts(read_run(run))] == [
        (FIRST, "64", "30", "0.95 [0.88 to 0.99]", "0.62 [0.50 to 0.73]", "0.33 [0.20 to 0.46]"),
        (FINDINGS[1], "64", "3", "fewer than 5 patients with it", "1.00", ""),
        ("Manufacturer: Kitsune", "64", "20", "0.48 [0.30 to 0.66]", "", ""),
        ("A label without meaning", "64", "31", "0.45 [0.30 to 0.61]", "", ""),
    ]
    write_report(run)
    page = (run / "index.html").read_text(encoding="utf-8")
    assert "What the features know" in page
    assert "0.95 [0.88 to 0.99]" in page


def test_readouts_are_shown_without_any_probe(tmp_path: Path) -> None:
    run = make_run(tmp_path, cases=1)
    write_table(run, "readouts.csv", map(asdict, ROWS))
    write_report(run)
    page = (run / "index.html").read_text(encoding="utf-8")
    assert "What the features know" in page
    assert "0.95 [0.88 to 0.99]" in page
    assert 'href="#needs"' in page
    assert "Without the annotated region" not in page


def test_a_run_without_readouts_has_no_table_of_them(reported: Path) -> None:
    assert readouts(read_run(reported)) == ()
    assert "What the features know" not in (reported / "index.html").read_text(encoding="utf-8")
