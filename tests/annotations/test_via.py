"""Tests of files of VIA, with pixels worked out by hand."""

from __future__ import annotations

import csv
import json
import math
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.annotations import find_annotations
from pipeline.annotations.guess import guess_sources
from pipeline.errors import ConfigError
from pipeline.records import AnnotationItem, Box, Point
from tests.annotations.tools import SQUARE, pixels, read, refusal

RECT = {"name": "rect", "x": 1, "y": 1, "width": 3, "height": 2}
POLYGON = {"name": "polygon", "all_points_x": [x for x, _ in SQUARE], "all_points_y": [y for _, y in SQUARE]}
COLUMNS = (
    "filename", "file_size", "file_attributes", "region_count", "region_id", "region_shape_attributes",
    "region_attributes",
)  # fmt: skip


def region(shape: Any, label: Any = "Mass", **more: Any) -> dict[str, Any]:
    return {"shape_attributes": shape, "region_attributes": {"label": label, **more}}


def image(*regions: Any, name: str = "17.png", **of_file: Any) -> dict[str, Any]:
    return {"filename": name, "size": 5, "regions": list(regions), "file_attributes": of_file}


def items(folder: Path, *images: Any, **options: Any) -> list[AnnotationItem]:
    (folder / "via.json").write_text(json.dumps({f"{n}": one for n, one in enumerate(images)}))
    return find_annotations(folder, [{"format": "via", "file": "via.json", **options}])


def table(folder: Path, *images: dict[str, Any], first: str = "filename") -> Path:
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow([first, *COLUMNS[1:]])
    for one in images:
        regions = one["regions"] or [{"shape_attributes": {}, "region_attributes": {}}]
        for number, entry in enumerate(regions):
            cells = (one["file_attributes"], entry["shape_attributes"], entry["region_attributes"])
            of_file, shape, of_region = map(json.dumps, cells)
            writer.writerow([one["filename"], 5, of_file, len(one["regions"]), number, shape, of_region])
    (folder / "via.csv").write_text(text.getvalue())
    return folder / "via.csv"


def test_rectangles_and_polygons_count_from_the_corner(tmp_path: Path) -> None:
    box, polygon = items(tmp_path, image(region(RECT, "Cyst"), region(POLYGON)))
    assert (box.image, box.finding, box.kind, read(box).boxes) == (
        "17",
        "Cyst",
        "box",
        (Box(0.5, 0.5, 3, 2),),
    )
    np.testing.assert_array_equal(read(polygon).polygons, [np.array(SQUARE) - 0.5])
    np.testing.assert_array_equal(read(polygon).masks, [pixels(slice(1, 3), slice(1, 4))])


def test_circles_ellipses_and_points(tmp_path: Path) -> None:
    circle, ellipse, point = items(
        tmp_path,
        image(
            region({"name": "circle", "cx": 4, "cy": 3, "r": 2}, "a"),
            region({"name": "ellipse", "cx": 4, "cy": 3, "rx": 3, "ry": 1, "theta": math.pi / 2}, "b"),
            region({"name": "point", "cx": 2, "cy": 3}, "c"),
        ),
    )
    (outline,) = read(circle).polygons
    np.testing.assert_allclose(np.hypot(*(outline - (3.5, 2.5)).T), 2, atol=1e-5)
    (outline,) = read(ellipse).polygons
    x, y = (outline - (3.5, 2.5)).T
    np.testing.assert_allclose(x**2 + (y / 3) ** 2, 1, atol=1e-5)
    assert (point.kind, read(point).points) == ("point", (Point(1.5, 2.5),))


def test_the_table_and_the_project_say_the_same_as_the_annotations(tmp_path: Path) -> None:
    images = [image(region(RECT), region(POLYGON, "Cyst")), image(name="18.png")]
    wanted = items(tmp_path, *images)
    assert [(item.image, item.says) for item in wanted] == [
        ("17", "shapes"),
        ("17", "shapes"),
        ("18", "nothing"),
    ]
    project = {"_via_settings": {}, "_via_img_metadata": {"a": images[0], "b": images[1]}}
    (tmp_path / "project.json").write_text(json.dumps(project))
    old = {"a": {**images[0], "regions": dict(enumerate(images[0]["regions"]))}, "b": images[1]}
    (tmp_path / "old.json").write_text(json.dumps(old))
    for file in ("project.json", "old.json"):
        assert find_annotations(tmp_path, [{"format": "via", "file": file}]) == wanted
    for first in ("filename", "#filename"):
        assert find_annotations(table(tmp_path, *images, first=first), [{"format": "via"}]) == wanted


def test_checkboxes_name_several_findings(tmp_path: Path) -> None:
    found = items(tmp_path, image(region(RECT, {"Mass": True, "Cyst": True, "Scar": False})))
    assert [item.finding for item in found] == ["Mass", "Cyst"]


def test_attributes_of_the_file_are_of_the_whole_image(tmp_path: Path) -> None:
    found = items(tmp_path, image(kind={"Mass": True, "Cyst": False}, diagnosis="Scar", caption="a"))
    assert [(item.finding, item.says) for item in found] == [
        ("Mass", "present"),
        ("Scar", "present"),
        (None, "present"),
    ]
    assert found[2].payload["problem"] is not None


def test_the_attribute_that_names_findings_is_told_by_its_name_or_by_the_config(tmp_path: Path) -> None:
    several = image(region(RECT, "Mass", quality="good"))
    assert [item.finding for item in items(tmp_path, several)] == ["Mass"]
    assert [item.finding for item in items(tmp_path, several, attribute="quality")] == ["good"]
    assert [item.finding for item in items(tmp_path, several, finding="Cyst")] == ["Cyst"]
    assert guess_sources(tmp_path, findings=["Mass"]) == (
        {"format": "via", "file": "via.json", "attribute": "label"},
    )
    unclear = image({"shape_attributes": RECT, "region_attributes": {"one": "Mass", "other": "good"}})
    with pytest.raises(ConfigError, match="2 attributes, 0 of them called like findings; say which"):
        items(tmp_path, unclear)
    bare = image({"shape_attributes": RECT, "region_attributes": {}})
    assert [item.finding for item in items(tmp_path, bare)] == [None]
    assert [item.finding for item in items(tmp_path, bare, image(region(RECT)))] == ["", "Mass"]


def test_a_table_is_guessed_by_its_columns(tmp_path: Path) -> None:
    table(tmp_path, image(region(RECT)))
    assert guess_sources(tmp_path, findings=["Mass"]) == (
        {"format": "via", "file": "via.csv", "attribute": "label"},
    )


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ({"name": "polyline", "all_points_x": [1, 2], "all_points_y": [1, 2]}, "no_area"),
        ({"name": "polygon", "all_points_x": [1, 2, 3], "all_points_y": [1, 2]}, "bad_shape"),
        ({"name": "rect", "x": "a", "y": 1, "width": 1, "height": 1}, "bad_box"),
        ({"name": "rect", "x": 1}, "bad_shape"),
        ({"name": "circle", "cx": 1, "cy": 1, "r": None}, "bad_polygon"),
        ({"x": 1}, "bad_shape"),
        ({"name": "point", "cx": 20, "cy": 1}, "point_outside_image"),
    ],
)
def test_a_shape_that_cannot_be_used_costs_its_finding_on_its_image(
    tmp_path: Path, shape: dict[str, Any], reason: str
) -> None:
    first, second = items(tmp_path, image(region(shape), region(RECT, "Cyst")))
    assert refusal(first) == reason
    assert read(second).lesions == 1


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([5], "is not a file of VIA"),
        ([image(), {"regions": []}], 'image 2: has no text or whole number "filename"'),
        ([image(), {"filename": "a", "regions": [5]}], "image 2: has regions that are not mappings"),
        ([image({"shape_attributes": 5})], "image 1: has shape_attributes that are not a mapping"),
    ],
)
def test_a_file_that_is_malformed_as_a_whole_is_refused(tmp_path: Path, images: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        items(tmp_path, *images)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.png,{,{},{}", "row 2: is not JSON"),
        ("a.png,{},5,{}", "row 2: has attributes that are not a mapping"),
    ],
)
def test_a_cell_that_is_malformed_is_refused_with_its_row(tmp_path: Path, row: str, message: str) -> None:
    header = "filename,file_attributes,region_shape_attributes,region_attributes"
    (tmp_path / "via.csv").write_text(f"{header}\n{row}\n")
    with pytest.raises(ConfigError, match=message):
        find_annotations(tmp_path / "via.csv", [{"format": "via"}])
