"""Tests of LabelMe files, with pixels worked out by hand."""

from __future__ import annotations

import base64
import json
import math
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.annotations import find_annotations
from pipeline.annotations.drawn import BOXES_OF_ALL
from pipeline.errors import ConfigError
from pipeline.records import AnnotationItem, Box, Point
from tests.annotations.tools import SHAPE, SQUARE, pixels, read, refusal


def shape(points: Any, kind: str = "polygon", label: str = "Mass", **more: Any) -> dict[str, Any]:
    return {"label": label, "points": points, "shape_type": kind, "group_id": None, **more}


def write(file: Path, *shapes: Any, **more: Any) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    content = {"version": "5.4.1", "shapes": shapes, "imagePath": "17.png", "imageHeight": 6, "imageWidth": 8}
    file.write_text(json.dumps(content | more))


def items(folder: Path, *shapes: Any, **more: Any) -> list[AnnotationItem]:
    write(folder / "17.json", *shapes, **more)
    return find_annotations(folder, [{"format": "labelme"}])


def test_a_polygon_counts_from_the_corner_and_stays_a_polygon(tmp_path: Path) -> None:
    (item,) = items(tmp_path, shape(SQUARE))
    assert (item.image, item.finding, item.reader, item.kind) == ("17", "Mass", "reader", "polygon")
    np.testing.assert_array_equal(read(item).masks, [pixels(slice(1, 3), slice(1, 4))])
    np.testing.assert_array_equal(read(item).polygons, [np.array(SQUARE) - 0.5])


@pytest.mark.parametrize("points", [[[1, 1], [4, 3.5]], [[4, 3.5], [1, 1]], [[1, 3.5], [4, 1]]])
def test_a_rectangle_is_a_box_whichever_corner_was_drawn_first(tmp_path: Path, points: Any) -> None:
    (item,) = items(tmp_path, shape(points, "rectangle"))
    assert read(item).boxes == (Box(0.5, 0.5, 3, 2.5),)


def test_a_circle_goes_through_its_second_point(tmp_path: Path) -> None:
    (item,) = items(tmp_path, shape([[4, 3], [4, 5]], "circle"))
    (outline,) = read(item).polygons
    np.testing.assert_allclose(np.hypot(*(outline - [3.5, 2.5]).T), 2, atol=1e-5)
    row, column = np.indices(SHAPE)
    np.testing.assert_array_equal(read(item).masks, [np.hypot(row - 2.5, column - 3.5) < 2])
    x, y = outline.astype(float).T
    area = abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2
    assert math.isclose(area, 4 * math.pi, rel_tol=2e-4)


def test_a_point_is_a_point(tmp_path: Path) -> None:
    (item,) = items(tmp_path, shape([[2.5, 3]], "point"))
    assert (item.kind, read(item).points) == ("point", (Point(2, 2.5),))


def test_a_mask_lies_where_its_points_say(tmp_path: Path) -> None:
    data = BytesIO()
    Image.fromarray(np.array([[1, 0], [1, 1]], np.uint8)).save(data, "PNG")
    mask = base64.b64encode(data.getvalue()).decode()
    (item,) = items(tmp_path, shape([[5, 2], [6, 3]], "mask", mask=mask))
    wanted = pixels(slice(2, 4), slice(5, 7))
    wanted[2, 6] = False
    np.testing.assert_array_equal(read(item).masks, [wanted])
    (outside,) = items(tmp_path, shape([[7, 2], [8, 3]], "mask", mask=mask))
    assert refusal(outside) == "mask_size"


def test_polygons_of_one_group_are_one_lesion(tmp_path: Path) -> None:
    other = [[6, 4], [8, 4], [8, 6]]
    (item,) = items(tmp_path, shape(SQUARE, group_id=1), shape(other, group_id=1), shape(other, group_id=2))
    assert (item.kind, read(item).lesions) == ("mask", 2)
    (item,) = items(tmp_path, shape(SQUARE), shape(other))
    assert (item.kind, read(item).lesions) == ("polygon", 2)


def test_boxes_and_outlines_of_one_finding_are_read_as_boxes(tmp_path: Path) -> None:
    (item,) = items(tmp_path, shape(SQUARE), shape([[0, 0], [1, 1]], "rectangle"))
    assert read(item).boxes == (Box(-0.5, -0.5, 1, 1), Box(0.5, 0.5, 3, 2))
    assert read(item).notices == (BOXES_OF_ALL,)
    (mixed,) = items(tmp_path, shape(SQUARE), shape([[0, 0]], "point"))
    assert refusal(mixed) == "mixed_kinds"


@pytest.mark.parametrize(
    ("place", "path", "image"),
    [
        ("17.json", "17.png", "17"),
        ("json/p1/17.json", "17.png", "json/p1/17"),
        ("json/p1/17.json", "../../png/p1/17.png", "png/p1/17"),
        ("json/p1/17.json", "..\\..\\png\\p1\\17.png", "png/p1/17"),
        ("17.json", "../png/17.png", "png/17"),
        ("json/17.json", "C:\\data\\17.png", "C:/data/17"),
        ("json/17.json", "/data/17.png", "data/17"),
        ("json/17.json", None, "json/17"),
        ("json/17.json", "", "json/17"),
    ],
)
def test_the_image_is_named_relative_to_the_file(tmp_path: Path, place: str, path: Any, image: str) -> None:
    write(tmp_path / place, shape(SQUARE), imagePath=path)
    (item,) = find_annotations(tmp_path, [{"format": "labelme"}])
    assert item.image == image


def test_another_size_is_refused_and_an_unknown_one_is_not(tmp_path: Path) -> None:
    (item,) = items(tmp_path, shape(SQUARE))
    assert refusal(item, (8, 6)) == "mask_size"
    (item,) = items(tmp_path, shape(SQUARE), imageHeight=None, imageWidth=None)
    assert read(item, (8, 6)).lesions == 1


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (shape([[1, 1], [2]]), "bad_polygon"),
        (shape([[1, 1], [2, 2]]), "bad_polygon"),
        (shape([[1, 1], [20, 2], [3, 3]]), "polygon_outside_image"),
        (shape([[1, 1], [2, 2]], "linestrip"), "no_area"),
        (shape([[1, 1]], "rectangle"), "bad_box"),
        (shape([[1, 1]], "circle"), "bad_shape"),
        (shape([], "point"), "bad_shape"),
        (shape([[1, 1]], "star"), "bad_shape"),
        (shape([[1, 1]], "mask", mask="%"), "not_a_mask"),
        (shape([[1, 1]], "mask", mask="AAAA"), "not_a_mask"),
        (shape(None), "bad_polygon"),
        ({"label": "Mass"}, "bad_shape"),
    ],
)
def test_a_shape_that_cannot_be_used_costs_its_finding_on_its_image(
    tmp_path: Path, bad: dict[str, Any], reason: str
) -> None:
    first, second = items(tmp_path, bad, shape(SQUARE, label="Cyst"))
    assert refusal(first) == reason
    assert read(second).lesions == 1


@pytest.mark.parametrize(
    "text", ['{"shapes": [', '{"imagePath": "a"}', '{"shapes": [{}]}', '{"shapes": [], "a": NaN}']
)
def test_a_broken_file_costs_itself_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "16.json").write_text(text)
    broken, whole = items(tmp_path, shape(SQUARE))
    assert (broken.image, broken.finding) == ("16", None)
    assert refusal(broken) == "annotation_unreadable"
    assert read(whole).lesions == 1


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"sources\[0\] \(labelme\): .*holds no labelme files"):
        find_annotations(tmp_path, [{"format": "labelme"}])
    with pytest.raises(ConfigError, match="is outside the annotations folder"):
        find_annotations(tmp_path, [{"format": "labelme", "folder": "../x"}])


def test_a_flag_that_is_set_is_of_the_whole_image(tmp_path: Path) -> None:
    found = items(tmp_path, shape(SQUARE), flags={"Cyst": True, "blurred": False})
    assert [(item.finding, item.says) for item in found] == [("Mass", "shapes"), ("Cyst", "present")]


def test_a_file_without_shapes_says_that_its_image_was_looked_at(tmp_path: Path) -> None:
    write(tmp_path / "17.json", flags={"Cyst": False})
    (item,) = find_annotations(tmp_path, [{"format": "labelme", "unmarked": "absent"}])
    assert (item.image, item.says, item.unmarked) == ("17", "nothing", ("Cyst",))
