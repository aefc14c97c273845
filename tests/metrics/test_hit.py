from dataclasses import replace

import pytest

from pipeline.metrics import METRICS
from pipeline.records import Box, Reference
from tests.metrics.samples import boxes, drawing, mask, masks

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
    assert METRICS["hit"].score(drawing(DRAWN, peak=peak), masks(DRAWN), (3, 4)) == (value,)


def test_a_peak_in_any_instance_hits() -> None:
    assert METRICS["hit"].score(drawing(DRAWN, peak=(2, 3)), masks(DRAWN, ELSEWHERE), (3, 4)) == (1.0,)


def test_the_highest_pixel_counts_not_the_region() -> None:
    assert METRICS["hit"].score(drawing(DRAWN, peak=(2, 3)), masks(DRAWN), (3, 4)) == (0.0,)


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
    assert METRICS["box_hit"].score(drawing(DRAWN, peak=(1, 2)), boxes(box), (3, 4)) == (value,)


def test_a_peak_in_the_second_box_hits() -> None:
    found = boxes(Box(0, 0, 0.2, 0.2), Box(1.5, 0.5, 1, 1))
    assert METRICS["box_hit"].score(drawing(DRAWN, peak=(1, 2)), found, (3, 4)) == (1.0,)


@pytest.mark.parametrize(("name", "reference"), [("hit", masks(DRAWN)), ("box_hit", boxes(AROUND))])
def test_a_flat_map_points_nowhere(name: str, reference: Reference) -> None:
    flat = replace(drawing(DRAWN), peak=None)
    assert METRICS[name].score(flat, reference, (3, 4)) == (0.0,)
