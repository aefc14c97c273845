"""Probes: the overview says what the network needs, and what else changes its AUROC."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import get_args

from pipeline.probes import PROBES
from pipeline.reporting.probes import ANSWERS, CHANGES, needs
from pipeline.reporting.run_folder import read_run
from pipeline.statistics.probe_effects import Answer, ProbeEffect
from pipeline.store.tables import write_table
from tests.reporting.run_folder import FINDINGS, make_run
from tests.reporting.written import write_report

FIRST = FINDINGS[0]
REGION = ProbeEffect(
    FIRST, "lesion", "inpaint", "log_odds", "used", 20, 18, 1.91, -0.02, 1.93, 1.58, 2.36, None, 1.0
)
SHORTCUT = ProbeEffect(
    FIRST, "frame", "of_another_image", "auroc", "drops", 64, 60, 0.98, 0.61, -0.37, -0.5, -0.2, 0.01
)
RIGHT_CARD = ProbeEffect(
    FIRST, "card", "inverted", "auroc", "drops", 64, 60, 0.98, 0.5, -0.48, -0.6, -0.3, 0.01
)
STILL = ProbeEffect(FIRST, "stripes", "removed", "auroc", "holds", 64, 60, 0.98, 0.98, 0.0)


def test_every_answer_and_probe_has_its_words() -> None:
    assert set(ANSWERS) == set(get_args(Answer))
    assert set(CHANGES) == set(PROBES.own)


def test_a_run_without_probes_has_no_section_of_them(reported: Path) -> None:
    assert needs(read_run(reported)) is None
    assert 'id="needs"' not in (reported / "index.html").read_text(encoding="utf-8")


def test_what_matters_is_told_and_the_rest_counted(tmp_path: Path) -> None:
    run = make_run(tmp_path, cases=1)
    write_table(run, "probes.csv", map(asdict, (REGION, SHORTCUT, RIGHT_CARD, STILL)))
    found = needs(read_run(run))
    assert found is not None
    (region,), (shortcut,) = found.regions, found.matter
    assert region[1:] == (
        *("Annotated region replaced: smooth", "SD of the output", "1.91", "−0.02"),
        *("1.93 [1.58 to 2.36]", "20", "needed"),
    )
    assert shortcut[1:] == (
        *("Border of another image", "AUROC", "0.98", "0.61", "−0.37 [−0.50 to −0.20]", "64", "worse"),
    )
    assert found.others == 2
    write_report(run)
    page = (run / "index.html").read_text(encoding="utf-8")
    assert "1.93 [1.58 to 2.36]" in page
    assert "2 other changes of whole images" in page


def test_a_fill_after_the_one_that_answers_has_no_answer(tmp_path: Path) -> None:
    run = make_run(tmp_path, cases=1)
    first = replace(REGION, answer="cannot_tell", finding=FINDINGS[1])
    rows = (
        REGION,
        replace(REGION, variant="clone", answer="cannot_tell"),
        first,
        replace(first, variant="clone"),
    )
    write_table(run, "probes.csv", map(asdict, rows))
    found = needs(read_run(run))
    assert found is not None
    assert [row.answer for row in found.regions] == ["needed", "–", "cannot tell", "cannot tell"]
