import pytest

from tests.metrics.samples import drawing, mask, masks, values

FOUR_LEFT = mask(
    "....",
    "##..",
    "##..",
)
FOUR_MIDDLE = mask(
    "....",
    ".##.",
    ".##.",
)
ONE_RIGHT = mask(
    "...#",
    "....",
    "....",
)


def test_two_pixels_shared_of_six_joined_is_an_iou_of_a_third() -> None:
    assert values("iou", drawing(FOUR_LEFT), masks(FOUR_MIDDLE)) == (pytest.approx(2 / 6),)


def test_two_pixels_shared_of_four_and_four_is_a_dice_of_a_half() -> None:
    assert values("dice", drawing(FOUR_LEFT), masks(FOUR_MIDDLE)) == (pytest.approx(0.5),)


def test_unequal_areas_distinguish_iou_and_dice_from_similar_formulas() -> None:
    # 4 drawn, 5 in the reference, 2 in both: 2/7 and 4/9 (over the reference alone it would be 2/5).
    reference = masks(FOUR_MIDDLE | ONE_RIGHT)
    assert values("iou", drawing(FOUR_LEFT), reference) == (pytest.approx(2 / 7),)
    assert values("dice", drawing(FOUR_LEFT), reference) == (pytest.approx(4 / 9),)


def test_the_image_is_scored_by_all_regions_and_all_instances_together() -> None:
    # Drawn 4 + 1 = 5, reference 4 + 1 = 5, shared 2 + 1 = 3, joined 7.
    drawn, reference = drawing(FOUR_LEFT, ONE_RIGHT), masks(FOUR_MIDDLE, ONE_RIGHT)
    assert values("iou", drawn, reference) == (pytest.approx(3 / 7),)
    assert values("dice", drawn, reference) == (pytest.approx(6 / 10),)


def test_a_pixel_of_two_instances_counts_once() -> None:
    assert values("iou", drawing(FOUR_LEFT), masks(FOUR_LEFT, FOUR_LEFT)) == (1.0,)


def test_each_lesion_is_scored_by_the_region_that_overlaps_it_best() -> None:
    drawn, reference = drawing(FOUR_LEFT, ONE_RIGHT), masks(FOUR_MIDDLE, ONE_RIGHT)
    assert values("lesion_iou", drawn, reference) == (pytest.approx(2 / 6), 1.0)
    assert values("lesion_dice", drawn, reference) == (pytest.approx(0.5), 1.0)


def test_a_lesion_that_no_region_touches_scores_zero() -> None:
    reference = masks(FOUR_LEFT, ONE_RIGHT)
    assert values("lesion_iou", drawing(FOUR_LEFT), reference) == (1.0, 0.0)
    assert values("lesion_dice", drawing(FOUR_LEFT), reference) == (1.0, 0.0)


def test_one_region_may_score_two_lesions() -> None:
    halves = masks(mask("....", "##..", "...."), mask("....", "....", "##.."))
    assert values("lesion_iou", drawing(FOUR_LEFT), halves) == (0.5, 0.5)


def test_of_four_drawn_two_are_right_and_of_five_two_are_found() -> None:
    reference = masks(FOUR_MIDDLE | ONE_RIGHT)
    assert values("precision", drawing(FOUR_LEFT), reference) == (pytest.approx(2 / 4),)
    assert values("recall", drawing(FOUR_LEFT), reference) == (pytest.approx(2 / 5),)


def test_a_case_is_not_scored_with_the_areas_of_the_case_before() -> None:
    assert values("iou", drawing(FOUR_LEFT), masks(FOUR_LEFT)) == (1.0,)
    assert values("iou", drawing(FOUR_LEFT), masks(ONE_RIGHT)) == (0.0,)
    assert values("lesion_iou", drawing(FOUR_LEFT), masks(FOUR_LEFT)) == (1.0,)
    assert values("lesion_iou", drawing(FOUR_LEFT), masks(ONE_RIGHT)) == (0.0,)
