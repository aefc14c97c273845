"""Tests of CSV tables."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.annotations.boxes import coordinate_columns, find
from pipeline.annotations.labels import read_labels
from pipeline.annotations.tables import Table, read_table
from pipeline.errors import ConfigError
from pipeline.joints.heatmap_files import find_heatmaps


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


HEADLESS = "ZQNAME^ZQGIVEN,19500304,12,3,4,5\n"


@pytest.mark.parametrize(
    "use",
    [
        lambda table: table.image_column(),
        lambda table: table.column("ZQNAMES^ZQGIVEN"),
        lambda table: coordinate_columns(table, {}),
        lambda table: read_labels(table.file, image="image", columns={}),
        lambda table: list(find(table.file)),
        lambda table: find_heatmaps(table.file.parent),
    ],
)
def test_no_complaint_about_a_table_without_a_head_quotes_it(
    tmp_path: Path, use: Callable[[Table], object]
) -> None:
    file = tmp_path / "heatmaps.csv"
    file.write_text(HEADLESS)
    with pytest.raises(ConfigError) as refused:
        use(read_table(file))
    assert not any(cell in str(refused.value) for cell in ("ZQNAME^", "1950"))


def test_no_complaint_about_a_cell_quotes_it(tmp_path: Path) -> None:
    file = tmp_path / "labels.csv"
    file.write_text("image,nodule\n1,ZQNAME\n")
    with pytest.raises(ConfigError, match="row 2, column 'nodule'") as refused:
        read_labels(file, image="image", columns={"nodule": ["nodule"]})
    assert "ZQNAME" not in str(refused.value)


def test_a_giant_table_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    os.truncate(tmp_path / "a.csv", 200 << 30)
    with pytest.raises(ConfigError, match="larger than 512 MiB"):
        read_table(tmp_path / "a.csv")
