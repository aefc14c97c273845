"""Crossings: every output against every finding, and annotations that were turned, as tables."""

from __future__ import annotations

from pathlib import Path

from pipeline.reporting.crossings import squares, turned
from pipeline.reporting.run_folder import RunFolder, read_run
from pipeline.store.tables import write_table
from tests.reporting.run_folder import FINDINGS, make_run
from tests.reporting.written import write_report


def crossed(finding: str, output: str, measure: str, estimate: float) -> dict[str, object]:
    return {"finding": finding, "output": output, "measure": measure, "n": 9, "patients": 8,
            "estimate": estimate}  # fmt: skip


def moved(finding: str, transform: str, rank: float, p: float | None) -> dict[str, object]:
    return {"finding": finding, "transform": transform, "n": 1234, "patients": 9, "rank": rank, "hits": 0.25,
            "difference": 0.0, "p": p, "corrected_p": p}  # fmt: skip


def test_tables_show_each_output_in_a_column_and_the_best_transforms(tmp_path: Path) -> None:
    run = make_run(tmp_path, cases=1)
    first, second = FINDINGS
    write_table(
        run,
        "cross.csv",
        [
            crossed(first, first, "auroc", 0.5),
            crossed(first, second, "auroc", 0.875),
            crossed(second, second, "auroc", 0.75),
            crossed(first, first, "hit", 0.5),
        ],
    )
    ranks = {"as_it_is": 0.6, "mirrored": 0.9, "up_3": 0.5, "down_3": 0.4, "half_turn": 0.7}
    write_table(
        run,
        "alignment.csv",
        [moved("(all)", name, rank, None if name == "as_it_is" else 0.004) for name, rank in ranks.items()],
    )
    (area,) = squares(read_run(run))  # one map alone is compared with none
    assert area.title == "AUROC of each output for each label"
    assert area.outputs == FINDINGS
    assert area.rows == ((first, ("0.50", "0.88")), (second, ("", "0.75")))
    found = turned(read_run(run))
    assert [line.transform for line in found] == ["as it is", "mirrored", "half turn", "up 3"]
    assert found[0] == ("All findings", "as it is", "1,234", "0.60", "25 %", "")
    assert found[1].p == "0.004"
    write_report(run)
    page = (run / "index.html").read_text(encoding="utf-8")
    assert "AUROC of each output for each label" in page
    assert "Annotations flipped, turned and shifted" in page


def test_runs_of_older_versions_have_neither(reported: Path) -> None:
    run: RunFolder = read_run(reported)
    assert (squares(run), turned(run)) == ([], [])
    assert "cross.csv" not in (reported / "index.html").read_text(encoding="utf-8")
