"""Tables: the files match reports/README.md, and hold no text that a spreadsheet would execute."""

from __future__ import annotations

import csv
import json
import os
import re
import stat
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigError
from pipeline.records import Score, Skipped, Summary
from pipeline.run_files.columns import ATTRIBUTES
from pipeline.store.cases import write_case, write_skipped
from pipeline.store.tables import COLUMNS, summary_row, write_case_tables, write_table
from tests.store.finished import finished_case

README = Path(__file__).parents[2] / "reports" / "README.md"
CASE_TABLES = ["cases.csv", "predictions.csv", "regions.json", "scores.csv"]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.DictReader(file, strict=True))


def tabulated(run: Path, *case_ids: str) -> list[dict[str, Any] | Skipped]:
    return list(write_case_tables(run, case_ids))


def described(name: str) -> list[str]:
    """The columns that the README's table names for a file, without remarks in or after brackets."""
    (row,) = (line for line in README.read_text().splitlines() if line.startswith(f"| `{name}` |"))
    content = re.split("[;:]", re.sub(r"\([^)]*\)", "", row.split("|")[3]))[0]
    return [words.strip() for words in content.split(",")]


@pytest.mark.parametrize("name", sorted(COLUMNS.keys() - {"cases.csv"}))
def test_the_columns_are_those_that_the_readme_names(name: str) -> None:
    assert described(name) == list(COLUMNS[name])


def test_the_columns_of_cases_are_those_that_the_readme_names_and_the_allowed_attributes() -> None:
    assert described("cases.csv")[:-1] == list(COLUMNS["cases.csv"])[: -len(ATTRIBUTES)]
    assert described("cases.csv")[-1] == "and the allow-listed attributes"


def test_the_entries_of_regions_are_those_that_the_readme_names(tmp_path: Path) -> None:
    write_case(tmp_path, finished_case())
    tabulated(tmp_path, "case-1")
    ((region),) = json.loads((tmp_path / "regions.json").read_text())
    assert list(region) == described("regions.json")


def test_one_finished_case_in_every_table_word_for_word(tmp_path: Path) -> None:
    write_case(tmp_path, finished_case())
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
    write_case(tmp_path, finished_case(spacing_mm=None, attributes={}, labels={"nodule": None}))
    tabulated(tmp_path, "case-1")
    (case,) = rows(tmp_path / "cases.csv")
    assert [key for key, value in case.items() if value] == [
        "case_id", "patient_id", "frame", "rows", "columns",
    ]  # fmt: skip
    assert rows(tmp_path / "predictions.csv")[0]["label"] == ""


@pytest.mark.parametrize(("probability", "predicted"), [(0.499, "0"), (0.5, "1")])
def test_positive_is_from_the_threshold_up(tmp_path: Path, probability: float, predicted: str) -> None:
    (prediction,) = finished_case().predictions
    write_case(tmp_path, finished_case(predictions=(replace(prediction, probability=probability),)))
    tabulated(tmp_path, "case-1")
    assert rows(tmp_path / "predictions.csv")[0]["predicted"] == predicted


@pytest.mark.parametrize("count", [0, 1, 3])
def test_regions_are_json_whatever_their_number(tmp_path: Path, count: int) -> None:
    write_case(tmp_path, finished_case(regions=finished_case().regions * count))
    tabulated(tmp_path, "case-1")
    assert len(json.loads((tmp_path / "regions.json").read_text())) == count


def test_cases_keep_the_given_order_and_skipped_ones_are_passed_on(tmp_path: Path) -> None:
    skipped = Skipped("case-2", "load", "unreadable", "a sentence")
    for case_id in ("case-1", "case-3"):
        write_case(tmp_path, finished_case(case_id=case_id))
    write_skipped(tmp_path, skipped)
    found = tabulated(tmp_path, "case-3", "case-2", "case-1")
    assert found[1] == skipped
    assert [row["case_id"] for row in rows(tmp_path / "cases.csv")] == ["case-3", "case-1"]
    assert len(json.loads((tmp_path / "regions.json").read_text())) == 2


def test_nothing_appears_where_the_last_case_is_not_taken(tmp_path: Path) -> None:
    write_case(tmp_path, finished_case())
    cases = write_case_tables(tmp_path, ["case-1", "case-1"])
    next(cases)
    cases.close()
    assert [path.name for path in tmp_path.iterdir()] == ["cases"]


def test_nothing_appears_where_a_case_cannot_be_read(tmp_path: Path) -> None:
    write_case(tmp_path, finished_case())
    with pytest.raises(ConfigError, match=r"case-9/case\.json: cannot be read"):
        tabulated(tmp_path, "case-1", "case-9")
    assert [path.name for path in tmp_path.iterdir()] == ["cases"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_text_that_a_spreadsheet_would_run_is_escaped(tmp_path: Path, start: str) -> None:
    text = f"{start}HYPERLINK(1)"
    read_back = f"'{text}".replace("\r", "\n")
    score = Score("case-1", "nodule", text, "gradcam", "iou", 0.0)
    write_case(tmp_path, finished_case(scores=(score,), attributes={"manufacturer": text}))
    tabulated(tmp_path, "case-1")
    assert rows(tmp_path / "scores.csv")[0]["reader"] == read_back
    assert rows(tmp_path / "cases.csv")[0]["manufacturer"] == read_back


def test_a_carriage_return_within_text_starts_no_row_of_its_own(tmp_path: Path) -> None:
    write_table(tmp_path, "skipped.csv", [{"subject": "a\r=HYPERLINK(1)", "stage": "load"}])
    assert [(row["subject"], row["stage"]) for row in rows(tmp_path / "skipped.csv")] == [
        ("a\n'=HYPERLINK(1)", "load")
    ]


def test_negative_numbers_stay_numbers(tmp_path: Path) -> None:
    score = Score("case-1", "nodule", "anna", "gradcam", "iou", -0.5)
    write_case(tmp_path, finished_case(scores=(score,)))
    tabulated(tmp_path, "case-1")
    assert rows(tmp_path / "scores.csv")[0]["value"] == "-0.5"


def test_text_with_separators_quotes_and_lines_comes_back(tmp_path: Path) -> None:
    text = 'a "b", c\nd; 肺'
    write_table(tmp_path, "skipped.csv", [{"subject": "s", "stage": "load", "reason": "r", "message": text}])
    assert rows(tmp_path / "skipped.csv")[0]["message"] == text


def test_a_file_name_that_is_no_unicode_keeps_its_bytes(tmp_path: Path) -> None:
    write_table(tmp_path, "crosswalk.csv", [{"pseudonym": "file-1", "file": os.fsdecode(b"f\xfcr.dcm")}])
    assert b"f\xfcr.dcm" in (tmp_path / "crosswalk.csv").read_bytes()
    assert rows(tmp_path / "crosswalk.csv")[0]["file"] == os.fsdecode(b"f\xfcr.dcm")


def test_the_crosswalk_alone_is_for_its_owners_eyes(tmp_path: Path) -> None:
    write_table(tmp_path, "crosswalk.csv", [])
    write_table(tmp_path, "skipped.csv", [])
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"crosswalk.csv": 0o600, "skipped.csv": 0o644}


def test_a_broken_off_table_leaves_the_one_before(tmp_path: Path) -> None:
    def failing() -> Iterable[dict[str, object]]:
        yield {"subject": "new"}
        raise ZeroDivisionError

    write_table(tmp_path, "skipped.csv", [{"subject": "old"}])
    with pytest.raises(ZeroDivisionError):
        write_table(tmp_path, "skipped.csv", failing())
    assert [row["subject"] for row in rows(tmp_path / "skipped.csv")] == ["old"]


def test_a_summary_row_counts_the_undefined_by_reason(tmp_path: Path) -> None:
    summary = Summary("nodule", "anna", "gradcam", "iou", 3, {"healthy": 2, "a": 1}, 2, 0.5, 0.25, None)
    write_table(tmp_path, "summary.csv", [summary_row(summary, better="higher", unit="")])
    (row,) = rows(tmp_path / "summary.csv")
    assert row == {
        "finding": "nodule", "reader": "anna", "method": "gradcam", "metric": "iou", "n": "3",
        "undefined": "3", "reasons": "a=1; healthy=2", "patients": "2", "estimate": "0.5", "low": "0.25",
        "high": "", "better": "higher", "unit": "",
    }  # fmt: skip


def test_the_cells_of_another_column_are_not_written(tmp_path: Path) -> None:
    """Text of a DICOM header that is not allow-listed is not written, even if it is passed in."""
    write_case(tmp_path, finished_case(attributes={"modality": "DX", "patient_name": "Doe"}))
    tabulated(tmp_path, "case-1")
    assert "Doe" not in "".join((tmp_path / name).read_text() for name in CASE_TABLES)


def test_the_crosswalk_is_on_the_disk_before_what_it_was_made_of_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[int] = []
    monkeypatch.setattr("os.fsync", waited.append)
    write_table(tmp_path, "skipped.csv", [])
    assert waited == []
    write_table(tmp_path, "crosswalk.csv", [])
    assert len(waited) == 1


def test_text_that_a_spreadsheet_would_split_at_semicolons_is_escaped_behind_them(tmp_path: Path) -> None:
    write_table(tmp_path, "skipped.csv", [{"subject": "s", "message": "x;=cmd|' /C calc'!A0"}])
    lines = (tmp_path / "skipped.csv").read_text().splitlines()
    assert [cell for line in lines for cell in line.split(";") if cell.startswith("=")] == []
