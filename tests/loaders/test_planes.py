"""Tests of where a header says that its image lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.loaders import read_header
from pipeline.records import ImagePlane

PLACE = {
    "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "ImagePositionPatient": [-5, 2.5, 7],
    "PixelSpacing": [0.5, 0.25],
    "FrameOfReferenceUID": "1.2.9",
}
PIXELS = [[0, 1], [2, 3]]


def test_an_image_lies_where_its_header_says(write, tmp_path: Path) -> None:
    (source,) = read_header(write(PIXELS, **PLACE), root=tmp_path)
    assert source.plane == ImagePlane((1, 0, 0), (0, 1, 0), (-5, 2.5, 7), (0.5, 0.25), "1.2.9")


@pytest.mark.parametrize(
    "changes",
    [
        {"ImageOrientationPatient": None},
        {"ImageOrientationPatient": [1, 0, 0]},
        {"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]},
    ],
)
def test_a_bad_orientation_stops_no_image(write, tmp_path: Path, changes: dict[str, object]) -> None:
    elements = {name: value for name, value in (PLACE | changes).items() if value is not None}
    (source,) = read_header(write(PIXELS, **elements), root=tmp_path)
    assert source.plane is None
