import numpy as np
import pytest

from pipeline.metrics.panoptic import panoptic_quality
from tests.metrics.samples import drawing, mask, masks, values


def test_one_of_two_lesions_found_at_three_quarters_beside_a_contour_of_nothing() -> None:
    # 0.75 / (1 found + ½ · 1 missed + ½ · 1 of nothing).
    lesions = masks(mask("####....", "........"), mask("........", "......##"))
    drawn = drawing(mask("###.....", "........"), mask("........", "...#...."))
    assert values("panoptic_quality", drawn, lesions) == (pytest.approx(0.75 / 2),)


def test_two_lesions_found_at_three_quarters_and_two_thirds() -> None:
    lesions = masks(mask("####....", "........"), mask("........", "......##"))
    drawn = drawing(mask("###.....", "........"), mask("........", ".....###"))
    assert values("panoptic_quality", drawn, lesions) == (pytest.approx((3 / 4 + 2 / 3) / 2),)


@pytest.mark.parametrize(("overlap", "quality"), [(0.5, 0.5), (0.49, 0.0)])
def test_from_an_iou_of_a_half_up_a_lesion_is_found(overlap: float, quality: float) -> None:
    assert panoptic_quality(np.array([[overlap]])) == quality


def test_two_halves_of_a_lesion_do_not_find_it_twice() -> None:
    # Each half has an IoU of 0.5: one finds the lesion, the other is of nothing. 0.5 / (1 + ½).
    assert panoptic_quality(np.array([[0.5], [0.5]])) == pytest.approx(0.5 / 1.5)


def test_it_equals_panoptica_on_its_own_example() -> None:
    """A lesion of 20 × 10 pixels, of which 15 × 10 are drawn: panoptica's own test wants 0.75."""
    lesion, drawn = np.zeros((2, 50, 50), np.bool_)
    lesion[20:40, 10:20] = True
    drawn[20:35, 10:20] = True
    assert values("panoptic_quality", drawing(drawn), masks(lesion)) == (pytest.approx(0.75),)


def test_it_equals_panoptica_where_lesions_are_missed_and_made_up() -> None:
    """Worked by hand, and what panoptica 2.1.7 gives: tp 2, fp 2, fn 2, sq 0.7461538, pq 0.3730769.

    Lesions of 10 × 10 in four places. Drawn are 8 rows of the first (IoU 0.8), 9 of the second and 3 below it
    (90 / 130), 4 of the third (0.4: not found), and one where nothing is.
    """
    corners = [(0, 0), (0, 20), (20, 0), (20, 20)]
    lesions = [rectangle(row, column, 10, 10) for row, column in corners]
    drawn = [
        rectangle(0, 0, 8, 10),
        rectangle(1, 20, 12, 10),
        rectangle(20, 0, 4, 10),
        rectangle(32, 32, 5, 5),
    ]
    expected = (0.8 + 90 / 130) / (2 + 2 / 2 + 2 / 2)
    assert expected == pytest.approx(0.3730769, abs=1e-7)
    assert values("panoptic_quality", drawing(*drawn), masks(*lesions)) == (pytest.approx(expected),)


def rectangle(row: int, column: int, height: int, width: int) -> np.ndarray:
    mask = np.zeros((40, 40), np.bool_)
    mask[row : row + height, column : column + width] = True
    return mask
