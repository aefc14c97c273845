"""Inverted masks, and masks that cover most of an image of 100 rows and 200 columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.records import Reference
from pipeline.validation.checks import coverage, shapes
from pipeline.validation.checks.check import Found
from pipeline.validation.measuring import measure_image
from pipeline.validation.pieces import Piece
from tests.validation.facts import drawn, found, image


@pytest.mark.parametrize(
    ("widest", "inverted"),
    [
        ((0.9, 1.0), True),
        ((0.51, 0.75), True),
        ((0.5, 1.0), False),
        ((0.9, 0.74), False),
        ((1.0, 1.0), False),
    ],
)
def test_a_mask_is_inverted_if_it_covers_most_of_the_image_and_of_its_edge(
    widest: tuple[float, float], *, inverted: bool
) -> None:
    assert bool(found(coverage.INVERTED, image("a", drawn(area=12_000, widest=widest)))) == inverted


@pytest.mark.parametrize(("area", "reported"), [(16_000, False), (16_001, True), (20_000, True)])
def test_a_mask_of_more_than_four_fifths_is_reported(area: int, *, reported: bool) -> None:
    assert bool(found(coverage.WIDE, image("a", drawn(area=area)))) == reported


def sized(*areas: int, **facts: Any) -> list[Found]:
    return found(
        coverage.FAR_LARGER, *(image(f"{n:02}", drawn(area=area, **facts)) for n, area in enumerate(areas))
    )


def test_an_annotation_of_more_than_ten_times_the_median_is_reported() -> None:
    (problem,) = sized(*[100] * 9, 1_001)
    assert problem.subjects == ("09",)
    assert problem.message == "The mask covers 5 % of the image, 10 times the median of 10 of this finding."
    assert sized(*[100] * 9, 1_000) == []
    assert sized(*[100] * 8, 1_001) == []  # nine are too few to compare
    (box,) = sized(*[100] * 9, 2_000, kind="box")
    assert box.message.startswith("The box covers 10 % of the image")


def test_lesions_of_many_sizes_are_no_fault() -> None:
    """Quartiles of 100 and 800: the fence is 800 × 8³."""
    areas = [50, 100, 100, 100, 200, 300, 800, 800, 800, 19_999]
    assert sized(*areas) == []


def test_findings_and_kinds_have_their_own_peers() -> None:
    others = [image(f"{n:02}", drawn(area=100)) for n in range(10)]
    assert found(coverage.FAR_LARGER, *others, image("big", drawn("mass", area=9_000))) == []
    assert found(coverage.FAR_LARGER, *others, image("big", drawn(area=9_000, kind="box"))) == []
    assert len(found(coverage.FAR_LARGER, *others, image("big", drawn(area=9_000, kind="polygon")))) == 1
    inverted = drawn(area=18_000, widest=(0.9, 1.0))
    assert found(coverage.FAR_LARGER, *others, image("big", inverted)) == []


def test_an_inverted_mask_is_reported_once() -> None:
    mask = image("a", drawn(area=18_000, widest=(0.9, 1.0), holes=(Piece(2_000, 50, 100),)))
    assert len(found(coverage.INVERTED, mask)) == 1
    assert found(coverage.WIDE, mask) == []
    assert found(shapes.HOLES, mask) == []


def test_the_largest_mask_is_measured_on_the_image_and_on_its_edge() -> None:
    """A frame of 14 edge pixels in 4 × 5, of which 13 are covered, and a single pixel as a second lesion."""
    frame = np.ones((4, 5), bool)
    frame[1:3, 1:4] = False
    frame[0, 0] = False
    lesion = np.zeros((4, 5), bool)
    lesion[1, 1] = True
    facts = measure_image(
        case_id="a",
        patient_id="a",
        shape=(4, 5),
        labels={},
        image=None,
        references=[Reference("a", "nodule", "anna", "mask", masks=(lesion, frame))],
    )
    assert facts.references[0].widest == (13 / 20, 13 / 14)
