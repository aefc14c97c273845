"""Tests of planes: hand-worked places of frames and of the grids of their maps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.exports.planes import (
    aspect_of,
    plane_of,
    plane_of_grid,
    spacing_of,
    spacing_shown,
    stand_in_plane,
)
from pipeline.geometry import mirrored, resized, to_image, whole
from tests.exports.made import MODALITIES, SHAPE

GRID = resized(whole(SHAPE), (8, 6))
"""Cells of 8 × 8 pixels, the first centred at 3.5, 3.5."""


def header_of(modality: str):
    return MODALITIES[modality]()[0].header


def test_a_slice_lies_where_its_header_says():
    plane = plane_of(header_of("CT series"), 0)
    assert plane.position == (10.0, -20.0, 30.0)
    assert plane.along == (0.8, 0.6, 0.0)
    assert plane.spacing_mm == (0.5, 0.25)


def test_a_frame_of_an_enhanced_image_lies_where_its_functional_groups_say():
    assert plane_of(header_of("enhanced CT"), 1).position == (0.0, 0.0, 2.5)


def test_the_position_in_a_header_is_that_of_one_frame_alone():
    header = header_of("CT series")
    header.NumberOfFrames = "2"
    assert plane_of(header, 0) is None


@pytest.mark.parametrize("missing", ["FrameOfReferenceUID", "ImagePositionPatient", "PixelSpacing"])
def test_without_any_part_there_is_no_plane(missing):
    header = header_of("MR series")
    delattr(header, missing)
    assert plane_of(header, 0) is None


def test_radiographs_have_no_plane():
    assert plane_of(header_of("DX"), 0) is None


def test_the_first_cell_lies_three_and_a_half_pixels_in():
    plane = plane_of_grid(plane_of(header_of("CT series"), 0), GRID)
    # 10 + 0.8 · 0.25 · 3.5, -20 + 0.6 · 0.25 · 3.5, 30 - 0.5 · 3.5
    np.testing.assert_allclose(plane.position, (10.7, -19.475, 28.25))
    assert plane.spacing_mm == (4.0, 2.0)


@pytest.mark.parametrize("grid", [GRID, mirrored(GRID), replace(GRID, offset=(-2.25, 7.5))])
def test_every_cell_lies_where_its_place_on_the_image_does(grid):
    image = plane_of(header_of("MR series"), 0)
    own = plane_of_grid(image, grid)
    cells = np.array([[0, 0], [0, 5], [7, 0], [7, 5]])
    np.testing.assert_allclose(in_patient(own, cells), in_patient(image, to_image(grid, cells)))


def in_patient(plane, points):
    """Points (row, column) by the equation of PS3.3, C.7.6.2.1.1."""
    steps = np.array([plane.down, plane.along]) * np.array(plane.spacing_mm)[:, None]
    return np.array(plane.position) + np.asarray(points) @ steps


def test_a_plane_that_stands_in_has_the_directions_that_the_image_states():
    header = header_of("DX")
    plane = stand_in_plane(header, (0.5, 0.25), frame_of_reference="1.2")
    assert (plane.along, plane.down) == ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0))
    assert (plane.position, plane.spacing_mm, plane.frame_of_reference) == (
        (0.0, 0.0, 0.0),
        (0.5, 0.25),
        "1.2",
    )


@pytest.mark.parametrize("stated", [None, ["L", "L"], ["L"], ["X", "F"]])
def test_directions_that_are_unknown_or_equal_are_those_of_x_and_y(stated):
    header = header_of("DX")
    header.PatientOrientation = stated
    plane = stand_in_plane(header, None, frame_of_reference="1.2")
    assert (plane.along, plane.down) == ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
    assert plane.spacing_mm == (1.0, 1.0)


def test_spacing_is_that_of_the_patient_before_that_of_the_detector():
    header = header_of("DX")
    assert spacing_of(header, 0) == (0.5, 0.25)
    header.PixelSpacing = [0.4, 0.2]
    assert spacing_of(header, 0) == (0.4, 0.2)
    assert spacing_of(header_of("enhanced CT"), 0) == (0.5, 0.25)
    assert spacing_of(header_of("US multi-frame"), 0) is None


def test_the_spacing_of_the_run_counts_where_an_image_lies_nowhere():
    """0.3 mm at the detector, magnified by 1.5, are 0.2 mm in the run."""
    header = header_of("MG")
    header.ImagerPixelSpacing, header.EstimatedRadiographicMagnificationFactor = [0.3, 0.3], "1.5"
    assert spacing_shown(header, 0, (0.2, 0.2)) == (0.2, 0.2)
    assert spacing_shown(header, 0, None) is None
    assert spacing_shown(header_of("CT series"), 0, (0.2, 0.2)) == (0.5, 0.25)


def test_the_aspect_of_pixels_is_their_height_over_their_width():
    header = header_of("US multi-frame")
    assert aspect_of(header) == 1
    header.PixelAspectRatio = ["3", "2"]
    assert aspect_of(header) == 1.5
