"""Boxes whose numbers are no pixels, on images of 100 rows and 200 columns."""

from __future__ import annotations

import pytest

from pipeline.records import Box
from pipeline.validation.checks import box_units, rectangles
from pipeline.validation.facts import ImageFacts
from tests.validation.facts import drawn, found, image

CORNER = 0.5
"""Pixels from the image's corner to the centre of its first pixel."""


def boxes(
    *corners: tuple[float, float, float, float], reader: str = "anna", **facts: object
) -> list[ImageFacts]:
    """One image per box (x, y, width, height), counted from the image's corner."""
    return [
        image(
            f"{reader}{number}",
            drawn(reader=reader, kind="box", boxes=(Box(x - CORNER, y - CORNER, width, height),)),
            **facts,
        )
        for number, (x, y, width, height) in enumerate(corners)
    ]


SHARES = boxes((0.29, 0.26, 0.27, 0.23), (0.36, 0.32, 0.33, 0.27), (0.41, 0.22, 0.23, 0.19))
PIXELS = boxes((120, 30, 40, 20), (20, 60, 50, 30), reader="bert")


def test_boxes_of_which_none_is_a_pixel_wide_are_shares() -> None:
    (problem,) = found(box_units.IN_SHARES, *SHARES, *PIXELS)
    assert problem.items == 3
    assert problem.reader == "anna"
    assert problem.subjects == ("anna0", "anna1", "anna2")
    assert found(box_units.SMALLER_THAN_A_PIXEL, *SHARES) == []  # one report is enough


def test_shares_around_a_centre_may_end_beyond_one() -> None:
    assert found(box_units.IN_SHARES, *boxes((0.9, 0.8, 0.9, 0.3)))


def test_a_single_box_of_a_pixel_elsewhere_is_no_share() -> None:
    assert found(box_units.IN_SHARES, *boxes((0.2, 0.2, 0.5, 0.5), (40, 0.2, 0.5, 0.5))) == []


def test_on_an_image_of_a_few_pixels_a_box_may_be_a_pixel() -> None:
    assert found(box_units.IN_SHARES, *boxes((0.2, 0.2, 0.5, 0.5), shape=(15, 15))) == []


def test_shares_among_pixels_are_boxes_smaller_than_a_pixel() -> None:
    mixed = boxes((0.29, 0.26, 0.27, 0.23), (120, 30, 40, 20))
    assert found(box_units.IN_SHARES, *mixed) == []
    (problem,) = found(box_units.SMALLER_THAN_A_PIXEL, *mixed)
    assert problem.message == "A box is 0.27 pixels wide and 0.23 pixels high."


def test_a_box_of_one_pixel_is_a_box() -> None:
    assert found(box_units.SMALLER_THAN_A_PIXEL, *boxes((20, 20, 1, 1), (120, 30, 40, 20))) == []


PERCENT = ((30.0, 40.0, 20.0, 10.0), (60, 70, 30, 25), (45, 20, 10, 60))
LARGE = (2000, 2500)


def test_boxes_in_percent_stay_in_the_corner_of_large_images() -> None:
    (problem,) = found(box_units.IN_PERCENT, *boxes(*PERCENT, shape=LARGE))
    assert "within the first 4 % of the images' width and 5 % of their height" in problem.message
    assert found(box_units.IN_CORNER, *boxes(*PERCENT, shape=LARGE)) == []  # one report is enough


@pytest.mark.parametrize(
    ("corners", "shape"),
    [
        (PERCENT[:2], LARGE),
        ((*PERCENT, (101, 30, 10, 10)), LARGE),
        (PERCENT, (350, 350)),
    ],
)
def test_two_images_or_a_larger_number_or_small_images_are_no_percent(
    corners: tuple[tuple[float, float, float, float], ...], shape: tuple[int, int]
) -> None:
    assert found(box_units.IN_PERCENT, *boxes(*corners, shape=shape)) == []


def test_boxes_of_a_smaller_copy_stay_in_the_first_quarter() -> None:
    """1024 × 1024 of 2500 × 2500: no box ends beyond 41 %."""
    copy = ((300.0, 400.0, 200.0, 100.0), (700, 650, 300, 370), (200, 100, 90, 60))
    (problem,) = found(box_units.IN_CORNER, *boxes(*copy, shape=(2500, 2500)))
    assert "end within the first 40 % of the width and 41 % of the height" in problem.message


@pytest.mark.parametrize("more", [(1200, 100, 100, 60), (100, 1200, 60, 100)])
def test_one_box_beyond_the_quarter_is_enough_to_say_nothing(more: tuple[int, int, int, int]) -> None:
    copy = ((300.0, 400.0, 200.0, 100.0), (700, 650, 300, 370), (200, 100, 90, 60), more)
    assert found(box_units.IN_CORNER, *boxes(*copy, shape=(2500, 2500))) == []


def test_two_images_say_nothing_about_the_corner() -> None:
    many = boxes((10, 10, 20, 20), (30, 20, 10, 10))
    assert found(box_units.IN_CORNER, *many) == []


@pytest.mark.parametrize(
    ("corners", "words"),
    [
        (((30.0, 120.0, 20.0, 50.0), (60, 40, 20, 20), (20, 10, 30, 15)), "x and y are exchanged"),
        (
            ((120.0, 30.0, 160.0, 50.0), (20, 10, 60, 30), (90, 40, 150, 80)),
            "the widths and heights are right and lower edges (x_max and y_max)",
        ),
        (
            ((120.0, 30.0, -80.0, -10.0), (20, 10, 15, 2), (90, 40, -40, -30)),
            "the right and lower edges (x_max and y_max) are widths and heights",
        ),
    ],
)
def test_a_reading_by_which_all_boxes_fit_is_named(
    corners: tuple[tuple[float, float, float, float], ...], words: str
) -> None:
    read = boxes(*corners)
    (problem,) = found(box_units.READ_OTHERWISE, *read)
    assert problem.message.endswith(f"all of them lie inside if {words}.")
    assert found(rectangles.OUTSIDE_IMAGE, *read) == found(rectangles.NO_AREA, *read) == []


def test_no_other_reading_is_named_where_one_box_fits_in_none() -> None:
    read = boxes((30, 120, 20, 50), (60, 40, 20, 20), (150, 10, 30, 15))
    assert found(box_units.READ_OTHERWISE, *read) == []
    assert len(found(rectangles.OUTSIDE_IMAGE, *read)) == 1


def test_boxes_that_leave_by_a_few_pixels_are_read_as_they_are() -> None:
    """5 of 100 rows: not more than 5 %."""
    rounded = boxes((30, 85, 20, 20), (60, 40, 20, 20), (20, 10, 30, 15))
    assert found(box_units.READ_OTHERWISE, *rounded) == []
    assert len(found(rectangles.OUTSIDE_IMAGE, *rounded)) == 1


def test_a_box_that_is_not_a_number_is_left_to_the_check_of_areas() -> None:
    read = boxes((float("nan"), 1, 2, 3), (0.2, 0.2, 0.1, 0.1))
    assert [problem.items for problem in found(box_units.IN_SHARES, *read)] == [1]
    assert len(found(rectangles.NO_AREA, *read)) == 1
