"""Tests of regions: the body, and places to which a region can be moved."""

import numpy as np
from numpy.typing import NDArray

from pipeline.probes.regions import body, moved, nearest_place, places, widened

SHAPE = (300, 240)


def thorax() -> NDArray[np.float32]:
    """A bright ellipse with two dark lungs in front of a black background."""
    rows, columns = np.indices(SHAPE)

    def ellipse(row: float, column: float, height: float, width: float) -> NDArray[np.bool_]:
        return ((rows - row) / height) ** 2 + ((columns - column) / width) ** 2 <= 1

    image = np.where(ellipse(150, 120, 130, 100), 0.6, 0.0)
    image[ellipse(140, 80, 80, 30) | ellipse(140, 160, 80, 30)] = 0.1
    return image.astype(np.float32)


def square(top: int, left: int, side: int = 16) -> NDArray[np.bool_]:
    region = np.zeros(SHAPE, bool)
    region[top : top + side, left : left + side] = True
    return region


def test_body_holds_dark_parts_that_it_encloses() -> None:
    rows, columns = np.indices(SHAPE)
    outline = ((rows - 150) / 130) ** 2 + ((columns - 120) / 100) ** 2 <= 1
    found = body(thorax())
    assert (found & outline).sum() / (found | outline).sum() > 0.95
    assert found[140, 80]
    assert not found[:10].any()


def test_a_region_in_a_lung_is_moved_within_the_lungs() -> None:
    image, region = thorax(), square(120, 70)
    found = places(image, region, within=body(image), without=region)
    best = moved(region, found[0])
    assert best.sum() == region.sum()
    assert not (best & region).any()
    assert np.abs(image[best] - 0.1).max() < 1e-6
    assert found[0].contrast < 0.02
    assert [shift.contrast for shift in found] == sorted(shift.contrast for shift in found)


def test_places_lie_apart_within_the_body_and_touch_no_annotation() -> None:
    image, region = thorax(), square(120, 70)
    other = square(100, 150, 40)
    tissue = body(image)
    found = [moved(region, shift) for shift in places(image, region, within=tissue, without=other | region)]
    assert len(found) > 10
    assert np.sum(found, axis=0).max() == 1
    assert all((place <= tissue).all() for place in found)
    assert not any((place & (other | region)).any() for place in found)


def test_a_region_as_large_as_the_body_fits_nowhere() -> None:
    image = thorax()
    region = body(image)
    assert places(image, region, within=region, without=region) == []


def test_widened_regions_have_a_margin() -> None:
    region = square(100, 100, 40)
    wide = widened(region)
    assert (wide >= region).all()
    rows, columns = np.nonzero(wide)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (96, 143, 96, 143)


def test_large_images_are_searched_on_a_coarse_grid_but_moved_by_pixels() -> None:
    image = np.kron(thorax(), np.ones((4, 4), np.float32))
    region = np.kron(square(120, 70), np.ones((4, 4), bool))
    found = places(image, region, within=body(image), without=region)
    best = moved(region, found[0])
    assert best.sum() == region.sum()
    assert np.abs(image[best] - 0.1).max() < 1e-6


def test_the_nearest_place_is_where_it_is_or_the_least_move_away() -> None:
    within = square(100, 100, 100)
    there = nearest_place(square(120, 120), within=within)
    assert there is not None
    assert (there.rows, there.columns) == (0, 0)
    out = nearest_place(square(90, 120), within=within)
    assert out is not None
    assert abs(out.rows - 10) <= 3
    assert out.columns == 0
    assert (moved(square(90, 120), out) <= within).all()


def test_a_place_that_is_far_is_no_near_one() -> None:
    assert nearest_place(square(10, 10), within=square(200, 150, 60)) is None
    assert nearest_place(square(10, 10, 80), within=square(10, 10, 40)) is None
