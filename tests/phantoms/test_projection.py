"""Projection against lengths worked by hand."""

import numpy as np
import pytest

from pipeline.phantoms.projection import (
    Body,
    Chord,
    Detector,
    chord,
    counted,
    length,
    length_outside,
    log_converted,
    overlap,
    rays,
    tilted_slab,
    transmitted,
    window_around,
)

SPHERE = Body(center=(0, 0, 0), semi_axes=(10, 10, 10))


def steps(*, size: int = 5, spacing_mm: float = 1.0) -> Detector:
    return Detector(size=size, spacing_mm=spacing_mm)


def between(near: float, far: float) -> Chord:
    return Chord(np.array([[near]], np.float32), np.array([[far]], np.float32))


def test_a_ray_through_a_spheres_centre_is_inside_for_its_diameter() -> None:
    assert length(chord(rays(steps()), SPHERE))[2, 2] == pytest.approx(20)


def test_a_ray_six_beside_the_centre_of_a_sphere_of_ten_is_inside_for_sixteen() -> None:
    across = length(chord(rays(steps(spacing_mm=6)), SPHERE))[2]
    assert across == pytest.approx([0, 16, 20, 16, 0])


def test_a_superellipsoid_of_high_exponent_is_nearly_a_box() -> None:
    box = Body(center=(0, 0, 0), semi_axes=(10, 10, 4), exponent=40)
    assert length(chord(rays(steps(spacing_mm=4)), box))[2] == pytest.approx([8, 8, 8, 8, 8], rel=0.01)


def test_a_body_turned_clockwise_by_90_degrees_lies_along_the_columns() -> None:
    flat = Body(center=(0, 0, 0), semi_axes=(10, 1, 1), angle_degrees=90)
    inside = length(chord(rays(steps(spacing_mm=4)), flat)) > 0
    assert inside[:, 2].all()
    assert inside.sum() == 5


def test_turning_the_detectors_view_carries_a_body_clockwise_about_the_origin() -> None:
    right = Body(center=(8, 0, 0), semi_axes=(1, 1, 1))
    detector = Detector(size=5, spacing_mm=4, angle_degrees=90)
    inside = length(chord(rays(detector), right)) > 0
    assert np.argwhere(inside).tolist() == [[4, 2]]  # from the right edge to the bottom


def test_the_patients_origin_is_seen_shifted() -> None:
    detector = Detector(size=5, spacing_mm=1, shift_mm=(2, -1))
    assert np.argwhere(length(chord(rays(detector), SPHERE)) == 20).tolist() == [[1, 4]]


@pytest.mark.parametrize("angle", [0, 33, 90, 200])
@pytest.mark.parametrize("exponent", [2, 4])
def test_no_ray_outside_the_window_around_a_body_meets_it(angle: float, exponent: float) -> None:
    body = Body(center=(9, -14, 3), semi_axes=(12, 5, 2), angle_degrees=50, exponent=exponent)
    detector = Detector(size=40, spacing_mm=2, shift_mm=(3, 4), angle_degrees=angle)
    inside = length(chord(rays(detector), body)) > 0
    window = window_around(detector, body)
    assert inside.sum() > 0
    assert inside[window].sum() == inside.sum()
    assert inside[window].size < inside.size / 4


def test_a_body_beyond_the_detector_has_an_empty_window() -> None:
    rows, columns = window_around(steps(), Body(center=(100, 0, 0), semi_axes=(3, 3, 3)))
    assert columns.start == columns.stop
    assert rows == slice(0, 5)


def test_a_slab_that_falls_half_a_mm_a_mm_is_met_at_twice_the_height() -> None:
    slab = tilted_slab(rays(steps()), y=0, half_height_mm=1, slope=0.5)
    assert (slab.near[4, 0], slab.far[4, 0]) == (2, 6)  # at y = 2: around the depth of 4


def test_overlap_is_what_both_hold() -> None:
    assert length(overlap(between(0, 6), between(4, 9))).item() == 2
    assert length(overlap(between(0, 3), between(4, 9))).item() == 0


def test_what_lies_outside_two_overlapping_bodies_is_not_taken_away_twice() -> None:
    # 0 … 10 without 2 … 6 and 4 … 7 leaves 0 … 2 and 7 … 10.
    assert length_outside(between(0, 10), [between(2, 6), between(4, 7)]).item() == 5


def test_a_missed_body_takes_nothing_away() -> None:
    assert length_outside(between(0, 10), [between(3, 3), between(20, 30)]).item() == 10


def test_beer_lambert_leaves_half_the_photons_behind_a_half_value_layer() -> None:
    integral = np.full((1, 1), np.log(2), np.float32)
    assert transmitted(integral, photons=1000).item() == pytest.approx(500)


def test_log_conversion_undoes_beer_lambert() -> None:
    integral = np.linspace(0, 6, 12, dtype=np.float32).reshape(3, 4)
    assert log_converted(transmitted(integral, photons=5e4), photons=5e4) == pytest.approx(integral, abs=1e-5)


def test_a_pixel_without_a_photon_stays_finite() -> None:
    assert log_converted(np.zeros((1, 1), np.float32), photons=1000).item() == pytest.approx(np.log(2000))


def test_photon_noise_has_the_variance_of_its_mean() -> None:
    counts = counted(np.full((200, 200), 400, np.float32), np.random.default_rng(0))
    assert counts.mean() == pytest.approx(400, rel=0.002)
    assert counts.var() == pytest.approx(400, rel=0.03)
