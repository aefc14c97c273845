from dataclasses import replace

import numpy as np
import pytest

from pipeline.contracts import Scored
from pipeline.metrics import METRICS
from pipeline.metrics.hit import distance_to_mask
from pipeline.metrics.scoring import score_drawing
from pipeline.records import Box, Drawing, Reference, Tolerances
from tests.metrics.samples import boxes, drawing, mask, masks, nothing_drawn, values

DRAWN = mask(
    "....",
    ".##.",
    "....",
)
ELSEWHERE = mask(
    "....",
    "....",
    "...#",
)
AROUND = Box(x=0.5, y=0.5, width=2, height=1)


@pytest.mark.parametrize(("peak", "value"), [((1, 1), 1.0), ((1, 3), 0.0), ((0, 1), 0.0)])
def test_a_peak_in_the_mask_hits(peak: tuple[int, int], value: float) -> None:
    assert values("hit", drawing(DRAWN, peak=peak), masks(DRAWN)) == (value,)


def test_a_peak_in_any_instance_hits() -> None:
    assert values("hit", drawing(DRAWN, peak=(2, 3)), masks(DRAWN, ELSEWHERE)) == (1.0,)


def test_the_highest_pixel_counts_not_the_region() -> None:
    assert values("hit", drawing(DRAWN, peak=(2, 3)), masks(DRAWN)) == (0.0,)


@pytest.mark.parametrize(
    ("box", "value"),
    [
        (Box(x=1.5, y=0.5, width=1, height=1), 1.0),
        (Box(x=2.0, y=1.0, width=1, height=1), 1.0),
        (Box(x=1.0, y=0.0, width=1, height=1), 1.0),
        (Box(x=2.1, y=1.0, width=1, height=1), 0.0),
        (Box(x=0.9, y=0.0, width=1, height=1), 0.0),
        (Box(x=1.5, y=1.5, width=1, height=1), 0.0),
        (Box(x=0.5, y=1.5, width=1, height=1), 0.0),
    ],
    ids=["around", "top left corner", "bottom right corner", "right", "left", "below", "swapped axes"],
)
def test_a_peak_in_row_1_column_2_hits_boxes_that_hold_its_centre_or_have_it_on_their_edge(
    box: Box, value: float
) -> None:
    assert values("box_hit", drawing(DRAWN, peak=(1, 2)), boxes(box)) == (value,)


def test_a_peak_in_the_second_box_hits() -> None:
    found = boxes(Box(0, 0, 0.2, 0.2), Box(1.5, 0.5, 1, 1))
    assert values("box_hit", drawing(DRAWN, peak=(1, 2)), found) == (1.0,)


@pytest.mark.parametrize(
    ("name", "reference"), [("hit", masks(DRAWN)), ("near_hit", masks(DRAWN)), ("box_hit", boxes(AROUND))]
)
def test_a_flat_map_is_a_miss(name: str, reference: Reference) -> None:
    flat = replace(drawing(DRAWN), peak=None)
    assert scored(flat, name, reference) == 0


@pytest.mark.parametrize(
    ("name", "reference"), [("hit", masks(DRAWN)), ("near_hit", masks(DRAWN)), ("box_hit", boxes(AROUND))]
)
def test_a_peak_counts_where_every_region_was_too_small_to_be_drawn(name: str, reference: Reference) -> None:
    assert scored(replace(nothing_drawn((3, 4)), peak=(1, 1)), name, reference) == 1


def scored(drawn: Drawing, metric: str, reference: Reference) -> float | None:
    (row,) = score_drawing(drawn, reference, method="m", shape=(3, 4), metrics=(metric,))
    return row.value


FAR = np.zeros((40, 60), np.bool_)
FAR[20, 30] = True


@pytest.mark.parametrize(
    ("peak", "spacing_mm", "value"),
    [
        ((20, 45), None, 1.0),
        ((20, 46), None, 0.0),
        ((11, 18), None, 1.0),
        ((10, 18), None, 0.0),
        ((20, 40), (1.0, 1.0), 1.0),
        ((20, 41), (1.0, 1.0), 0.0),
        ((25, 30), (2.0, 0.5), 1.0),
        ((26, 30), (2.0, 0.5), 0.0),
        ((20, 50), (2.0, 0.5), 1.0),
        ((20, 51), (2.0, 0.5), 0.0),
        ((23, 46), (2.0, 0.5), 1.0),
        ((24, 43), (2.0, 0.5), 0.0),
    ],
    ids=[
        "15 px", "16 px", "9 and 12 are 15", "10 and 12 are 15.6", "10 mm", "11 mm", "5 rows of 2 mm",
        "6 rows of 2 mm", "20 columns of half a mm", "21 columns of half a mm", "6 and 8 mm are 10",
        "8 and 6.5 mm are 10.3",
    ],
)  # fmt: skip
def test_a_mask_within_10_mm_or_15_px_of_the_peak_is_a_near_hit(
    peak: tuple[int, int], spacing_mm: tuple[float, float] | None, value: float
) -> None:
    assert values("near_hit", drawing(FAR, peak=peak), masks(FAR), spacing_mm=spacing_mm) == (value,)


def test_the_tolerance_of_a_near_hit_can_be_set() -> None:
    drawn = drawing(FAR, peak=(20, 33))
    narrow, wide = (
        Scored(drawn, masks(FAR), (1, 1), Tolerances(pointing_mm=mm, pointing_px=0)) for mm in (2, 3)
    )
    assert [METRICS["near_hit"].score(case) for case in (narrow, wide)] == [(0.0,), (1.0,)]


def test_the_distance_to_the_nearest_pixel_is_measured_in_both_directions() -> None:
    two = FAR.copy()
    two[20, 37] = True
    assert distance_to_mask((20, 34), two, spacing=(1, 1), within=15) == 3
    assert distance_to_mask((0, 0), two, spacing=(1, 1), within=15) is None
