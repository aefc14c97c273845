import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from pipeline.contracts import Scored
from pipeline.metrics.lesions import (
    Candidates,
    Criterion,
    Rule,
    candidates,
    contour_scores,
    matches,
)
from pipeline.records import Box, Point, Reference, Region
from tests.metrics.samples import boxes, drawing, mask, masks, nothing_drawn, of_map, region

RING = mask(
    "###...",
    "#.#...",
    "###...",
    "......",
)
MIDDLE = mask(
    "......",
    ".#....",
    "......",
    "......",
)
PAIR = mask(
    "......",
    "......",
    "....##",
    "....##",
)
RIGHT_HALF = mask(
    "......",
    "......",
    ".....#",
    ".....#",
)
HEIGHTS = np.array(
    [
        [1, 1, 1, 0, 0, 0],
        [1, 0, 5, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [0, 0, 0, 0, 2, 3],
    ]
)


def ring_and_square(drawn_map: object = None) -> Candidates:
    """A ring around a lesion of one pixel, and a square of four pixels whose right half is a lesion."""
    drawn = drawing(RING, PAIR)
    drawn = drawn if drawn_map is None else of_map(drawn_map, drawn)
    scored = Scored(drawn, masks(MIDDLE, RIGHT_HALF))
    return candidates(scored, method="gradcam", scores=(0.9, 0.4))


@pytest.mark.parametrize(
    ("criterion", "table"),
    [
        ("iou", ((0, 0), (0, 2 / 4))),
        ("box_iou", ((1 / 9, 0), (0, 2 / 4))),
        ("centre_hit", ((1, 0), (0, 0))),  # the square's centre rounds to row 2, column 4
        ("point_in_mask", ((0, 0), (0, 1))),
    ],
)
def test_a_criterion_by_hand(criterion: Criterion, table: object) -> None:
    assert ring_and_square(HEIGHTS).affinity[criterion] == table


def test_only_pixels_of_the_region_count_as_its_highest() -> None:
    # The highest pixel lies in the hole of the ring, not in the ring.
    heights = HEIGHTS.copy()
    heights[1, 1] = 9
    assert ring_and_square(heights).affinity["point_in_mask"] == ((0, 0), (0, 1))


def test_without_a_map_the_centroid_replaces_the_highest_pixel() -> None:
    found = ring_and_square()
    assert found.affinity["point_in_mask"] == found.affinity["centre_hit"]


def test_a_record_names_its_subject_and_survives_json() -> None:
    found = ring_and_square(HEIGHTS)
    assert (found.case_id, found.finding, found.reader, found.method) == (
        "case",
        "nodule",
        "reader1",
        "gradcam",
    )
    assert (found.kind, found.lesions, found.scores) == ("mask", 2, (0.9, 0.4))
    back = Candidates(**json.loads(json.dumps(asdict(found))))
    assert matches(back, Rule()) == matches(found, Rule())


def test_the_area_of_each_lesion_is_a_share_of_the_image_and_in_mm2_where_the_spacing_is_known() -> None:
    lesions = Scored(drawing(RING), masks(MIDDLE, PAIR), (0.5, 2.0))
    found = candidates(lesions, method="gradcam", scores=(1.0,))
    assert (found.shares, found.areas_mm2) == ((1 / 24, 4 / 24), (1.0, 4.0))
    unknown = candidates(Scored(drawing(RING), masks(MIDDLE, PAIR)), method="gradcam", scores=(1.0,))
    assert (unknown.shares, unknown.areas_mm2) == (found.shares, ())


def test_the_area_of_a_box_is_its_own_and_a_point_has_none() -> None:
    box = Scored(nothing_drawn((4, 6)), boxes(Box(0.5, 0.5, 3, 2)), (2.0, 2.0))
    assert candidates(box, method="gradcam", scores=()).areas_mm2 == (24.0,)
    assert candidates(box, method="gradcam", scores=()).shares == (6 / 24,)
    point = Reference("case", "nodule", "reader1", "point", points=(Point(1, 1),))
    found = candidates(Scored(nothing_drawn((4, 6)), point, (2.0, 2.0)), method="gradcam", scores=())
    assert (found.shares, found.areas_mm2) == ((), ())


def test_each_contour_has_the_number_of_its_lesion() -> None:
    found = ring_and_square(HEIGHTS)
    assert matches(found, Rule("iou", 0.5)) == (None, 2)
    assert matches(found, Rule("iou", 0.51)) == (None, None)
    assert matches(found, Rule("box_iou", 0.1)) == (1, 2)
    assert matches(found, Rule("centre_hit")) == (1, None)
    assert matches(found, Rule("centre_hit", threshold=0)) == (
        1,
        None,
    )  # a hit does not depend on the threshold


def test_the_rule_selects_the_assignment() -> None:
    both = replace(
        ring_and_square(), affinity={"iou": ((0.6, 0.5), (0.8, 0.0))}
    )  # greedy: the first contour takes lesion 1
    assert matches(both, Rule("iou", 0.1, "greedy")) == (1, None)
    assert matches(both, Rule("iou", 0.1, "optimal")) == (2, 1)
    assert matches(both, Rule("iou", 0.1, "many_to_one")) == (1, 1)


def test_on_a_healthy_image_every_contour_is_unmatched() -> None:
    found = candidates(Scored(drawing(RING, PAIR), masks()), method="m", scores=(0.9, 0.4))
    assert (found.lesions, matches(found, Rule())) == (0, (None, None))


def test_without_contours_nothing_is_matched() -> None:
    found = candidates(Scored(nothing_drawn((4, 6)), masks(MIDDLE, PAIR)), method="m", scores=())
    assert (found.lesions, matches(found, Rule())) == (2, ())


def test_boxes_are_compared_with_bounding_boxes() -> None:
    # The box over columns 3 … 5 of the last two rows has six pixels, four of them the square's.
    box = Box(x=2.5, y=1.5, width=3, height=2)
    scored = Scored(of_map(HEIGHTS, drawing(RING, PAIR)), boxes(box))
    found = candidates(scored, method="m", scores=(0.9, 0.4))
    assert (found.kind, found.lesions) == ("box", 1)
    assert found.affinity["iou"] == found.affinity["box_iou"] == ((0,), (pytest.approx(4 / 6),))
    assert found.affinity["centre_hit"] == found.affinity["point_in_mask"] == ((0,), (1,))


def regions(*peaks: float) -> list[Region]:
    return [region(PAIR, peak=peak) for peak in peaks]


def test_in_logits_a_contours_score_is_its_peak() -> None:
    assert contour_scores(regions(3, 1.5), unit="logit", probability=0.7) == (3, 1.5)


def test_in_relative_maps_it_is_the_probability_times_the_relative_peak() -> None:
    assert contour_scores(regions(3, 1.5), unit="relative", probability=0.7) == pytest.approx((0.7, 0.35))
    assert contour_scores([], unit="relative", probability=0.7) == ()
