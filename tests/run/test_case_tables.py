"""Case tables: a few finished cases in every table, word for word, as CSV and as Parquet."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.errors import ConfigError
from pipeline.executors.here import Here
from pipeline.metrics.lesions import Rule
from pipeline.records import FinishedCase, Score, Skipped
from pipeline.run.case_tables import write_case_tables
from pipeline.run.finished import Columns
from pipeline.run.gathered import Gathered
from pipeline.statistics.dataframes import headline_scores, read_predictions, read_scores
from pipeline.statistics.matched import Matched
from pipeline.store.cases import write_case, write_skipped
from pipeline.store.parquet import write_parquet
from pipeline.store.tables import read_table
from tests.store.finished import finished_case
from tests.store.test_tables import described, rows

CASE_TABLES = ["cases.csv", "predictions.csv", "regions.json", "scores.csv"]


def finished(**changes: Any) -> FinishedCase:
    """Without the curve, which is too short for a run."""
    return finished_case(**{"curves": (), **changes})


def tabulated(run: Path, *case_ids: str) -> Gathered:
    gathered = Gathered([], "patients", Columns(Matched.by(Rule())))
    write_case_tables(run, case_ids, gathered, rule=Rule(), executor=Here())
    return gathered


def test_the_entries_of_regions_are_those_that_the_readme_names(tmp_path: Path) -> None:
    write_case(tmp_path, finished())
    tabulated(tmp_path, "case-1")
    ((region),) = json.loads((tmp_path / "regions.json").read_text())
    assert list(region) == described("regions.json")


def test_one_finished_case_in_every_table_word_for_word(tmp_path: Path) -> None:
    write_case(tmp_path, finished())
    tabulated(tmp_path, "case-1")
    start = {"case_id": "case-1", "patient_id": "patient-1"}
    (case,) = rows(tmp_path / "cases.csv")
    assert {key: value for key, value in case.items() if value} == {
        **start, "frame": "0", "rows": "3", "columns": "4", "spacing_row_mm": "0.5",
        "spacing_column_mm": "0.25", "modality": "DX", "view": "PA", "age": "061",
    }  # fmt: skip
    assert rows(tmp_path / "predictions.csv") == [
        {
            **start, "finding": "nodule", "logit": "0.25", "probability": "0.5625", "threshold": "0.5",
            "predicted": "1", "label": "1",
        }
    ]  # fmt: skip
    of = {**start, "finding": "nodule", "reader": "anna", "method": "gradcam"}
    assert rows(tmp_path / "scores.csv") == [
        {**of, "metric": "iou", "value": "1.0", "undefined_because": "", "lesion": ""},
        {**of, "metric": "lesion_iou", "value": "", "undefined_because": "why", "lesion": "2"},
    ]


def test_what_is_not_known_is_an_empty_cell(tmp_path: Path) -> None:
    write_case(tmp_path, finished(spacing_mm=None, attributes={}, labels={"nodule": None}))
    tabulated(tmp_path, "case-1")
    (case,) = rows(tmp_path / "cases.csv")
    assert [key for key, value in case.items() if value] == [
        "case_id", "patient_id", "frame", "rows", "columns",
    ]  # fmt: skip
    assert rows(tmp_path / "predictions.csv")[0]["label"] == ""


@pytest.mark.parametrize(("probability", "predicted"), [(0.499, "0"), (0.5, "1")])
def test_positive_is_from_the_threshold_up(tmp_path: Path, probability: float, predicted: str) -> None:
    (prediction,) = finished_case().predictions
    write_case(tmp_path, finished(predictions=(replace(prediction, probability=probability),)))
    tabulated(tmp_path, "case-1")
    assert rows(tmp_path / "predictions.csv")[0]["predicted"] == predicted


@pytest.mark.parametrize("count", [0, 1, 3])
def test_regions_are_json_whatever_their_number(tmp_path: Path, count: int) -> None:
    write_case(tmp_path, finished(regions=finished_case().regions * count))
    tabulated(tmp_path, "case-1")
    assert len(json.loads((tmp_path / "regions.json").read_text())) == count


def test_cases_keep_the_given_order_and_skipped_ones_are_passed_on(tmp_path: Path) -> None:
    skipped = Skipped("case-2", "load", "unreadable", "a sentence")
    for case_id in ("case-1", "case-3"):
        write_case(tmp_path, finished(case_id=case_id))
    write_skipped(tmp_path, skipped)
    found = tabulated(tmp_path, "case-3", "case-2", "case-1")
    assert (found.skipped[1], found.audited) == (skipped, ["case-3", "case-1"])
    assert [row["case_id"] for row in rows(tmp_path / "cases.csv")] == ["case-3", "case-1"]
    assert len(json.loads((tmp_path / "regions.json").read_text())) == 2


def test_nothing_appears_where_a_case_cannot_be_read(tmp_path: Path) -> None:
    write_case(tmp_path, finished())
    with pytest.raises(ConfigError, match=r"case-9/case\.json: cannot be read"):
        tabulated(tmp_path, "case-1", "case-9")
    assert [path.name for path in tmp_path.iterdir()] == ["cases"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_a_spreadsheet_would_run_is_escaped(tmp_path: Path, start: str) -> None:
    text = f"{start}HYPERLINK(1)"
    read_back = f"'{text}".replace("\r", "\n")
    score = Score("case-1", "nodule", text, "gradcam", "iou", 0.0)
    write_case(tmp_path, finished(scores=(score,), attributes={"manufacturer": text}))
    tabulated(tmp_path, "case-1")
    assert rows(tmp_path / "scores.csv")[0]["reader"] == read_back
    assert rows(tmp_path / "cases.csv")[0]["manufacturer"] == read_back


def test_negative_numbers_stay_numbers(tmp_path: Path) -> None:
    score = Score("case-1", "nodule", "anna", "gradcam", "iou", -0.5)
    write_case(tmp_path, finished(scores=(score,)))
    tabulated(tmp_path, "case-1")
    assert rows(tmp_path / "scores.csv")[0]["value"] == "-0.5"


def test_the_cells_of_another_column_are_not_written(tmp_path: Path) -> None:
    """Text of a DICOM header that is not allow-listed is not written, even if it is passed in."""
    write_case(tmp_path, finished(attributes={"modality": "DX", "patient_name": "Doe"}))
    tabulated(tmp_path, "case-1")
    assert "Doe" not in "".join((tmp_path / name).read_text() for name in CASE_TABLES)


LARGE = ("scores", "predictions")


def test_tables_of_more_rows_than_a_csv_should_have_are_parquet_of_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 4):
        write_case(tmp_path, finished(case_id=f"case-{number}", labels={"nodule": [1, 0, None][number - 1]}))
    ids = [f"case-{number}" for number in range(1, 4)]
    tabulated(tmp_path, *ids)
    as_csv = {name: read_table(tmp_path, f"{name}.csv") for name in LARGE}
    frames = read_scores(tmp_path), read_predictions(tmp_path)
    monkeypatch.setattr("pipeline.run.large_tables.MOST_ROWS", 2)
    monkeypatch.setattr("pipeline.run.finished.AT_ONCE", 1)
    tabulated(tmp_path, *ids)
    assert {path.suffix for path in tmp_path.glob("*") if path.stem in LARGE} == {".parquet"}
    assert {name: read_table(tmp_path, f"{name}.csv") for name in LARGE} == as_csv
    for one, other in zip((read_scores(tmp_path), read_predictions(tmp_path)), frames, strict=True):
        names = one.columns.drop("threshold", errors="ignore")  # a text in a CSV
        pd.testing.assert_frame_equal(one[names], other[names], check_dtype=False, check_categorical=False)
    pd.testing.assert_frame_equal(*map(headline_scores, (read_scores(tmp_path), frames[0])))
    monkeypatch.undo()
    tabulated(tmp_path, *ids)
    assert {path.suffix for path in tmp_path.glob("*") if path.stem in LARGE} == {".csv"}


def test_a_cut_table_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_case(tmp_path, finished())
    monkeypatch.setattr("pipeline.run.large_tables.MOST_ROWS", 0)
    tabulated(tmp_path, "case-1")
    path = tmp_path / "scores.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    for read in (read_scores, lambda run: read_table(run, "scores.csv")):
        with pytest.raises(ConfigError, match=r"scores\.parquet: is not a Parquet table, or was cut; rerun"):
            read(tmp_path)


@pytest.mark.parametrize("name", LARGE)
def test_a_row_that_repeats_another_is_refused_as_in_a_csv(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    ids = [f"case-{number}" for number in range(1, 5)]
    for case_id in ids:
        write_case(tmp_path, finished(case_id=case_id))
    tabulated(tmp_path, *ids)
    sound = rows(tmp_path / f"{name}.csv")
    monkeypatch.setattr("pipeline.run.large_tables.MOST_ROWS", 0)
    tabulated(tmp_path, *ids)
    path = tmp_path / f"{name}.parquet"
    table = pq.read_table(path)
    place = len(sound) // 2
    twice = [table.slice(0, place), table.slice(1, 1), table.slice(place)]  # the second row again
    pq.write_table(pa.concat_tables(twice).unify_dictionaries(), path, row_group_size=2)
    read = {"scores": read_scores, "predictions": read_predictions}[name]
    wanted = rf"{name}\.parquet: row {place + 1}: repeats the case_id, .* of another row; rerun"
    for reads in (read, lambda run: read_table(run, f"{name}.csv")):
        with pytest.raises(ConfigError, match=wanted):
            reads(tmp_path)


def test_an_empty_text_and_none_are_the_same_and_zero_is_a_lesion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.run_files.parquet.MOST_KEYS", 1)
    (tmp_path / "cases.csv").write_text("case_id,patient_id\nc,p\n")
    row = {
        "case_id": "c", "patient_id": "p", "finding": "nodule", "reader": "anna", "method": "gradcam",
        "metric": "iou", "value": 0.5, "undefined_because": "",
    }  # fmt: skip
    sound = [row | {"lesion": lesion} for lesion in (None, 0, 1)]
    write_parquet(tmp_path, "scores.csv", sound)
    assert read_scores(tmp_path)["lesion"].tolist() == ["", "0", "1"]
    write_parquet(tmp_path, "scores.csv", [*sound, row | {"lesion": None, "value": 0.25}])
    with pytest.raises(ConfigError, match="row 4: repeats the case_id"):
        read_scores(tmp_path)
