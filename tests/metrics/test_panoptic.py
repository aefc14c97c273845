import numpy as np
import pytest

from pipeline.metrics.panoptic import panoptic_quality
from tests.metrics.samples import drawing, mask, masks, values


def test_one_of_two_lesions_found_at_three_quarters_and_a_false_positive() -> None:
    # 0.75 / (1 found + ½ · 1 missed + ½ · 1 false positive).
    lesions = masks(mask("####....", "........"), mask("........", "......##"))
    drawn = drawing(mask("###.....", "........"), mask("........", "...#...."))
    assert values("panoptic_quality", drawn, lesions) == (pytest.approx(0.75 / 2),)


def test_two_lesions_found_at_three_quarters_and_two_thirds() -> None:
    lesions = masks(mask("####....", "........"), mask("........", "......##"))
    drawn = drawing(mask("###.....", "........"), mask("........", ".....###"))
    assert values("panoptic_quality", drawn, lesions) == (pytest.approx((3 / 4 + 2 / 3) / 2),)


@pytest.mark.parametrize(
    ("overlap", "quality"), [(0.51, 0.51), (float(np.nextafter(0.5, 1)), 0.5), (0.5, 0.0), (0.49, 0.0)]
)
def test_above_an_iou_of_a_half_a_lesion_is_found(overlap: float, quality: float) -> None:
    """Kirillov et al. 2019, section 4.1: strictly greater than 0.5."""
    assert panoptic_quality(np.array([[overlap]])) == pytest.approx(quality)


def test_half_a_lesion_does_not_find_it() -> None:
    # Two of four pixels are drawn: an IoU of exactly 0.5.
    assert values("panoptic_quality", drawing(mask("##..")), masks(mask("####"))) == (0.0,)


def test_two_contours_of_a_lesion_do_not_find_it_twice() -> None:
    # Of overlapping contours one matches the lesion, the other is a false positive: 0.6 / (1 + ½).
    assert panoptic_quality(np.array([[0.6], [0.6]])) == pytest.approx(0.6 / 1.5)


def test_it_equals_panoptica_on_its_own_example() -> None:
    """A lesion of 20 × 10 pixels, of which 15 × 10 are drawn: panoptica's own test expects 0.75."""
    lesion, drawn = np.zeros((2, 50, 50), np.bool_)
    lesion[20:40, 10:20] = True
    drawn[20:35, 10:20] = True
    assert values("panoptic_quality", drawing(drawn), masks(lesion)) == (pytest.approx(0.75),)


def test_it_equals_panoptica_with_missed_lesions_and_false_positives() -> None:
    """Calculated by hand and with panoptica 2.1.7: tp 2, fp 2, fn 2, sq 0.7461538, pq 0.3730769.

    Four lesions of 10 × 10 pixels. Contours cover 8 rows of the first (IoU 0.8), 9 rows of the second and 3
    rows below it (90 / 130), 4 rows of the third (0.4: not found), and an area without a lesion.
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
