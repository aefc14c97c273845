"""Faithfulness: deletion and insertion among the tests of the maps, with their flaws beside them."""

from __future__ import annotations

from pathlib import Path

from pipeline.reporting.map_tests import map_tests
from pipeline.reporting.run_folder import read_run
from pipeline.store.tables import write_table
from tests.reporting.run_folder import make_run
from tests.reporting.written import write_report


def found(measure: str, variant: str, compared_with: str, estimate: float) -> dict[str, object]:
    return {
        "finding": "(all)",
        "test": "faithfulness",
        "method": "gradcam",
        "measure": measure,
        "variant": variant,
        "compared_with": compared_with,
        "n": 30,
        "undefined": 2,
        "reasons": "output_does_not_fall_with_blur=2",
        "patients": 28,
        "estimate": estimate,
        "low": estimate - 0.1,
        "high": estimate + 0.1,
        "better": "lower" if measure == "deletion" else "higher",
    }


def test_each_order_has_a_line_and_the_flaws_of_the_test_are_stated(tmp_path: Path) -> None:
    run = make_run(tmp_path, cases=1)
    lines = (
        ("", "", 0.2),
        ("random_blobs", "", 0.5),
        ("", "random_blobs", -0.3),
        ("", "location_prior", -0.2),
    )
    rows = [found(measure, *line) for measure in ("deletion", "insertion") for line in lines]
    write_table(run, "map_tests.csv", rows)
    judged = map_tests(read_run(run))
    assert judged is not None
    (test,) = judged.tests
    assert test.measures == ("Deletion ↓", "Insertion ↑")
    assert [(line.variant, line.values[0]) for line in test.lines] == [
        ("the network", "0.20 [0.10 to 0.30]"),
        ("random blobs", "0.50 [0.40 to 0.60]"),
        ("the network less random blobs", "−0.30 [−0.40 to −0.20]"),
        ("the network less mean mask", "−0.20 [−0.30 to −0.10]"),
    ]
    assert "blurring the whole image does not lower the output by 0.5 log-odds: 2" in test.notes
    write_report(run)
    page = (run / "index.html").read_text(encoding="utf-8")
    assert "unlike any that the network has learnt from, and the blur itself moves the output" in page
