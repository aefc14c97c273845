"""Terminal: tables that line up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.cli.terminal import comparison_table, notice_lines, verdict_lines
from pipeline.records import Notice
from pipeline.reporting.first_screen import sentence_of
from pipeline.reporting.run_folder import read_run
from pipeline.reporting.verdict import verdicts
from pipeline.store.tables import write_table
from tests.reporting.run_folder import make_run


def test_a_comparison_keeps_each_row_on_one_line_and_never_shows_a_p_value_of_0() -> None:
    row = {
        "finding": "nodule", "reader": "anna", "metric": "hit", "n": 1200, "first_estimate": 0.5,
        "second_estimate": 0.25, "difference": 0.25, "difference_low": 0.125, "difference_high": 0.375,
        "corrected_p": 0.0002,
    }  # fmt: skip
    equal = row | {"difference": 0.0, "difference_low": None, "difference_high": None, "corrected_p": None}
    head, first, second = comparison_table([row, equal]).splitlines()
    assert head.split() == ["finding", "reader", "metric", "n", "A", "B", "A", "−", "B", "corrected", "p"]
    assert first.split("  ")[-1] == "< 0.001"
    assert "1,200  0.500  0.250  0.250 [0.125 to 0.375]" in first
    assert second.split() == ["nodule", "anna", "hit", "1,200", "0.500", "0.250", "0.000", "–"]


def test_differences_have_a_minus_sign_and_no_dash_beside_it() -> None:
    row = {
        "finding": "nodule", "reader": "anna", "metric": "iou", "n": 9, "first_estimate": 0.25,
        "second_estimate": 0.375, "difference": -0.125, "difference_low": -0.25, "difference_high": 0.0625,
        "corrected_p": None,
    }  # fmt: skip
    assert "−0.125 [−0.250 to 0.062]" in comparison_table([row]).splitlines()[1]


@pytest.mark.parametrize(
    ("prior", "scale"),
    [("location_prior", ""), ("center_prior", " (0 is the image centre)")],
)
def test_skill_says_its_scale_where_it_is_not_that_of_the_location_prior(
    prior: str, scale: str, tmp_path: Path
) -> None:
    run = make_run(tmp_path / "run", cases=3)
    row = {
        "finding": "benign", "reader": "Reader A", "method": "gradcam", "metric": "hit", "measure": "skill",
        "prior": prior, "ceiling": "perfect", "n": 3, "patients": 3, "estimate": 0.5, "low": 0.25,
        "high": 0.75,
    }  # fmt: skip
    write_table(run, "skill.csv", [row])
    said = [text for text in verdict_lines(run) if "skill" in text]
    assert len(said) == 1
    assert said[0].endswith(f"; skill in pointing 0.50 [0.25 to 0.75]{scale}")


def test_the_terminal_says_the_sentences_of_the_report_and_sums_them_up(tmp_path: Path) -> None:
    run = read_run(make_run(tmp_path / "run", cases=3))
    *lines, summary = verdict_lines(run.path)
    for verdict in verdicts(run):
        assert f"{verdict.finding}: {sentence_of(run, verdict)}" in lines
    assert re.fullmatch(
        r"[0-2] of 2 findings better than every baseline, (none worse|[12] worse than one)", summary
    )


def test_a_notice_is_a_line_with_the_names_and_one_with_what_states_it() -> None:
    guess = Notice("guess", "annotations", "{0} is boxes", ("a.csv",), {"annotations": {"path": "a.csv"}})
    lines = list(notice_lines([Notice("warning", "studies", "all images are dark"), guess]))
    assert lines == [
        "Warning: all images are dark",
        "Guess: a.csv is boxes",
        "  state it with: annotations: {path: a.csv}",
    ]
