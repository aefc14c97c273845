"""Tests of tables of boxes."""

from __future__ import annotations

import math
from pathlib import Path
from typing import cast

import pytest

from pipeline.annotations import find_annotations, read_annotation
from pipeline.annotations.boxes import find
from pipeline.errors import CaseError, ConfigError
from pipeline.records import AnnotationItem, Box

STUDIES = Path(__file__).parents[2] / "../shared/studies"
HEADER = "image,finding,x,y,width,height\n"


def items(tmp_path: Path, text: str, **options: object) -> list[AnnotationItem]:
    (tmp_path / "boxes.csv").write_text(text)
    return list(find(tmp_path, file="boxes.csv", **options))


def boxes(item: AnnotationItem, shape: tuple[int, int] = (4, 6)) -> tuple[Box, ...]:
    found = read_annotation(item, case_id="case", finding="mass", shape=shape)
    assert found.kind == "box"
    return found.boxes


def test_from_the_corner_half_a_pixel_is_taken_off(tmp_path: Path) -> None:
    (item,) = items(tmp_path, HEADER + "7,Mass,1,2,3,2\n")
    assert (item.image, item.finding, item.reader) == ("7", "Mass", "reader")
    assert boxes(item) == (Box(0.5, 1.5, 3, 2),)


def test_from_the_centre_coordinates_stay(tmp_path: Path) -> None:
    (item,) = items(tmp_path, HEADER + "7,Mass,1,2,3,1\n", origin="centre")
    assert boxes(item) == (Box(1, 2, 3, 1),)


def test_two_corners_are_a_box(tmp_path: Path) -> None:
    (item,) = items(tmp_path, "image,finding,x_min,y_min,x_max,y_max\n7,Mass,1,2,4,4\n")
    assert boxes(item) == (Box(0.5, 1.5, 3, 2),)


def test_readers_and_findings_are_kept_apart_and_lesions_together(tmp_path: Path) -> None:
    text = "image,finding,reader,x,y,width,height\n7,Mass,anna,0,0,1,1\n7,Mass,bert,1,1,1,1\n"
    found = items(tmp_path, text + "7,Mass,anna,2,2,1,1\n7,Nodule,anna,3,3,1,1\n")
    assert [(i.finding, i.reader, len(boxes(i))) for i in found] == [
        ("Mass", "anna", 2),
        ("Mass", "bert", 1),
        ("Nodule", "anna", 1),
    ]


def test_columns_of_the_vindr_table(tmp_path: Path) -> None:
    names = {"image": "image_id", "finding": "class_name", "reader": "rad_id"}
    text = "image_id,class_name,rad_id,x_min,y_min,x_max,y_max\n7,No finding,R1,,,,\n7,Mass,R2,0,0,2,2\n"
    first, second = items(tmp_path, text, columns=names)
    assert (first.finding, first.reader, boxes(first)) == ("No finding", "R1", ())
    assert (second.finding, second.reader, boxes(second)) == ("Mass", "R2", (Box(-0.5, -0.5, 2, 2),))


def test_columns_of_the_nih_table(tmp_path: Path) -> None:
    names = {"image": "Image Index", "finding": "Finding Label"}
    names |= {"x": "Bbox [x", "y": "y", "width": "w", "height": "h]"}
    (item,) = items(tmp_path, "Image Index,Finding Label,Bbox [x,y,w,h]\n7.png,Mass,1,2,3,2\n", columns=names)
    assert (item.image, boxes(item)) == ("7", (Box(0.5, 1.5, 3, 2),))


def test_a_row_without_coordinates_says_not_there_as_in_the_rsna_table(tmp_path: Path) -> None:
    text = "patientId,x,y,width,height,Target\n7,,,,,0\n8,0,0,1,1,1\n"
    first, second = items(tmp_path, text, columns={"image": "patientId"}, finding="Lung Opacity")
    assert (first.image, first.finding, boxes(first)) == ("7", "Lung Opacity", ())
    assert (second.image, len(boxes(second))) == ("8", 1)


@pytest.mark.parametrize(
    ("coordinates", "reason"),
    [
        ("1,1,0,1", "bad_box"),
        ("1,1,1,-1", "bad_box"),
        ("nan,1,1,1", "bad_box"),
        ("inf,1,1,1", "bad_box"),
        ("left,1,1,1", "bad_box"),
        ("1,1,,1", "bad_box"),
        ("-1.1,0,2,1", "box_outside_image"),
        ("0,-1.1,1,2", "box_outside_image"),
        ("4,0,3.1,1", "box_outside_image"),
        ("0,3,1,2.1", "box_outside_image"),
    ],
)
def test_a_box_that_makes_no_sense_is_refused(tmp_path: Path, coordinates: str, reason: str) -> None:
    (item,) = items(tmp_path, HEADER + f"7,Mass,{coordinates}\n7,Mass,0,0,1,1\n")
    with pytest.raises(CaseError) as refused:
        boxes(item)
    assert refused.value.reason == reason


@pytest.mark.parametrize("coordinates", ["-1,-1,2,2", "4,2,3,3", "0,0,6,4"])
def test_a_box_may_reach_one_pixel_over_the_edge(tmp_path: Path, coordinates: str) -> None:
    (item,) = items(tmp_path, HEADER + f"7,Mass,{coordinates}\n")
    assert len(boxes(item)) == 1


@pytest.mark.parametrize(
    ("text", "options", "complaint"),
    [
        (
            "picture,finding,x,y,width,height\n",
            {},
            r"does not say which column names the image; .*columns: \{image: picture\}",
        ),
        ("image,x,y,width,height\n", {}, "has no column 'finding'"),
        ("finding,x,y,width,height\n", {}, "has no column for the image; name the columns in the first row"),
        ("image,finding,x,y,w,h\n", {}, "has neither columns x, y, width, height nor x_min"),
        (HEADER, {"columns": {"finding": "findin"}}, "has no column 'findin'; column 2 has a similar name"),
        (HEADER, {"columns": {"heigth": "height"}}, r"columns\.heigth: unknown key; did you mean 'height'"),
        (HEADER, {"columns": {"finding": "finding"}, "finding": "Mass"}, "remove one of the two"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(
    tmp_path: Path, text: str, options: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        items(tmp_path, text, **options)


@pytest.mark.skipif(not STUDIES.is_dir(), reason="the shared study sets are not here")
def test_chest_boxes_lie_on_their_images() -> None:
    found = list(find(STUDIES / "chest_xray", file="boxes.csv"))
    assert sum(len(boxes(item, (1024, 1024))) for item in found) == 31


@pytest.mark.parametrize(("name", "column"), [("boxes", "SliceLocation"), ("points", "slice_location")])
def test_a_slice_location_tells_slices_of_one_name_apart(tmp_path: Path, name: str, column: str) -> None:
    size = ",width,height" if name == "boxes" else ""
    rows = ("p1,mass,-5.25,1,1", "p1,mass,-5.25,2,2", "p1,mass,0,1,1", "p1,mass,,1,1", "p1,mass,a,1,1")
    end = ",1,1" if size else ""
    text = f"image,finding,{column},x,y{size}\n" + "".join(f"{row}{end}\n" for row in rows)
    (tmp_path / "a.csv").write_text(text)
    found = find_annotations(tmp_path, [{"format": name, "file": "a.csv"}])
    shapes = [len(cast("tuple[object, ...]", item.payload[name])) for item in found]
    assert shapes == [2, 1, 1, 1]
    assert [item.slice_mm for item in found[:3]] == [-5.25, 0, None]
    assert math.isnan(found[3].slice_mm or 0)
