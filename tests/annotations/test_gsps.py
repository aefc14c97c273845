"""Tests of graphics in DICOM presentation states."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from pipeline.annotations.gsps import find
from pipeline.errors import CaseError, ConfigError
from pipeline.records import AnnotationItem
from tests.annotations.dicom_graphics import Graphic, picture, write_presentation_state
from tests.annotations.dicom_masks import write_overlay
from tests.annotations.tools import SHAPE, SQUARE, pixels, read, refusal

CLOSED = [*SQUARE, SQUARE[0]]


def items(folder: Path, *graphics: Graphic, **options: object) -> list[AnnotationItem]:
    write_presentation_state(folder / "a", {"NODULE": graphics}, picture("7", SHAPE))
    return list(find(folder, **options))


def test_a_polyline_counts_from_the_corner_and_its_layer_is_the_finding(tmp_path: Path) -> None:
    (item,) = items(tmp_path, Graphic("POLYLINE", CLOSED, filled=True))
    assert (item.image, item.finding, item.frame, item.kind) == ("7", "NODULE", None, "polygon")
    np.testing.assert_array_equal(read(item).masks, [pixels(slice(1, 3), slice(1, 4))])


def test_the_source_may_state_the_finding(tmp_path: Path) -> None:
    (item,) = items(tmp_path, Graphic("POLYLINE", CLOSED), finding="Nodule", reader="second")
    assert (item.finding, item.reader) == ("Nodule", "second")


def test_a_circle_and_an_ellipse_are_two_lesions(tmp_path: Path) -> None:
    """Around the centres of pixels (row 2, column 2) and (row 3, column 5)."""
    circle = Graphic("CIRCLE", [(2.5, 2.5), (2.5, 3.75)])
    ellipse = Graphic("ELLIPSE", [(4, 3.5), (7, 3.5), (5.5, 3), (5.5, 4)])
    (item,) = items(tmp_path, circle, ellipse)
    cross = pixels(slice(2, 3), slice(1, 4)) | pixels(slice(1, 4), slice(2, 3))
    np.testing.assert_array_equal(read(item).masks, [cross, pixels(slice(3, 4), slice(4, 7))])


def test_a_point_of_a_frame(tmp_path: Path) -> None:
    items(tmp_path, Graphic("POINT", [(3.5, 2)]))
    state = dcmread(tmp_path / "a")
    state.GraphicAnnotationSequence[0].ReferencedImageSequence[0].ReferencedFrameNumber = 2
    state.save_as(tmp_path / "a")
    (item,) = find(tmp_path)
    assert (item.kind, item.frame) == ("point", 1)
    assert [(p.x, p.y) for p in read(item).points] == [(3, 1.5)]


@pytest.mark.parametrize(
    ("graphic", "reason"),
    [
        (Graphic("POLYLINE", [(0.1, 0.1), (0.9, 0.1), (0.5, 0.9), (0.1, 0.1)], "DISPLAY"), "bad_shape"),
        (Graphic("POLYLINE", SQUARE), "no_area"),
        (Graphic("INTERPOLATED", CLOSED), "bad_shape"),
    ],
    ids=["display", "open", "interpolated"],
)
def test_what_marks_no_area_of_the_image_is_refused(tmp_path: Path, graphic: Graphic, reason: str) -> None:
    (item,) = items(tmp_path, graphic)
    assert refusal(item) == reason


def test_a_graphic_without_image_is_drawn_on_all_images_of_the_state(tmp_path: Path) -> None:
    items(tmp_path, Graphic("POLYLINE", CLOSED))
    state = dcmread(tmp_path / "a")
    del state.GraphicAnnotationSequence[0].ReferencedImageSequence
    images = state.ReferencedSeriesSequence[0].ReferencedImageSequence
    images.append(deepcopy(images[0]))
    images[1].ReferencedSOPInstanceUID = "8"
    state.save_as(tmp_path / "a")
    assert [item.image for item in find(tmp_path)] == ["7", "8"]


def test_a_state_without_graphics_and_a_folder_without_states(tmp_path: Path) -> None:
    items(tmp_path, Graphic("POLYLINE", CLOSED))
    state = dcmread(tmp_path / "a")
    del state.GraphicAnnotationSequence
    state.save_as(tmp_path / "a")
    (item,) = find(tmp_path)
    with pytest.raises(CaseError, match="has no graphic or overlay"):
        read(item)
    (tmp_path / "a").unlink()
    with pytest.raises(ConfigError, match="holds no gsps files"):
        list(find(tmp_path))


def test_nothing_of_the_state_but_layers_comes_out(tmp_path: Path) -> None:
    (item,) = items(tmp_path, Graphic("POLYLINE", CLOSED))
    assert "Roe" not in repr(item)


def test_each_part_of_an_overlay_is_a_lesion_on_all_images_of_the_state(tmp_path: Path) -> None:
    """A plane of 4 × 9 pixels that begins above and left of the image, which has 6 × 8."""
    items(tmp_path, Graphic("POLYLINE", CLOSED))
    state = dcmread(tmp_path / "a")
    del state.GraphicAnnotationSequence
    plane = np.zeros((4, 9), np.uint8)
    plane[2:4, 1:3] = plane[3, 8] = 1
    write_overlay(tmp_path / "b", plane, SHAPE, origin=(0, 0))
    for element in dcmread(tmp_path / "b").group_dataset(0x6000):
        state.add(element)
    state.add_new(0x60001001, "CS", "NODULE")
    state.save_as(tmp_path / "a")
    (tmp_path / "b").unlink()
    (item,) = find(tmp_path)
    assert (item.image, item.finding) == ("7", "NODULE")
    wanted = [pixels(slice(1, 3), slice(0, 2)), pixels(slice(2, 3), slice(7, 8))]
    np.testing.assert_array_equal(read(item).masks, wanted)
    assert refusal(item, (6, 7)) == "mask_size"
    state.add_new(0x60000015, "IS", 2)
    state.save_as(tmp_path / "a")
    (item,) = find(tmp_path)
    assert refusal(item) == "not_a_mask"
