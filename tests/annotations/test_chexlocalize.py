"""Tests of the polygons of CheXlocalize, with Pillow, by which its own script draws them, as the judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipeline.annotations import read_annotation
from pipeline.annotations.chexlocalize import find
from pipeline.errors import CaseError, ConfigError
from pipeline.records import AnnotationItem, Point

SIZE = [6, 8]
SQUARE = [[1.2, 1.25], [4.6, 1.25], [4.6, 3.75], [1.2, 3.75]]


def items(folder: Path, content: Any) -> list[AnnotationItem]:
    file = folder / "gt_annotations_val.json"
    file.write_text(json.dumps(content))
    return list(find(file))


def test_polygons_cover_the_pixels_that_the_published_masks_do(tmp_path: Path) -> None:
    (item,) = items(tmp_path, {"patient1_study1_view1_frontal": {"img_size": SIZE, "Edema": [SQUARE]}})
    assert (item.image, item.finding, item.kind) == ("patient1_study1_view1_frontal", "Edema", "polygon")
    reference = read_annotation(item, case_id="c", finding="edema", shape=(6, 8))
    picture = Image.new("1", (8, 6))
    ImageDraw.Draw(picture).polygon([(x, y) for x, y in SQUARE], outline=1, fill=1)
    np.testing.assert_array_equal(reference.masks, [np.asarray(picture)])
    np.testing.assert_allclose(reference.polygons, [np.array(SQUARE) - 0.5], atol=1e-6)


def test_each_polygon_is_a_lesion_and_none_means_absent(tmp_path: Path) -> None:
    two, none = items(tmp_path, {"7": {"img_size": SIZE, "Edema": [SQUARE, SQUARE], "Nodule": []}})
    assert [read_annotation(i, case_id="c", finding="f", shape=(6, 8)).lesions for i in (two, none)] == [2, 0]


def test_pairs_of_numbers_are_points(tmp_path: Path) -> None:
    (item,) = items(tmp_path, {"7": {"img_size": SIZE, "Edema": [[1.5, 2], [4, 4]]}})
    reference = read_annotation(item, case_id="c", finding="edema", shape=(6, 8))
    assert (item.kind, reference.points) == ("point", (Point(1, 1.5), Point(3.5, 3.5)))


def test_another_size_and_a_malformed_polygon_are_refused(tmp_path: Path) -> None:
    whole, broken = items(tmp_path, {"7": {"img_size": SIZE, "Edema": [SQUARE], "Nodule": [[1, 2, 3]]}})
    for item, shape, reason in ((whole, (8, 6), "mask_size"), (broken, (6, 8), "bad_polygon")):
        with pytest.raises(CaseError) as refused:
            read_annotation(item, case_id="c", finding="f", shape=shape)
        assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "names no image"),
        ({}, "names no image"),
        ({"7": {"Edema": [SQUARE]}}, r"image 1 has no img_size"),
        ({"7": {"img_size": [1.5, 2]}}, r"image 1 has no img_size"),
        ({"7": []}, r"image 1 has no img_size"),
        ({"7": {"img_size": SIZE, "Edema": {}}}, "image 1 has a finding without a list"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        items(tmp_path, content)
