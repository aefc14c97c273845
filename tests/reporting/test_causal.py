"""Causal: the overview compares the map on lesions that the decision needs with the map on the others."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from pipeline.reporting.causal import REASONS, decisions, on_used
from pipeline.reporting.run_folder import read_run
from pipeline.statistics.causal import JUDGED, Use
from pipeline.store.tables import write_table
from tests.reporting.run_folder import FINDINGS, make_run
from tests.reporting.test_probes import REGION
from tests.reporting.written import write_report

FIRST, SECOND = FINDINGS


def rows(finding: str, reader: str, *, used: int, method: str = "gradcam") -> list[dict[str, Any]]:
    """Twelve images, of which two cannot be judged; used ones are hit, others are not."""
    keys = {"finding": finding, "method": method, "reader": reader, "metric": "hit", "better": "higher"}
    groups = {
        "all": (12, used / 12, ""),
        "used": (used, 1.0 if used else None, ""),
        "not_used": (10 - used, 0.0, ""),
        "not_judged": (2, 0.0, "not_probed=1; predicted_negative=1"),
    }
    return [
        keys
        | {"references": name, "n": n, "patients": n, "estimate": estimate, "reasons": reasons}
        | ({"low": 0.4, "high": 1.0} if name == "used" and used else {"no_interval": "few_patients"})
        for name, (n, estimate, reasons) in groups.items()
    ]


def written(folder: Path, table: list[dict[str, Any]]) -> Path:
    run = make_run(folder, cases=1)
    write_table(run, "probes.csv", [asdict(REGION)])
    write_table(run, "causal.csv", table)
    return run


def test_every_reason_has_its_words() -> None:
    assert set(REASONS) == set(get_args(Use)) - set(JUDGED)


def test_decisions_that_stay_without_the_lesions_are_counted(tmp_path: Path) -> None:
    table = [*rows(FIRST, "A", used=3), *rows(FIRST, "A", used=9, method="layercam")]
    run = read_run(written(tmp_path, table))
    found = decisions(run, FIRST)
    assert found is not None
    assert (found.stay, found.judged, found.mostly_stay) == (7, 10, True)
    assert found.text == "Without the lesion, 3 of 10 positive decisions turn negative"
    assert decisions(run, SECOND) is None


def test_half_of_the_decisions_are_not_most_of_them(tmp_path: Path) -> None:
    found = decisions(read_run(written(tmp_path, rows(FIRST, "A", used=5))), FIRST)
    assert found is not None
    assert not found.mostly_stay


def test_scores_on_lesions_that_the_decision_needs_stand_beside_the_others(tmp_path: Path) -> None:
    run = written(
        tmp_path, [*rows(FIRST, "Reader A", used=6), *rows(FIRST, "Reader A", used=3, method="layercam")]
    )
    (found,) = on_used(read_run(run))
    assert found == (
        FIRST,
        "Hit rate",
        ("50 % (n = 12)", "100 % [40 to 100] (n = 6)", "0 % (n = 4)"),
        "1 not changed, 1 predicted negative",
    )
    write_report(run)
    page = (run / "index.html").read_text(encoding="utf-8")
    assert "100 % [40 to 100] (n = 6)" in page
    assert "only positive decisions can be judged" in page


def test_the_reader_with_most_images_speaks_and_what_is_not_judged_at_all_is_left_out(tmp_path: Path) -> None:
    few = [row | {"n": row["n"] // 2} for row in rows(FIRST, "Reader A", used=6)]
    unjudged = [
        row | {"n": 0 if row["references"] in JUDGED else 12} for row in rows(SECOND, "Reader A", used=0)
    ]
    run = written(tmp_path, [*few, *rows(FIRST, "Reader B", used=0), *unjudged])
    (found,) = on_used(read_run(run))
    assert (found.finding, found.groups) == (FIRST, ("0 % (n = 12)", "–", "0 % (n = 10)"))


def test_an_older_run_without_the_table_has_no_such_section(reported: Path) -> None:
    assert on_used(read_run(reported)) == ()
    assert "lesions that turn the decision" not in (reported / "index.html").read_text(encoding="utf-8")
