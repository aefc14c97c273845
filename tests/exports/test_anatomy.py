"""Tests of anatomy: body part and side of frames and of series."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from pipeline.exports.anatomy import add_body_part, anatomy_of


def image(part: str = "", side: str = "") -> Dataset:
    header = Dataset()
    header.BodyPartExamined, header.ImageLaterality = part, side
    return header


@pytest.mark.parametrize(
    ("header", "code", "side"),
    [
        (image("BREAST", "L"), "76752008", "L"),
        (image("CHEST"), "51185008", "U"),
        (image("WRIST"), "123037004", "U"),
        (Dataset(), "123037004", "U"),
    ],
)
def test_the_anatomy_of_a_frame_is_that_of_its_image(header, code, side):
    found = anatomy_of(header)
    assert found.AnatomicRegionSequence[0].CodeValue == code
    assert found.FrameLaterality == side


@pytest.mark.parametrize(
    ("images", "part", "side"),
    [
        ([image("CHEST"), image("CHEST")], "CHEST", "absent"),
        ([image("BREAST", "R"), image("BREAST", "R")], "BREAST", "R"),
        ([image("BREAST", "R"), image("BREAST", "L")], "BREAST", ""),
        ([image("CHEST"), image("ABDOMEN")], "absent", ""),
        ([image()], "absent", ""),
    ],
)
def test_a_series_has_the_part_and_side_of_all_its_images(images, part, side):
    made = Dataset()
    add_body_part(made, images)
    assert made.get("BodyPartExamined", "absent") == part
    assert (made.Laterality or "" if "Laterality" in made else "absent") == side
