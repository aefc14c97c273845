"""Look-alikes: patients become one unit where their images look the same."""

from __future__ import annotations

from pathlib import Path

from pipeline.statistics.dataframes import read_predictions, read_scores
from pipeline.statistics.look_alikes import merged, suspicion_of_look_alikes
from pipeline.store.tables import write_table
from tests.statistics.runs import write_run


def test_groups_that_share_a_patient_become_one_unit_named_after_the_first() -> None:
    units = {"c0": "0", "c1": "1", "c2": "1", "c3": "2", "c4": "3", "c5": "4"}
    assert merged(units, [("c0", "c1"), ("c2", "c3")]) == {"0": "0", "1": "0", "2": "0", "3": "3", "4": "4"}
    assert merged(units, [("c4", "c5"), ("c3", "c5")]) == {"0": "0", "1": "1", "2": "2", "3": "2", "4": "2"}
    assert merged(units, []) == {unit: unit for unit in "01234"}
    assert merged(units, [("c0", "unknown")])["0"] == "0"


def test_tables_are_read_with_the_units_that_were_merged(tmp_path: Path) -> None:
    rows = [(case, "gradcam", "hit", 1.0) for case in ("c0", "c1", "c2")]
    run = write_run(tmp_path / "run", rows, probabilities={case: (0.5, 1) for case, *_ in rows})
    alone = read_scores(run)["patient"].tolist()
    assert len(set(alone)) == 3
    pair = [{"group": 1, "case_id": case, "patient_id": f"of {case}"} for case in ("c1", "c2")]
    write_table(run, "look_alikes.csv", pair)
    for units in ("patients", "images"):
        for found in (read_scores(run, units=units), read_predictions(run, units=units)):
            assert found.set_index("case_id")["patient"].to_dict() == {
                "c0": alone[0], "c1": alone[1], "c2": alone[1],
            }  # fmt: skip


def test_without_groups_there_is_no_suspicion() -> None:
    assert list(suspicion_of_look_alikes([], 10)) == []
