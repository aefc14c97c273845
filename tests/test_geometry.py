from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.geometry import (
    box_pixels,
    cropped,
    edge_to_edge,
    mirrored,
    placed,
    resample_to_image,
    resample_to_pixels,
    resized,
    to_image,
    view,
    whole,
)
from pipeline.records import Box, Cells, Intensity, Placement, Shape

FILM = (2500, 2048)


def to_model(placement: Placement, points: NDArray[np.floating]) -> NDArray[np.float64]:
    """Points (n, 2), (row, column), from the image to the model's grid: the inverse of `to_image`."""
    return (np.asarray(points, np.float64) - placement.offset) / placement.scale


def classic(image: Shape = FILM) -> Placement:
    """A common recipe: shorter side to 512, centre crop of 480, resized to the 224 of a DenseNet."""
    shorter = resized(whole(image), (625, 512))
    return resized(cropped(shorter, (72, 16), (480, 480)), (224, 224))


PLACEMENTS = {
    "whole image": resized(whole((40, 31)), (6, 5)),
    "centre crop": resized(cropped(whole((40, 31)), (4, 3), (30, 20)), (6, 5)),
    "padded": resized(cropped(whole((40, 31)), (-5, -8), (50, 50)), (6, 5)),
    "mirrored crop": mirrored(resized(cropped(whole((40, 31)), (4, 3), (30, 20)), (6, 5))),
    "classic": classic(),
}


@pytest.fixture(params=PLACEMENTS)
def placement(request: pytest.FixtureRequest) -> Placement:
    return PLACEMENTS[request.param]


def image_point(placement: Placement, row: float, column: float) -> tuple[float, ...]:
    return tuple(to_image(placement, np.array([[row, column]]))[0])


def noise(shape: Shape) -> Intensity:
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def interpolated(relevance: Intensity, shape: Shape) -> NDArray[np.float64]:
    """Interpolation by torch in double precision; in single precision its positions are off by about 1e-6."""
    tensor = torch.from_numpy(relevance.astype(np.float64))[None, None]
    resampled = torch.nn.functional.interpolate(tensor, size=shape, mode="bilinear", align_corners=False)
    return np.asarray(resampled[0, 0])


def test_a_grid_that_is_the_image_moves_nothing() -> None:
    assert image_point(whole((40, 31)), 7, 5) == (7, 5)


def test_cell_centres_of_a_quarter_grid_lie_between_the_middle_pixels() -> None:
    quarter = resized(whole((8, 12)), (2, 3))  # 4 pixels per cell: the centre of pixels 0 … 3 is 1.5
    assert image_point(quarter, 0, 0) == (1.5, 1.5)
    assert image_point(quarter, 1, 2) == (5.5, 9.5)


def test_edges_stay_on_edges_when_a_grid_is_resized() -> None:
    odd = resized(whole((100, 70)), (7, 3))
    assert image_point(odd, -0.5, -0.5) == pytest.approx((-0.5, -0.5), abs=1e-12)
    assert image_point(odd, 6.5, 2.5) == pytest.approx((99.5, 69.5), abs=1e-12)


def test_a_crop_starts_at_its_top_left_pixel() -> None:
    assert image_point(cropped(whole((40, 31)), (4, 3), (30, 20)), 0, 0) == (4, 3)


def test_padding_starts_outside_the_image() -> None:
    assert image_point(cropped(whole((40, 31)), (-5, -8), (50, 50)), 5, 8) == (0, 0)


def test_a_mirror_exchanges_first_and_last_column() -> None:
    flipped = mirrored(whole((4, 6)))
    assert image_point(flipped, 1, 0) == (1, 5)
    assert image_point(flipped, 1, 5) == (1, 0)


def test_two_mirrors_are_none(placement: Placement) -> None:
    again = mirrored(mirrored(placement))
    assert again.scale == placement.scale
    assert again.offset == pytest.approx(placement.offset, abs=1e-12)


@pytest.mark.parametrize(
    ("cell", "pixel"),
    [
        # 2500 × 2048 → 625 × 512 gives 4 pixels per step; the crop starts at step (72, 16), so its edges lie
        # at pixels 288 - 0.5 and 64 - 0.5; 480 → 224 makes a cell 15/7 steps, 60/7 = 8.571 pixels.
        ((-0.5, -0.5), (287.5, 63.5)),
        ((0, 0), (287.5 + 30 / 7, 63.5 + 30 / 7)),
        ((111.5, 111.5), (1247.5, 1023.5)),  # half-way: 287.5 + 1920 / 2
        ((223.5, 223.5), (2207.5, 1983.5)),
    ],
)
def test_the_classic_recipe_lies_where_it_is_by_hand(
    cell: tuple[float, float], pixel: tuple[float, float]
) -> None:
    assert image_point(classic(), *cell) == pytest.approx(pixel, abs=1e-9)


def test_the_attribution_grid_lies_over_the_same_view() -> None:
    seven = resized(classic(), (7, 7))  # 1920 / 7 pixels per cell
    assert image_point(seven, 0, 6) == pytest.approx((287.5 + 960 / 7, 1983.5 - 960 / 7), abs=1e-9)
    assert astuple(view(seven)) == pytest.approx((63.5, 287.5, 1920, 1920), abs=1e-9)


def test_the_model_point_of_an_image_point_maps_back_to_it(placement: Placement) -> None:
    points = np.random.default_rng(0).uniform(-10, 2500, (50, 2))
    np.testing.assert_allclose(to_image(placement, to_model(placement, points)), points, atol=1e-9)
    np.testing.assert_allclose(to_model(placement, to_image(placement, points)), points, atol=1e-9)


def test_resizing_in_two_steps_is_resizing_at_once() -> None:
    twice = resized(resized(whole((40, 31)), (10, 11)), (6, 5))
    once = resized(whole((40, 31)), (6, 5))
    assert twice.scale == pytest.approx(once.scale, abs=1e-12)
    assert twice.offset == pytest.approx(once.offset, abs=1e-12)


def test_a_crop_of_a_crop_adds_up() -> None:
    assert cropped(cropped(whole((40, 31)), (4, 3), (30, 20)), (2, -1), (9, 9)) == cropped(
        whole((40, 31)), (6, 2), (9, 9)
    )


@pytest.mark.parametrize(
    ("placement", "box"),
    [
        (whole((4, 6)), Box(x=-0.5, y=-0.5, width=6, height=4)),
        (mirrored(whole((4, 6))), Box(x=-0.5, y=-0.5, width=6, height=4)),
        (cropped(whole((40, 31)), (4, 3), (30, 20)), Box(x=2.5, y=3.5, width=20, height=30)),
        (cropped(whole((40, 31)), (-5, -8), (50, 50)), Box(x=-8.5, y=-5.5, width=50, height=50)),
        (mirrored(cropped(whole((40, 31)), (4, 3), (30, 20))), Box(x=2.5, y=3.5, width=20, height=30)),
    ],
)
def test_the_view_is_what_the_model_saw_edge_to_edge(placement: Placement, box: Box) -> None:
    assert view(placement) == box


def test_two_cells_on_four_pixels() -> None:
    placed = resample_to_image(np.array([[0, 4]], np.float32), resized(whole((1, 4)), (1, 2)))
    # The cells' centres are at 0.5 and 2.5: a slope of 2 per pixel between them, flat on both sides.
    np.testing.assert_array_equal(placed, [[0, 1, 3, 4]])


def test_four_cells_on_two_pixels_are_read_between_their_centres() -> None:
    placed = resample_to_image(np.array([[0, 2, 4, 8]], np.float32), resized(whole((1, 2)), (1, 4)))
    np.testing.assert_array_equal(placed, [[1, 6]])


def test_what_was_cropped_off_is_zero() -> None:
    placed = resample_to_image(np.ones((2, 2), np.float32), cropped(whole((4, 5)), (1, 2), (2, 2)))
    np.testing.assert_array_equal(
        placed, [[0, 0, 0, 0, 0], [0, 0, 1, 1, 0], [0, 0, 1, 1, 0], [0, 0, 0, 0, 0]]
    )


@pytest.mark.parametrize(
    ("length", "seen"),
    [
        (3, [0, 1, 1, 1, 0]),  # 0.5 … 3.5
        (2.5, [0, 1, 1, 1, 0]),  # 0.75 … 3.25
        (2, [0, 1, 1, 0, 0]),  # 1 … 3: the view includes its first edge but not its last
        (1.9, [0, 0, 1, 0, 0]),  # 1.05 … 2.95
    ],
)
def test_a_pixel_is_seen_if_its_centre_is(length: float, seen: list[int]) -> None:
    placement = Placement(model_shape=(1, 1), image_shape=(1, 5), scale=(1, length), offset=(0, 2))
    np.testing.assert_array_equal(resample_to_image(np.ones((1, 1), np.float32), placement), [seen])


def test_padding_pushes_the_map_out_of_the_image() -> None:
    # Two columns of padding left and right of a 4 × 4 image: the outer cells cover padding only.
    padded = resized(cropped(whole((4, 4)), (0, -2), (4, 8)), (1, 4))
    placed = resample_to_image(np.array([[9, 0, 4, 9]], np.float32), padded)
    # Cells' centres are at -1.5, 0.5, 2.5 and 4.5.
    np.testing.assert_array_equal(placed[0], [2.25, 1, 3, 5.25])
    assert (placed == placed[0]).all()


def test_a_mirrored_map_lies_mirrored() -> None:
    flipped = mirrored(resized(whole((1, 4)), (1, 2)))
    np.testing.assert_array_equal(resample_to_image(np.array([[0, 4]], np.float32), flipped), [[4, 3, 1, 0]])


def test_mirroring_map_and_grid_changes_nothing(placement: Placement) -> None:
    relevance = noise((6, 5))
    again = resample_to_image(relevance[:, ::-1], mirrored(resized(placement, (6, 5))))
    np.testing.assert_allclose(again, resample_to_image(relevance, resized(placement, (6, 5))), atol=1e-6)


@pytest.mark.parametrize("grid", [(7, 7), (1, 1), (1, 3), (28, 14), (40, 31), (90, 77)])
@pytest.mark.parametrize("image", [(40, 31), (64, 64), (7, 100)])
def test_over_the_whole_image_it_is_the_interpolation_of_torch(grid: Shape, image: Shape) -> None:
    relevance = noise(grid)
    placed = resample_to_image(relevance, resized(whole(image), grid))
    assert placed.dtype == np.float32
    np.testing.assert_allclose(placed, interpolated(relevance, image), rtol=0, atol=1e-6)


def test_in_a_crop_it_is_the_interpolation_of_torch_within_the_crop() -> None:
    relevance = noise((6, 5))
    placed = resample_to_image(relevance, PLACEMENTS["centre crop"])
    np.testing.assert_allclose(placed[4:34, 3:23], interpolated(relevance, (30, 20)), rtol=0, atol=1e-6)
    placed[4:34, 3:23] = 0
    assert not placed.any()


def test_a_map_of_other_cells_than_those_placed_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a map of \(6, 5\) cells was placed as \(48, 40\) cells"):
        resample_to_image(noise((6, 5)), resized(whole((40, 31)), (48, 40)))


def test_cells_of_a_layer_lie_where_their_receptive_fields_do_by_hand() -> None:
    # DenseNet-121 reads 240 pixels with 7 cells, centred at 14 + 32 i; the image has two pixels for each.
    found = placed(resized(whole((480, 480)), (240, 240)), (Cells(14, 32, 7), Cells(14, 32, 7)))
    assert image_point(found, 0, 6) == (28.5, 412.5)  # input pixel x is centred at 2 x + ½
    # The last cell reaches half a cell, 16 pixels of the input, beyond 206, and the first one to the edge.
    assert astuple(view(found)) == pytest.approx((-0.5, -0.5, 445, 445), abs=1e-9)


def test_an_outer_cell_reaches_half_a_cell_beyond_its_centre_by_hand() -> None:
    cells = (Cells(0, 1, 1), Cells(1, 4, 2))
    row = resample_to_image(np.array([[4, 8]], np.float32), placed(whole((1, 9)), cells))
    np.testing.assert_array_equal(row, [[4, 4, 5, 6, 7, 8, 8, 0, 0]])


def test_in_a_crop_the_cells_end_with_the_view_by_hand() -> None:
    seen = cropped(whole((1, 8)), (0, 2), (1, 5))  # pixels 2 … 6
    row = resample_to_image(np.array([[0, 4]], np.float32), placed(seen, (Cells(0, 1, 1), Cells(0, 2, 2))))
    np.testing.assert_array_equal(row, [[0, 0, 0, 2, 4, 0, 0, 0]])  # 5 is half a cell from 4


def test_cells_from_edge_to_edge_are_the_resized_grid(placement: Placement) -> None:
    rows, columns = placement.model_shape
    cells = (edge_to_edge(rows, 3), edge_to_edge(columns, 7))
    over, wanted = placed(placement, cells), resized(placement, (3, 7))
    assert over.scale == pytest.approx(wanted.scale)
    assert over.offset == pytest.approx(wanted.offset)
    np.testing.assert_allclose(over.overhang, wanted.overhang)


def test_a_network_that_mirrors_its_input_has_its_cells_mirrored_by_hand() -> None:
    turned = placed(whole((1, 8)), (Cells(0, 1, 1), Cells(6, -4, 2)))  # cell 0 at pixel 6, cell 1 at 2
    row = resample_to_image(np.array([[8, 4]], np.float32), turned)
    np.testing.assert_array_equal(row, [[0, 4, 4, 5, 6, 7, 8, 8]])
    assert astuple(view(turned)) == pytest.approx((0, -0.5, 7.5, 1))


def test_equal_cells_give_exactly_equal_pixels() -> None:
    placed = resample_to_image(np.full((6, 5), 0.7, np.float32), PLACEMENTS["whole image"])
    assert (placed == np.float32(0.7)).all()


def test_the_value_of_a_pixel_does_not_depend_on_the_others_asked_for(placement: Placement) -> None:
    relevance, placement = noise((6, 5)), resized(placement, (6, 5))
    rows, columns = np.array([0, 1, 17, 38]), np.array([2, 3, 30])
    part = resample_to_pixels(relevance, placement, rows, columns)
    np.testing.assert_array_equal(part, resample_to_image(relevance, placement)[np.ix_(rows, columns)])


def test_no_pixels_asked_for_are_none_given() -> None:
    none = np.array([], np.intp)
    assert resample_to_pixels(noise((6, 5)), PLACEMENTS["whole image"], none, np.arange(3)).shape == (0, 3)


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        (Box(1, 0, 2, 1), [0, 1], [1, 2, 3]),  # centres on the edges are inside
        (Box(1.5, -0.5, 2, 1), [0], [2, 3]),
        (Box(-5, -5, 100, 100), [0, 1, 2], [0, 1, 2, 3, 4]),
        (Box(0.2, 0.2, 0.5, 0.5), [], []),  # between centres
        (Box(-5, 7, 4, 2), [], []),
    ],
)
def test_a_box_holds_the_pixels_whose_centres_it_holds(box: Box, rows: list[int], columns: list[int]) -> None:
    found = box_pixels(box, (3, 5))
    assert [list(range(n)[part]) for n, part in zip((3, 5), found, strict=True)] == [rows, columns]
