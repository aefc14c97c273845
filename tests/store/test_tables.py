"""Tables: the files match reports/README.md, and hold no text that a spreadsheet would execute."""

from __future__ import annotations

import csv
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

import pytest

from pipeline.records import Summary
from pipeline.run_files.columns import ATTRIBUTES
from pipeline.store.tables import COLUMNS, summary_row, write_table

README = Path(__file__).parents[2] / "reports" / "README.md"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return list(csv.DictReader(file, strict=True))


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


def test_a_carriage_return_within_text_starts_no_row_of_its_own(tmp_path: Path) -> None:
    write_table(tmp_path, "skipped.csv", [{"subject": "a\r=HYPERLINK(1)", "stage": "load"}])
    assert [(row["subject"], row["stage"]) for row in rows(tmp_path / "skipped.csv")] == [
        ("a\n'=HYPERLINK(1)", "load")
    ]


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
