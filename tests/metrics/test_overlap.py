import pytest

from pipeline.metrics import METRICS
from tests.metrics.samples import drawing, mask, masks

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
    assert METRICS["iou"].score(drawing(FOUR_LEFT), masks(FOUR_MIDDLE), (3, 4)) == (pytest.approx(2 / 6),)


def test_two_pixels_shared_of_four_and_four_is_a_dice_of_a_half() -> None:
    assert METRICS["dice"].score(drawing(FOUR_LEFT), masks(FOUR_MIDDLE), (3, 4)) == (pytest.approx(0.5),)


def test_unequal_areas_tell_iou_and_dice_from_their_lookalikes() -> None:
    # 4 drawn, 5 in the reference, 2 in both: 2/7 and 4/9 (over the reference alone it would be 2/5).
    reference = masks(FOUR_MIDDLE | ONE_RIGHT)
    assert METRICS["iou"].score(drawing(FOUR_LEFT), reference, (3, 4)) == (pytest.approx(2 / 7),)
    assert METRICS["dice"].score(drawing(FOUR_LEFT), reference, (3, 4)) == (pytest.approx(4 / 9),)


def test_the_image_is_scored_by_all_regions_and_all_instances_together() -> None:
    # Drawn 4 + 1 = 5, reference 4 + 1 = 5, shared 2 + 1 = 3, joined 7.
    drawn, reference = drawing(FOUR_LEFT, ONE_RIGHT), masks(FOUR_MIDDLE, ONE_RIGHT)
    assert METRICS["iou"].score(drawn, reference, (3, 4)) == (pytest.approx(3 / 7),)
    assert METRICS["dice"].score(drawn, reference, (3, 4)) == (pytest.approx(6 / 10),)


def test_a_pixel_of_two_instances_counts_once() -> None:
    assert METRICS["iou"].score(drawing(FOUR_LEFT), masks(FOUR_LEFT, FOUR_LEFT), (3, 4)) == (1.0,)


def test_each_lesion_is_scored_by_the_region_that_overlaps_it_best() -> None:
    drawn, reference = drawing(FOUR_LEFT, ONE_RIGHT), masks(FOUR_MIDDLE, ONE_RIGHT)
    assert METRICS["lesion_iou"].score(drawn, reference, (3, 4)) == (pytest.approx(2 / 6), 1.0)
    assert METRICS["lesion_dice"].score(drawn, reference, (3, 4)) == (pytest.approx(0.5), 1.0)


def test_a_lesion_that_no_region_touches_scores_zero() -> None:
    reference = masks(FOUR_LEFT, ONE_RIGHT)
    assert METRICS["lesion_iou"].score(drawing(FOUR_LEFT), reference, (3, 4)) == (1.0, 0.0)
    assert METRICS["lesion_dice"].score(drawing(FOUR_LEFT), reference, (3, 4)) == (1.0, 0.0)


def test_one_region_may_serve_two_lesions() -> None:
    halves = masks(mask("....", "##..", "...."), mask("....", "....", "##.."))
    assert METRICS["lesion_iou"].score(drawing(FOUR_LEFT), halves, (3, 4)) == (0.5, 0.5)
