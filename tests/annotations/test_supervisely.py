"""Tests of Supervisely files, with pixels worked out by hand."""

from __future__ import annotations

import base64
import json
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.annotations import bitmaps, find_annotations
from pipeline.records import AnnotationItem, Box, Point
from tests.annotations.tools import pixels, read, refusal

DIAGONAL = np.array([[1, 0], [0, 1]], bool)


def packed(mask: np.ndarray, mode: str = "L") -> str:
    data = BytesIO()
    picture = Image.fromarray(mask.astype(np.uint8) * 255)
    if mode == "RGBA":
        empty = Image.new("L", picture.size)
        picture = Image.merge("RGBA", (empty, empty, empty, picture))
    picture.convert(mode).save(data, "PNG")
    return base64.b64encode(zlib.compress(data.getvalue())).decode()


def entry(kind: str, exterior: Any = (), interior: Any = (), label: str = "Mass") -> dict[str, Any]:
    points = {"exterior": exterior, "interior": interior}
    return {"classTitle": label, "geometryType": kind, "points": points, "labelerLogin": "ann"}


def bitmap(data: Any, origin: Any = (5, 2)) -> dict[str, Any]:
    return {"classTitle": "Mass", "geometryType": "bitmap", "bitmap": {"data": data, "origin": origin}}


def items(folder: Path, *objects: Any, tags: Any = ()) -> list[AnnotationItem]:
    content = {"description": "", "tags": tags, "size": {"height": 6, "width": 8}, "objects": objects}
    (folder / "ann").mkdir(exist_ok=True)
    (folder / "ann" / "17.png.json").write_text(json.dumps(content))
    return find_annotations(folder, [{"format": "supervisely"}])


@pytest.mark.parametrize("mode", ["L", "1", "RGBA", "P"])
def test_a_bitmap_lies_at_its_origin(tmp_path: Path, mode: str) -> None:
    (item,) = items(tmp_path, bitmap(packed(DIAGONAL, mode)))
    assert (item.image, item.finding, item.reader, item.kind) == ("ann/17", "Mass", "reader", "mask")
    wanted = pixels(slice(2, 3), slice(5, 6)) | pixels(slice(3, 4), slice(6, 7))
    np.testing.assert_array_equal(read(item).masks, [wanted])


def test_a_rectangle_contains_its_last_pixels(tmp_path: Path) -> None:
    (item,) = items(tmp_path, entry("rectangle", [[1, 1], [3, 2]]))
    assert read(item).boxes == (Box(0.5, 0.5, 3, 2),)


def test_corners_of_polygons_are_centres_of_pixels_and_holes_are_left_out(tmp_path: Path) -> None:
    outer, inner = [[1, 1], [5, 1], [5, 5], [1, 5]], [[2.5, 2.5], [3.5, 2.5], [3.5, 3.5], [2.5, 3.5]]
    whole, ring = items(tmp_path, entry("polygon", outer), entry("polygon", outer, [inner], "Cyst"))
    assert (whole.kind, ring.kind) == ("polygon", "mask")
    np.testing.assert_array_equal(read(whole).polygons, [outer])
    wanted = pixels(slice(1, 6), slice(1, 6))
    np.testing.assert_array_equal(read(whole).masks, [wanted])
    np.testing.assert_array_equal(read(ring).masks, [wanted & ~pixels(slice(3, 4), slice(3, 4))])


def test_a_point_is_a_point(tmp_path: Path) -> None:
    (item,) = items(tmp_path, entry("point", [[2, 3]]))
    assert read(item).points == (Point(2, 3),)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (bitmap(packed(DIAGONAL), (7, 2)), "mask_size"),
        (bitmap(packed(DIAGONAL), (-1, 2)), "mask_size"),
        (bitmap(packed(DIAGONAL), None), "bad_shape"),
        (bitmap(packed(DIAGONAL), ("x", 2)), "not_a_mask"),
        (bitmap("%%"), "not_a_mask"),
        (bitmap(5), "not_a_mask"),
        (bitmap("AAAA"), "unreadable"),
        (bitmap(base64.b64encode(zlib.compress(b"no PNG")).decode()), "not_a_mask"),
        (entry("polygon", [[1, 1], [2]]), "bad_polygon"),
        (entry("polygon", [[1, 1], [3, 1], [3, 3]], 5), "bad_shape"),
        (entry("rectangle", [[3, 3], [1, 1]]), "bad_box"),
        (entry("line", [[3, 3], [1, 1]]), "no_area"),
        ({"classTitle": "Mass"}, "bad_shape"),
    ],
)
def test_an_object_that_cannot_be_used_costs_its_class_on_its_image(
    tmp_path: Path, bad: dict[str, Any], reason: str
) -> None:
    first, second = items(tmp_path, bad, entry("rectangle", [[1, 1], [3, 2]], label="Cyst"))
    assert refusal(first) == reason
    assert read(second).lesions == 1


def test_a_bitmap_that_inflates_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bitmaps, "LARGEST_PNG", 2**20)
    bomb = base64.b64encode(zlib.compress(bytes(2**20 + 1))).decode()
    (item,) = items(tmp_path, bitmap(bomb))
    assert refusal(item) == "too_large"


def test_another_size_is_refused(tmp_path: Path) -> None:
    (item,) = items(tmp_path, entry("rectangle", [[1, 1], [3, 2]]))
    assert refusal(item, (8, 6)) == "mask_size"


def test_a_broken_file_costs_itself_alone(tmp_path: Path) -> None:
    (tmp_path / "16.json").write_text('{"size": {}, "objects": [{}]}')
    broken, whole = items(tmp_path, entry("rectangle", [[1, 1], [3, 2]]))
    assert (broken.image, refusal(broken)) == ("16", "annotation_unreadable")
    assert read(whole).lesions == 1


def test_tags_are_of_the_whole_image_with_their_values(tmp_path: Path) -> None:
    tags = [{"name": "Cyst", "value": None}, {"name": "side", "value": "left"}, "Mass"]
    found = items(tmp_path, tags=tags)
    assert [(item.finding, item.says) for item in found] == [
        ("Cyst", "present"),
        ("side: left", "present"),
        ("Mass", "present"),
    ]
    (nothing,) = items(tmp_path)
    assert (nothing.image, nothing.says) == ("ann/17", "nothing")


def test_a_tag_without_name_costs_its_file(tmp_path: Path) -> None:
    (item,) = items(tmp_path, tags=[{"value": 1}])
    assert refusal(item) == "annotation_unreadable"
