"""Tests of CSV tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.annotations.tables import read_table
from pipeline.errors import ConfigError


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_and_byte_order_mark(tmp_path: Path, separator: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"image{separator} x\n7{separator} 1 \n", encoding="utf-8-sig")
    table = read_table(file)
    assert table.columns == ("image", "x")
    assert list(table.rows) == [{"image": "7", "x": "1"}]


def test_short_rows_are_filled_and_empty_lines_left_out(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text('image,x\n7\n\n"8,a",2,3\n')
    assert list(read_table(file).rows) == [{"image": "7", "x": ""}, {"image": "8,a", "x": "2"}]


def test_the_first_column_that_names_images_counts(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("stem,file,sop_instance_uid\n")
    assert read_table(file).image_column() == "sop_instance_uid"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(b"image\n\xff\n", "not a CSV table in UTF-8"), (b'a,b\n"1,2\n', "not a CSV table")],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ConfigError, match=complaint):
        read_table(tmp_path / "a.csv")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_table(tmp_path / "a.csv")


def test_an_empty_file_has_no_image_column(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    with pytest.raises(ConfigError, match="no column names the image"):
        read_table(tmp_path / "a.csv").image_column()
