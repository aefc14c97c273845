"""Tests of exports of Label Studio, with pixels worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from pipeline.annotations import find_annotations
from pipeline.annotations.shapes import Problem
from pipeline.errors import ConfigError
from pipeline.records import AnnotationItem, Box, Point
from tests.annotations.tools import SQUARE, pixels, read, refusal

RECTANGLE = {"x": 12.5, "y": 50, "width": 37.5, "height": 25, "rotation": 0}


def result(kind: str, value: dict[str, Any], label: str = "Mass", **size: Any) -> dict[str, Any]:
    sizes = {"original_width": 8, "original_height": 4} | size
    return {"id": "x", "type": kind, **sizes, "value": {**value, kind: [label]}}


def task(
    *results: Any, image: str = "/data/upload/3/0a1b2c3d-17.png", who: Any = 7, **more: Any
) -> dict[str, Any]:
    annotation = {"id": 1, "completed_by": who, "was_cancelled": False, "result": results, **more}
    return {"id": 1, "data": {"image": image}, "annotations": [annotation], "predictions": []}


def items(folder: Path, *tasks: Any, **options: Any) -> list[AnnotationItem]:
    file = folder / "export.json"
    file.write_text(json.dumps(tasks))
    return find_annotations(file, [{"format": "label_studio", **options}])


def test_percents_of_the_image_count_from_its_corner(tmp_path: Path) -> None:
    points = [[100 * x / 8, 100 * y / 4] for x, y in SQUARE]
    box, polygon = items(
        tmp_path,
        task(result("rectanglelabels", RECTANGLE, "Cyst"), result("polygonlabels", {"points": points})),
    )
    assert (box.image, box.finding, box.reader, box.kind) == ("17", "Cyst", "annotator 7", "box")
    assert read(box, (4, 8)).boxes == (Box(0.5, 1.5, 3, 1),)
    np.testing.assert_array_equal(read(polygon, (4, 8)).polygons, [np.array(SQUARE) - 0.5])
    np.testing.assert_array_equal(read(polygon, (4, 8)).masks, [pixels(slice(1, 3), slice(1, 4))[:4]])


def test_a_rectangle_turns_clockwise_about_its_top_left_corner(tmp_path: Path) -> None:
    value = {**RECTANGLE, "y": 25, "rotation": 90}
    (item,) = items(tmp_path, task(result("rectanglelabels", value)))
    wanted = [[0.5, 0.5], [0.5, 3.5], [-0.5, 3.5], [-0.5, 0.5]]
    np.testing.assert_allclose(read(item, (4, 8)).polygons, [wanted], atol=1e-6)


def test_ellipses_and_key_points(tmp_path: Path) -> None:
    ellipse = {"x": 50, "y": 50, "radiusX": 25, "radiusY": 25, "rotation": 0}
    first, second = items(
        tmp_path,
        task(
            result("ellipselabels", ellipse), result("keypointlabels", {"x": 50, "y": 25, "width": 1}, "Cyst")
        ),
    )
    x, y = read(first, (4, 8)).polygons[0].T
    np.testing.assert_allclose(((x - 3.5) / 2) ** 2 + ((y - 1.5) / 1) ** 2, 1, atol=1e-5)
    assert read(second, (4, 8)).points == (Point(3.5, 0.5),)


def test_each_annotator_is_a_reader_and_cancelled_work_does_not_count(tmp_path: Path) -> None:
    shape = result("rectanglelabels", RECTANGLE)
    ann, bea, off = (
        task(shape, who={"id": 1, "email": "a@b.c"}),
        task(shape, who=2),
        task(shape, was_cancelled=True),
    )
    both = ann | {"annotations": [*ann["annotations"], *bea["annotations"], *off["annotations"]]}
    assert [item.reader for item in items(tmp_path, both)] == ["annotator 1", "annotator 2"]
    assert [item.reader for item in items(tmp_path, both, reader="team")] == ["team"]


def test_the_small_export_says_the_same(tmp_path: Path) -> None:
    value = {**RECTANGLE, "rectanglelabels": ["Mass"], "original_width": 8, "original_height": 4}
    small = {"image": "s3://bucket/a/17.png", "id": 1, "label": [value], "annotator": 7, "annotation_id": 3}
    (item,) = items(tmp_path, small)
    assert (item.image, item.finding, item.reader) == ("a/17", "Mass", "annotator 7")
    assert read(item, (4, 8)).boxes == (Box(0.5, 1.5, 3, 1),)


@pytest.mark.parametrize(
    ("address", "image"),
    [
        ("/data/upload/3/0a1b2c3d-17.png", "17"),
        ("/data/upload/0a1b2c3d-a%20b.png", "a b"),
        ("http://localhost:8080/data/upload/3/0a1b2c3d-17.png", "17"),
        ("/data/local-files/?d=png/p1/17.png", "png/p1/17"),
        ("s3://bucket/p1/17.png", "p1/17"),
        ("https://example.org/p1/17.png", "p1/17"),
        ("p1/17.png", "p1/17"),
    ],
)
def test_the_image_is_named_by_its_address(tmp_path: Path, address: str, image: str) -> None:
    (item,) = items(tmp_path, task(result("rectanglelabels", RECTANGLE), image=address))
    assert item.image == image


def test_any_only_text_names_the_image(tmp_path: Path) -> None:
    one = task(result("rectanglelabels", RECTANGLE))
    (item,) = items(tmp_path, one | {"data": {"xray": "17.png", "n": 1}})
    assert item.image == "17"
    with pytest.raises(ConfigError, match="task 1: names no image"):
        items(tmp_path, one | {"data": {"xray": "17.png", "note": "x"}})


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (result("brushlabels", {"format": "rle", "rle": [1]}), "not_a_mask"),
        (result("rectanglelabels", {"x": 1, "y": 1}), "bad_shape"),
        (result("rectanglelabels", {**RECTANGLE, "width": "x"}), "bad_shape"),
        (result("rectanglelabels", {**RECTANGLE, "width": 0}), "bad_box"),
        (result("rectanglelabels", {**RECTANGLE, "width": 400}), "box_outside_image"),
        (result("rectanglelabels", RECTANGLE, original_width=None), "bad_shape"),
        (result("polygonlabels", {"points": [[1, 2], [3]]}), "bad_shape"),
        (result("polygonlabels", {"points": [[1, 2], [3, 4]]}), "bad_polygon"),
    ],
)
def test_a_shape_that_cannot_be_used_costs_its_finding_on_its_image(
    tmp_path: Path, bad: dict[str, Any], reason: str
) -> None:
    first, second = items(tmp_path, task(bad, result("rectanglelabels", RECTANGLE, "Cyst")))
    assert refusal(first, (4, 8)) == reason
    assert read(second, (4, 8)).lesions == 1


def test_another_size_is_refused(tmp_path: Path) -> None:
    (item,) = items(tmp_path, task(result("rectanglelabels", RECTANGLE)))
    assert refusal(item, (8, 4)) == "mask_size"


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ([], "is not an export of Label Studio"),
        ([{"data": {}}], "is not an export of Label Studio"),
        ([task(), 5], "task 2: is not a task"),
        ([task() | {"data": {}}], "task 1: names no image"),
    ],
)
def test_a_file_that_is_malformed_as_a_whole_is_refused(tmp_path: Path, tasks: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        items(tmp_path, *tasks)


def test_choices_about_the_whole_image_are_labels_and_those_about_shapes_are_not_read(
    tmp_path: Path,
) -> None:
    whole = {"type": "choices", "value": {"choices": ["Mass", "Cyst"]}}
    of_shape = {"type": "choices", "value": {**RECTANGLE, "choices": ["round"]}}
    found = items(tmp_path, task(whole, of_shape))
    assert [(item.finding, item.says, item.reader) for item in found] == [
        ("Mass", "present", "annotator 7"),
        ("Cyst", "present", "annotator 7"),
    ]


def test_a_shape_may_have_its_label_in_a_result_of_its_own(tmp_path: Path) -> None:
    shapes: dict[str, dict[str, Any]] = {
        "rectangle": RECTANGLE,
        "polygon": {"points": [[0, 0], [50, 0], [50, 50]]},
        "ellipse": {"x": 50, "y": 50, "radiusX": 25, "radiusY": 25, "rotation": 0},
        "keypoint": {"x": 50, "y": 50, "width": 1},
    }
    for kind, value in shapes.items():
        apart = [result(kind, value) | {"value": value}, result("labels", value)]
        (item,) = items(tmp_path, task(*apart))
        (together,) = items(tmp_path, task(result(f"{kind}labels", value)))
        assert (item.finding, item.says) == ("Mass", "shapes")
        assert item == together


def test_a_shape_without_label_is_no_image_without_shapes(tmp_path: Path) -> None:
    (item,) = items(tmp_path, task(result("rectangle", RECTANGLE) | {"value": RECTANGLE}))
    assert (item.finding, item.says) == ("", "shapes")


def test_a_shape_on_a_turned_image_is_refused(tmp_path: Path) -> None:
    for turn, is_refused in ((0, False), (90, True)):
        (item,) = items(tmp_path, task(result("rectanglelabels", RECTANGLE, image_rotation=turn)))
        problem = cast("Problem | None", item.payload["problem"])
        assert (problem is not None and "image_rotation" in problem.message) == is_refused


def test_shapes_on_several_images_of_a_task_are_refused(tmp_path: Path) -> None:
    second = result("polygonlabels", {"points": [[0, 0], [50, 0], [50, 50]]}, "Cyst", to_name="prior")
    for item in items(tmp_path, task(result("rectanglelabels", RECTANGLE, to_name="image"), second)):
        assert "to_name" in cast("Problem", item.payload["problem"]).message
    (alone,) = items(tmp_path, task(second))
    assert alone.payload["problem"] is None


def test_other_answers_about_the_whole_image_are_listed_as_not_read(tmp_path: Path) -> None:
    (item,) = items(tmp_path, task({"type": "textarea", "value": {"text": ["a mass"]}}))
    assert (item.image, item.finding, item.says) == ("17", None, "present")
    assert cast("Problem", item.payload["problem"]).reason == "not_read"


def test_an_annotator_who_marked_nothing_looked_at_the_image(tmp_path: Path) -> None:
    other = {"completed_by": 8, "result": [result("rectanglelabels", RECTANGLE)]}
    both = task()
    both["annotations"].append(other)
    found = items(tmp_path, both)
    assert [(item.reader, item.says) for item in found] == [
        ("annotator 7", "nothing"),
        ("annotator 8", "shapes"),
    ]


def test_several_choices_of_the_short_export_are_labels(tmp_path: Path) -> None:
    (item,) = items(tmp_path, {"image": "17.png", "annotation_id": 1, "what": {"choices": ["Mass"]}})
    assert (item.image, item.finding, item.says) == ("17", "Mass", "present")
