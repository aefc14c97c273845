"""Probes: the overview says what the network needs, and what else changes its AUROC."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import get_args

from pipeline.probes import PROBES
from pipeline.records.probes import BOTH_PLACES, ELSEWHERE, SAME_PLACE, SURROUNDINGS, Answer, Because
from pipeline.reporting.probes import ANSWERS, CHANGES, REASONS, SWAPS, needs
from pipeline.reporting.run_folder import read_run
from pipeline.statistics.probe_answers import ProbeEffect
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


FOLLOWED = ProbeEffect(
    FIRST, "swap", "same_place", "rise", "follows", 19, 19, 1.25, 0.19, 1.06, 0.69, 1.51, None, 0.5
)
UNTOLD = ProbeEffect(
    FIRST, "swap", "both_places", "rise", "cannot_tell", because="no_healthy_image"
)  # fmt: skip
SURROUNDED = ProbeEffect(
    FIRST, "swap", "surroundings", "surroundings", "drops", 19, 19, 1.5, 0.2, 1.3, 1.0, 1.6
)


def test_every_answer_reason_and_probe_has_its_words() -> None:
    assert set(ANSWERS) == set(get_args(Answer))
    assert set(REASONS) == set(get_args(Because)) - {""}
    assert set(SWAPS) == {SAME_PLACE, ELSEWHERE, BOTH_PLACES, SURROUNDINGS}
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
    assert '<a href="#needs">' in page


def test_a_fill_after_the_one_that_answers_has_no_answer(tmp_path: Path) -> None:
    run = make_run(tmp_path, cases=1)
    first = replace(REGION, answer="cannot_tell", finding=FINDINGS[1], because="control_moves")
    rows = (
        REGION,
        replace(REGION, variant="clone", answer="cannot_tell"),
        first,
        replace(first, variant="clone"),
    )
    write_table(run, "probes.csv", map(asdict, rows))
    found = needs(read_run(run))
    assert found is not None
    why = "cannot tell: the control moves the output, too"
    assert [row.answer for row in found.regions] == ["needed", "–", why, why]


def test_a_region_without_answer_has_its_reason_beside_it(tmp_path: Path) -> None:
    run = make_run(tmp_path, cases=1)
    none = ProbeEffect(FIRST, "lesion", "", "log_odds", "cannot_tell", because="fits_nowhere")
    write_table(run, "probes.csv", map(asdict, (none, STILL)))
    found = needs(read_run(run))
    assert found is not None
    assert [(row.title, row.n, row.answer) for row in found.regions] == [
        (
            "Annotated region replaced",
            "0",
            "cannot tell: no annotated lesion large enough, or it fits nowhere else",
        )
    ]


def test_swaps_have_a_table_that_says_why_one_cannot_tell(tmp_path: Path) -> None:
    run = make_run(tmp_path, cases=1)
    write_table(run, "probes.csv", map(asdict, (REGION, FOLLOWED, UNTOLD, SURROUNDED)))
    found = needs(read_run(run))
    assert found is not None
    assert [(row.difference, row.n, row.answer) for row in found.swaps] == [
        ("1.06 [0.69 to 1.51]", "19", "follows the lesion"),
        ("–", "0", "cannot tell: no image of another patient without the finding"),
        ("1.30 [1.00 to 1.60]", "19", "falls"),
    ]
    assert (len(found.regions), found.others) == (1, 0)
    write_report(run)
    page = (run / "index.html").read_text(encoding="utf-8")
    assert "The lesion in another patient" in page
    assert "cannot tell: no image of another patient without the finding" in page


def test_a_run_of_an_older_version_has_no_reasons(tmp_path: Path) -> None:
    run = make_run(tmp_path, cases=1)
    write_table(run, "probes.csv", [asdict(REGION)])
    lines = (run / "probes.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].endswith(",because")
    older = [line.rpartition(",")[0] for line in lines]
    (run / "probes.csv").write_text("".join(f"{line}\n" for line in older), encoding="utf-8")
    found = needs(read_run(run))
    assert found is not None
    assert [row.answer for row in found.regions] == ["needed"]
