"""Inverted masks, and masks that cover most of an image of 100 rows and 200 columns."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.records import Reference
from pipeline.validation.checks import coverage, shapes
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
