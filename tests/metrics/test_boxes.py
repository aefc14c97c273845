import pytest

from pipeline.metrics.boxes import box_intersection_over_union
from pipeline.records import Box
from tests.metrics.samples import boxes, drawing, mask, values

BLOCK = mask(
    "......",
    ".##...",
    ".##...",
    "......",
)
CORNERS = mask(
    ".#....",
    "..#...",
    "......",
    "......",
)
AROUND_BLOCK = Box(x=0.5, y=0.5, width=2, height=2)


def test_the_box_around_pixels_1_and_2_reaches_from_a_half_to_two_and_a_half() -> None:
    assert values("box_iou", drawing(BLOCK), boxes(AROUND_BLOCK)) == (1.0,)


def test_a_box_moved_by_one_pixel_shares_two_of_six() -> None:
    moved = Box(x=1.5, y=0.5, width=2, height=2)
    assert values("box_iou", drawing(BLOCK), boxes(moved)) == (pytest.approx(2 / 6),)


def test_a_box_moved_by_half_a_pixel_shares_three_of_five() -> None:
    moved = Box(x=1.0, y=0.5, width=2, height=2)
    assert values("box_iou", drawing(BLOCK), boxes(moved)) == (pytest.approx(3 / 5),)


def test_a_region_counts_by_its_bounding_box() -> None:
    around = Box(x=0.5, y=-0.5, width=2, height=2)
    assert values("box_iou", drawing(CORNERS), boxes(around)) == (1.0,)


def test_each_box_takes_the_best_region_and_none_is_zero() -> None:
    far = Box(x=4.5, y=2.5, width=1, height=1)
    drawn = drawing(BLOCK, mask("....#.", "......", "......", "......"))
    assert values("box_iou", drawn, boxes(AROUND_BLOCK, far)) == (1.0, 0.0)


def test_boxes_that_touch_share_nothing() -> None:
    assert box_intersection_over_union(Box(0, 0, 2, 2), Box(2, 0, 2, 2)) == 0


def test_boxes_apart_in_both_directions_share_nothing() -> None:
    assert box_intersection_over_union(Box(0, 0, 4, 4), Box(5, 5, 4, 4)) == 0


def test_boxes_without_area_share_nothing() -> None:
    assert box_intersection_over_union(Box(1, 1, 0, 0), Box(1, 1, 0, 0)) == 0


def test_of_a_drawn_box_of_four_two_lie_in_the_reference_of_eight() -> None:
    # Shared 2: a half of the drawn box's 4 pixels; of the reference's 8 it would be a quarter.
    beside = Box(x=1.5, y=0.5, width=4, height=2)
    assert values("iobb", drawing(BLOCK), boxes(beside)) == (0.5,)
    assert values("box_iou", drawing(BLOCK), boxes(beside)) == (pytest.approx(2 / 10),)


def test_a_drawn_box_inside_the_reference_is_perfect_by_iobb() -> None:
    assert values("iobb", drawing(BLOCK), boxes(Box(x=-0.5, y=-0.5, width=6, height=4))) == (1.0,)


def test_iobb_takes_the_best_region_for_each_box() -> None:
    drawn = drawing(BLOCK, mask("....##", "......", "......", "......"))
    half = Box(x=4.5, y=-0.5, width=1, height=1)
    assert values("iobb", drawn, boxes(half, AROUND_BLOCK)) == (0.5, 1.0)
