"""Tests of overlays in DICOM images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from pipeline.annotations.drawn import CROWDS
from pipeline.annotations.overlay import find
from pipeline.errors import ConfigError
from tests.annotations.dicom_masks import write_mask, write_overlay
from tests.annotations.tools import SHAPE, pixels, read, refusal

PLANE = np.array([[1, 1, 0], [0, 0, 0], [0, 0, 1]], bool)


def test_the_origin_counts_from_one_and_parts_are_lesions(tmp_path: Path) -> None:
    """Row 2, columns 3 and 4, and row 4, column 5, of an image of 6 × 8 pixels."""
    write_overlay(tmp_path / "a", PLANE, SHAPE, origin=(3, 4), SOPInstanceUID="1.7")
    (item,) = find(tmp_path, finding="mass")
    assert (item.image, item.finding, item.frame) == ("1.7", "mass", None)
    reference = read(item)
    expected = [pixels(slice(2, 3), slice(3, 5)), pixels(slice(4, 5), slice(5, 6))]
    np.testing.assert_array_equal(reference.masks, expected)
    assert reference.notices == (CROWDS,)


def test_pydicom_decodes_the_same_bits(tmp_path: Path) -> None:
    plane = np.random.default_rng(3).random(SHAPE) < 0.3
    write_overlay(tmp_path / "a", plane, SHAPE)
    (item,) = find(tmp_path, finding="mass")
    expected = dcmread(tmp_path / "a").overlay_array(0x6000)
    np.testing.assert_array_equal(np.logical_or.reduce(read(item).masks), expected)


def test_a_real_overlay_of_graphics_is_read_only_as_a_roi(tmp_path: Path) -> None:
    header = dcmread(str(get_testdata_file("examples_overlay.dcm")))
    expected = header.overlay_array(0x6000).astype(bool)
    header.save_as(tmp_path / "a.dcm")
    if header[0x60000040].value == "G":
        with pytest.raises(ConfigError, match="type ROI"):
            list(find(tmp_path))
        header[0x60000040].value = "R"
        header.save_as(tmp_path / "a.dcm")
    (item,) = find(tmp_path, finding="mass")
    masks = read(item, (int(header.Rows), int(header.Columns))).masks
    np.testing.assert_array_equal(np.logical_or.reduce(masks), expected)


def test_frames_that_begin_within_a_byte(tmp_path: Path) -> None:
    planes = np.stack([PLANE, ~PLANE])
    write_overlay(tmp_path / "a", planes, SHAPE, NumberOfFrames=5, PixelData=bytes(5 * 48))
    header = dcmread(tmp_path / "a")
    header.add_new(0x60000051, "US", 3)
    header.save_as(tmp_path / "a")
    found = list(find(tmp_path, finding="mass"))
    assert [item.frame for item in found] == [2, 3]
    for item, plane in zip(found, planes, strict=True):
        np.testing.assert_array_equal(np.logical_or.reduce(read(item).masks)[:3, :3], plane)


def test_the_label_of_a_plane_is_its_finding(tmp_path: Path) -> None:
    write_overlay(tmp_path / "a", PLANE, SHAPE)
    assert [item.finding for item in find(tmp_path)] == [None]
    header = dcmread(tmp_path / "a")
    header.add_new(0x60000022, "LO", "drawn by hand")
    header.save_as(tmp_path / "a")
    assert [item.finding for item in find(tmp_path)] == ["drawn by hand"]
    header.add_new(0x60001500, "LO", "Mass")
    header.save_as(tmp_path / "a")
    assert [item.finding for item in find(tmp_path)] == ["Mass"]


def test_a_plane_without_a_pixel_says_that_the_finding_is_absent(tmp_path: Path) -> None:
    write_overlay(tmp_path / "a", np.zeros((2, 2), bool), SHAPE)
    (item,) = find(tmp_path)
    assert read(item).lesions == 0


def test_an_empty_border_of_a_plane_may_lie_outside(tmp_path: Path) -> None:
    plane = np.zeros((9, 12), bool)
    plane[3, 4] = True
    write_overlay(tmp_path / "a", plane, SHAPE, origin=(-1, -2))
    (item,) = find(tmp_path)
    np.testing.assert_array_equal(read(item).masks, [pixels(slice(1, 2), slice(1, 2))])


@pytest.mark.parametrize(
    ("origin", "size", "reason"),
    [((5, 1), SHAPE, "mask_size"), ((1, 0), SHAPE, "mask_size"), ((1, 1), (6, 9), "mask_size")],
    ids=["below", "to the left", "an image of another size"],
)
def test_pixels_outside_the_image_are_refused(
    tmp_path: Path, origin: tuple[int, int], size: tuple[int, int], reason: str
) -> None:
    write_overlay(tmp_path / "a", PLANE, size, origin=origin)
    (item,) = find(tmp_path)
    assert refusal(item) == reason


def test_embedded_and_incomplete_planes_are_refused(tmp_path: Path) -> None:
    write_overlay(tmp_path / "a", PLANE, SHAPE)
    header = dcmread(tmp_path / "a")
    header[0x60000010].value = 9
    header.save_as(tmp_path / "a")
    (item,) = find(tmp_path)
    assert refusal(item) == "not_a_mask"
    del header[0x60003000]
    header.save_as(tmp_path / "a")
    (item,) = find(tmp_path)
    assert refusal(item) == "not_a_mask"


def test_images_without_overlays_are_no_annotations(tmp_path: Path) -> None:
    write_mask(tmp_path / "a", np.zeros(SHAPE, np.uint8))
    (tmp_path / "b.txt").write_text("DICM")
    with pytest.raises(ConfigError, match="no DICOM image has overlays"):
        list(find(tmp_path))
