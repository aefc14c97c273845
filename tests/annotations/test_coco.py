"""Tests of COCO JSON, with pixels worked out by hand and pycocotools as the judge of run lengths."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as pycoco

from pipeline.annotations import find_annotations
from pipeline.annotations.drawn import BOXES_OF_ALL, CROWDS
from pipeline.errors import ConfigError
from pipeline.records import AnnotationItem, Box
from tests.annotations.tools import SQUARE as CORNERS
from tests.annotations.tools import pixels, read, refusal

IMAGES = [{"id": 1, "file_name": "a/17.png", "height": 6, "width": 8}]
CATEGORIES = [{"id": 1, "name": "Mass"}, {"id": 2, "name": "Nodule"}]
SQUARE = [number for point in CORNERS for number in point]


def write(folder: Path, *annotations: dict[str, Any], **lists: Any) -> Path:
    whole = [{"id": n, "image_id": 1, "category_id": 1, **entry} for n, entry in enumerate(annotations)]
    content = {"images": IMAGES, "annotations": whole, "categories": CATEGORIES, **lists}
    file = folder / "coco.json"
    file.write_text(json.dumps(content))
    return file


def items(folder: Path, *annotations: dict[str, Any], **lists: Any) -> list[AnnotationItem]:
    return find_annotations(write(folder, *annotations, **lists), [{"format": "coco"}])


def test_a_polygon_counts_from_the_corner_and_stays_a_polygon(tmp_path: Path) -> None:
    (item,) = items(tmp_path, {"segmentation": [SQUARE], "bbox": [0, 0, 8, 6]})
    assert (item.image, item.finding, item.reader, item.kind) == ("a/17", "Mass", "reader", "polygon")
    reference = read(item)
    np.testing.assert_array_equal(reference.masks, [pixels(slice(1, 3), slice(1, 4))])
    np.testing.assert_array_equal(reference.polygons, [[[0.5, 0.5], [3.5, 0.5], [3.5, 2.5], [0.5, 2.5]]])


def test_fractions_of_pixels_are_kept(tmp_path: Path) -> None:
    (item,) = items(tmp_path, {"segmentation": [[1.25, 1, 4, 1, 4, 3.125]]})
    np.testing.assert_array_equal(read(item).polygons, [[[0.75, 0.5], [3.5, 0.5], [3.5, 2.625]]])


def test_a_polygon_may_repeat_its_first_point(tmp_path: Path) -> None:
    (item,) = items(tmp_path, {"segmentation": [[*SQUARE, *SQUARE[:2]]]})
    assert read(item).polygons[0].shape == (4, 2)


def test_parts_of_one_object_are_one_lesion_and_two_objects_are_two(tmp_path: Path) -> None:
    other = [5, 3, 8, 3, 8, 6, 5, 6]
    (item,) = items(tmp_path, {"segmentation": [SQUARE, other]})
    (mask,) = read(item).masks
    np.testing.assert_array_equal(mask, pixels(slice(1, 3), slice(1, 4)) | pixels(slice(3, 6), slice(5, 8)))
    assert item.kind == "mask"
    (item,) = items(tmp_path, {"segmentation": [SQUARE]}, {"segmentation": [other]})
    assert (item.kind, len(read(item).polygons)) == ("polygon", 2)


def test_both_kinds_of_run_lengths_are_the_masks_of_pycocotools(tmp_path: Path) -> None:
    drawn = pixels(slice(1, 3), slice(1, 4)) | pixels(slice(4, 6), slice(6, 8))
    coded = pycoco.encode(np.asfortranarray(drawn.astype(np.uint8)))
    runs = [7, 2, 4, 2, 4, 2, 19, 2, 4, 2]
    for counts in (coded["counts"].decode(), runs):
        (item,) = items(tmp_path, {"segmentation": {"size": [6, 8], "counts": counts}})
        np.testing.assert_array_equal(read(item).masks, [drawn])
        assert read(item).notices == ()


def test_a_crowd_is_read_part_by_part_and_said_so(tmp_path: Path) -> None:
    runs = {"size": [6, 8], "counts": [7, 2, 4, 2, 4, 2, 19, 2, 4, 2]}
    (item,) = items(tmp_path, {"segmentation": runs, "iscrowd": 1})
    reference = read(item)
    np.testing.assert_array_equal(
        reference.masks, [pixels(slice(1, 3), slice(1, 4)), pixels(slice(4, 6), slice(6, 8))]
    )
    assert reference.notices == (CROWDS,)


@pytest.mark.parametrize("empty", [{}, {"segmentation": []}, {"segmentation": None}])
def test_without_outline_an_object_is_its_box(tmp_path: Path, empty: dict[str, Any]) -> None:
    (item,) = items(tmp_path, {"bbox": [1, 1, 3, 2.5], **empty})
    assert read(item).boxes == (Box(0.5, 0.5, 3, 2.5),)
    assert item.kind == "box"


def test_boxes_among_outlines_make_all_of_them_boxes_and_said_so(tmp_path: Path) -> None:
    (item,) = items(tmp_path, {"bbox": [4, 4, 2, 2]}, {"segmentation": [SQUARE]})
    reference = read(item)
    assert reference.boxes == (Box(3.5, 3.5, 2, 2), Box(0.5, 0.5, 3, 2))
    assert reference.notices == (BOXES_OF_ALL,)


def test_images_and_categories_that_the_file_lacks_are_named_by_their_ids(tmp_path: Path) -> None:
    item, listed = items(tmp_path, {"image_id": 7, "category_id": "x", "bbox": [1, 1, 1, 1]})
    assert (listed.image, listed.says) == ("a/17", "nothing")
    assert (item.image, item.finding) == ("image_id 7", "category_id x")


def test_an_image_without_annotations_says_nothing_unless_the_config_says_so(tmp_path: Path) -> None:
    images = [*IMAGES, {"id": 2, "file_name": "18.png"}]
    file = write(tmp_path, {"bbox": [1, 1, 1, 1]}, images=images)
    found = find_annotations(file, [{"format": "coco"}])
    assert [(item.image, item.finding, item.says) for item in found] == [
        ("a/17", "Mass", "shapes"),
        ("18", None, "nothing"),
    ]
    stated = find_annotations(file, [{"format": "coco", "unmarked": "absent"}])
    assert [item.unmarked for item in found] == [(), ()]
    assert [item.unmarked for item in stated] == [("Mass", "Nodule")] * 2


def test_another_size_of_the_image_is_refused(tmp_path: Path) -> None:
    (item,) = items(tmp_path, {"segmentation": [SQUARE]})
    assert refusal(item, (12, 16)) == "mask_size"


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ({"segmentation": [[1, 2, 3]]}, "bad_polygon"),
        ({"segmentation": [[1, 1, 4, 4]]}, "bad_polygon"),
        ({"segmentation": [["a"] * 6]}, "bad_polygon"),
        ({"segmentation": [[None] * 6]}, "bad_polygon"),
        ({"segmentation": [[1e300] * 3 + [1] * 3]}, "bad_polygon"),
        ({"segmentation": [[1, 1, 20, 1, 20, 4]]}, "polygon_outside_image"),
        ({"segmentation": [SQUARE, [1, 1, 20, 1, 20, 4]]}, "polygon_outside_image"),
        ({"segmentation": {"size": [6, 8]}}, "not_a_mask"),
        ({"segmentation": {"size": [6, 8], "counts": [3]}}, "not_a_mask"),
        ({"segmentation": 5}, "bad_shape"),
        ({"bbox": [1, 2, 3]}, "bad_shape"),
        ({"bbox": [1, 2, 3, "x"]}, "bad_box"),
        ({"bbox": [1, 2, -3, 3]}, "bad_box"),
        ({"bbox": [1, 2, 3, 3], "attributes": {"rotation": 30.0}}, "bad_box"),
        ({}, "bad_shape"),
    ],
)
def test_a_malformed_shape_costs_its_finding_on_its_image(
    tmp_path: Path, shape: dict[str, Any], reason: str
) -> None:
    found = items(tmp_path, shape, {"bbox": [1, 1, 1, 1], "category_id": 2})
    assert refusal(found[0]) == reason
    assert read(found[1]).boxes


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ({"images": 1}, "is not a COCO file; it needs the lists images, annotations, categories"),
        ({"images": [1]}, 'entry 1 of images: has no text or whole number "id"'),
        ({"images": [{"id": 1}]}, 'entry 1 of images: has no text or whole number "file_name"'),
        ({"images": IMAGES * 2}, "entry 2 of images has the id of another"),
        (
            {"categories": [{"id": True, "name": "x"}]},
            'entry 1 of categories: has no text or whole number "id"',
        ),
        ({"annotations": [[]]}, 'entry 1 of annotations: has no text or whole number "image_id"'),
        ({"images": []}, "holds no image"),
    ],
)
def test_a_file_that_is_malformed_as_a_whole_is_refused(
    tmp_path: Path, lists: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        items(tmp_path, {"bbox": [1, 1, 1, 1]}, **lists)
