"""Tests of planes of images."""

from __future__ import annotations

import math

import pytest

from pipeline.records import ImagePlane, image_plane

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def test_a_plane_has_unit_vectors() -> None:
    assert image_plane((2, 0, 0, 0, -3, 0), (1, 2, 3), (0.5, 0.25), "1.2") == ImagePlane(
        (1, 0, 0), (0, -1, 0), (1, 2, 3), (0.5, 0.25), "1.2"
    )


@pytest.mark.parametrize(
    "orientation", [(), (1, 0, 0), (0, 0, 0, 0, 1, 0), (1, 0, 0, 1, 0, 0), (math.nan, 0, 0, 0, 1, 0)]
)
def test_what_is_no_plane(orientation: tuple[float, ...]) -> None:
    assert image_plane(orientation) is None


@pytest.mark.parametrize(("position", "spacing"), [((1, 2), (1,)), ((), (0, 1))])
def test_what_is_incomplete_is_unknown(position: tuple[float, ...], spacing: tuple[float, ...]) -> None:
    plane = image_plane(AXIAL, position, spacing)
    assert plane == ImagePlane((1, 0, 0), (0, 1, 0))
