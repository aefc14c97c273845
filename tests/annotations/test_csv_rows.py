"""Tests of the bounds within which CSV files are read, and of what is kept of them."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest

from pipeline.annotations import csv_rows as rows_module
from pipeline.annotations import tables
from pipeline.annotations.csv_rows import LONGEST_CELL, LONGEST_ROW, csv_rows
from pipeline.annotations.tables import MOST_COLUMNS, SNIFFED_ROWS, Table, read_table
from pipeline.errors import ConfigError

MIB = 2**20


def table(folder: Path, text: str | bytes) -> Table:
    file = folder / "a.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_table(file)


def test_only_the_first_rows_are_kept(tmp_path: Path) -> None:
    found = table(tmp_path, "image,x\n" + "7,1\n" * 100)
    assert len(found.first_rows) == SNIFFED_ROWS
    assert sum(1 for _ in found.rows) == 100


def test_columns_are_selected_by_name_the_last_of_one_name(tmp_path: Path) -> None:
    found = table(tmp_path, "image,x,y,x\n7,1,2, 3 \n8,4\n")
    assert list(found.select(["x"])) == [{"x": "3"}, {"x": ""}]
    assert list(found.cells("y")) == ["2"]


def test_a_row_further_down_is_refused_where_it_is_read(tmp_path: Path) -> None:
    found = table(tmp_path, "image,x\n" + "7,1\n" * 50 + "7,1,2\n")
    with pytest.raises(ConfigError, match="row 52 has more cells"):
        list(found.select([]))


def test_a_table_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    found = table(tmp_path, "image,x\n7,1\n")
    found.file.write_text("x,image\n1,7\n")
    with pytest.raises(ConfigError, match="changed while it was read"):
        list(found.rows)


def test_more_columns_than_the_limit_are_counted_in_the_refusal(tmp_path: Path) -> None:
    assert len(table(tmp_path, "," * (MOST_COLUMNS - 1) + "\n").columns) == MOST_COLUMNS
    with pytest.raises(ConfigError, match=f"has 10,001 columns, at most {MOST_COLUMNS:,} are read"):
        table(tmp_path, "," * MOST_COLUMNS + "\n")


def test_rows_times_columns_are_bounded_also_where_rows_are_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MOST_CELLS", 200)
    found = table(tmp_path, "a,b,c,d\n" + "1\n" * 50)
    assert len(list(found.rows)) == 50
    more = table(tmp_path, "a,b,c,d\n" + "1\n" * 51)
    with pytest.raises(ConfigError, match=r"more than 200 cells \(rows × columns\); leave out columns"):
        list(more.rows)


def test_a_flood_of_empty_rows_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_EMPTY_ROWS", 30)
    assert len(list(table(tmp_path, "a\n" + "\n" * 30 + "1\n").rows)) == 1
    with pytest.raises(ConfigError, match="more than 30 empty rows"):
        table(tmp_path, "a\n" + "\n" * 31)


@pytest.mark.parametrize(
    "text",
    [
        "a," * LONGEST_ROW,
        "a,b\n" + "1" * (LONGEST_ROW + 1),
        'a,b\n"' + "\n" * (LONGEST_CELL + 1) + '",1\n',
        "a,b\n" + "1" * (LONGEST_CELL + 1) + ",1\n",
        "a,b\n" + ",".join(['"1\n1"'] * (LONGEST_ROW // 4)),
    ],
    ids=["header", "line", "quoted lines", "cell", "row of many lines"],
)
def test_rows_and_cells_without_end_are_refused_and_not_kept(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(ConfigError, match=r"row \d is longer than 4,194,304 characters, or has a cell"):
        list(csv_rows(tmp_path / "a.csv"))


@pytest.mark.parametrize("text", [b"a,b\n1,\0\n", b"a\0,b\n", b'a,b\n"1\0",2\n'])
def test_null_bytes_are_not_csv(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(ConfigError, match="is not a CSV table in UTF-8"):
        table(tmp_path, text)


def test_a_named_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(ConfigError, match="named pipe"):
        read_table(tmp_path / "a.csv")


def test_a_wide_table_is_read_in_the_memory_of_one_row(tmp_path: Path) -> None:
    """9,999 × 300 cells take 24 MB as pointers alone; a row takes some 0.6 MB, the first rows 17 MB."""
    header = ",".join(f"c{number}" for number in range(9_999))
    (tmp_path / "a.csv").write_text(f"image,{header[3:]}\n" + "1\n" * 300)
    found = read_table(tmp_path / "a.csv")
    tracemalloc.start()
    try:
        assert sum(1 for _ in found.select(["c9998"])) == 300
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()


def test_limits_of_the_csv_module_are_those_that_messages_name() -> None:
    assert rows_module.csv.field_size_limit() == LONGEST_CELL
