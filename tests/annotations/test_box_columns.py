"""Tests of the meaning of the columns of a table of boxes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.annotations.box_columns import box_columns, has_coordinates, number
from pipeline.annotations.tables import Table, read_table
from pipeline.errors import ConfigError


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def table(header: str, *rows: str) -> Table:
    Path("boxes.csv").write_text("\n".join((header, *rows)))
    return read_table(Path("boxes.csv"))


SIZED = "x,y,width,height"


def test_columns_in_other_letters_are_found() -> None:
    found = box_columns(table("Image,Finding,Reader,XMin,YMin,XMax,YMax"), {})
    assert found.by_key == {
        "image": "Image", "finding": "Finding", "reader": "Reader",
        "x_min": "XMin", "y_min": "YMin", "x_max": "XMax", "y_max": "YMax",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("header", "rows", "changes", "complaint"),
    [
        (f"image,finding,rad_id,{SIZED}", ["a,m,1,0,0,1,1", "a,m,2,0,0,1,1"], {}, "who drew which box"),
        (f"image,finding,slice,{SIZED}", ["a,m,5,0,0,1,1"], {}, "of which frame its boxes are"),
        (f"image,score,{SIZED}", [], {"only_finding": "m"}, "of what its boxes are"),
        (f"patientId,{SIZED},Target", [], {"only_finding": "m"}, "which column names the image, of what"),
        (f"image,class_name,{SIZED}", [], {}, r"finding: class_name"),
    ],
)
def test_what_only_the_config_can_say_is_asked(
    header: str, rows: list[str], changes: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        box_columns(table(header, *rows), {}, **changes)


@pytest.mark.parametrize(
    ("header", "rows", "columns"),
    [
        (f"image,finding,rad_id,{SIZED}", ["a,m,1,0,0,1,1", "a,m,1,0,0,1,1"], {}),
        (f"image,finding,rad_id,{SIZED}", ["a,m,1,0,0,1,1", "a,m,2,0,0,1,1"], {"reader": None}),
        (f"image,finding,slice,{SIZED}", ["a,m,,0,0,1,1"], {}),
        (f"image,finding,slice,{SIZED}", ["a,m,5,0,0,1,1"], {"frame": None}),
        (f"image,finding,slice,{SIZED}", ["a,m,5,0,0,1,1"], {"frame": "slice"}),
        (f"image,finding,source,{SIZED}", ["a,m,rsna,0,0,1,1"], {}),
    ],
)
def test_what_the_config_or_the_cells_answer_is_not_asked(
    header: str, rows: list[str], columns: dict[str, str | None]
) -> None:
    found = box_columns(table(header, *rows), columns)
    assert (found.reader, found.frame) == (None, columns.get("frame"))


def test_the_only_finding_needs_no_column_if_no_column_can_contradict_it() -> None:
    found = box_columns(table(f"image,patient_id,{SIZED}"), {}, only_finding="mass")
    assert found.finding is None


def test_an_image_cannot_be_left_out() -> None:
    with pytest.raises(ConfigError, match=r"columns\.image: found null"):
        box_columns(table(f"image,finding,{SIZED}"), {"image": None})


def test_two_sets_of_coordinates_may_agree() -> None:
    header = f"image,finding,{SIZED},x_min,y_min,x_max,y_max"
    found = box_columns(table(header, "a,m,1,1,2,2,1,1,3,3"), {})
    assert list(found.coordinates) == ["x", "y", "width", "height"]


def test_a_table_of_boxes_has_coordinates() -> None:
    assert has_coordinates(table("X,Y,Width,Height"))
    assert not has_coordinates(table("x,y,w,h"))


def test_a_decimal_comma_counts_between_semicolons_only() -> None:
    assert number("1,5", separator=";") == 1.5
    assert number("1.5") == 1.5
    assert number("1,5") != number("1,5")
