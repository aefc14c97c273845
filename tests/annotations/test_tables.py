"""Tests of CSV tables."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.annotations.box_columns import box_columns
from pipeline.annotations.boxes import find
from pipeline.annotations.labels import read_labels
from pipeline.annotations.tables import Table, read_table
from pipeline.errors import ConfigError
from pipeline.external_maps.catalogue import find_maps


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_and_byte_order_mark(tmp_path: Path, separator: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text(f"image{separator} x\n7{separator} 1 \n", encoding="utf-8-sig")
    table = read_table(file)
    assert table.columns == ("image", "x")
    assert list(table.rows) == [{"image": "7", "x": "1"}]


def test_short_rows_are_filled_and_empty_lines_left_out(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text('image,x\n7\n\n"8,a",2,\n')
    assert list(read_table(file).rows) == [{"image": "7", "x": ""}, {"image": "8,a", "x": "2"}]


def test_a_row_with_more_cells_than_columns_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("image,finding,x\n7,mass, left,1\n")
    with pytest.raises(ConfigError, match=r"row 2 has more cells than the first row .* in quotes"):
        read_table(file)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("image;x\nMüller;1,5\n", "utf-16"), ("sep=;\nimage;x\nMüller;1,5\n", "utf-8-sig")],
)
def test_what_excel_writes_is_read(tmp_path: Path, text: str, encoding: str) -> None:
    file = tmp_path / "a.csv"
    file.write_text(text, encoding=encoding)
    table = read_table(file)
    assert (table.columns, table.separator) == (("image", "x"), ";")
    assert list(table.rows) == [{"image": "Müller", "x": "1,5"}]


@pytest.mark.parametrize("content", ["image\nü\n".encode("latin-1"), "image\n".encode("utf-16-le")])
def test_other_encodings_are_refused_with_the_remedy(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(ConfigError, match="save it as CSV in UTF-8"):
        read_table(tmp_path / "a.csv")


def test_two_columns_of_one_name_are_refused_where_the_name_counts(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("image,x,x\n7,1,2\n")
    with pytest.raises(ConfigError, match="has several columns 'x'; rename all but one"):
        read_table(file).column("x")


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("Path,Sex", "Path"),
        ("File_Name,image", "image"),
        ("SOPInstanceUID,Image", "SOPInstanceUID"),
        ("row", None),
    ],
)
def test_a_column_of_images_is_found_by_what_it_means(
    tmp_path: Path, header: str, column: str | None
) -> None:
    (tmp_path / "a.csv").write_text(f"{header}\n")
    assert read_table(tmp_path / "a.csv").find_image_column() == column


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
    with pytest.raises(ConfigError, match="has no column for the image"):
        read_table(tmp_path / "a.csv").image_column()


HEADLESS = "ZQNAME^ZQGIVEN,19500304,12,3,4,5\n"


@pytest.mark.parametrize(
    "use",
    [
        lambda table: table.image_column(),
        lambda table: table.column("ZQNAMES^ZQGIVEN"),
        lambda table: box_columns(table, {}),
        lambda table: read_labels(table.file, image="image", columns={}),
        lambda table: list(find(table.file)),
        lambda table: find_maps(table.file.parent),
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
