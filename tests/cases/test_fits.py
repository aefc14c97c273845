"""Fits: maps of all outputs against the references of each finding, on the image's grid."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.cases.fits import fits_of, ranks_of
from pipeline.geometry import cropped, resized, whole
from pipeline.metrics.transforms import TRANSFORMS
from pipeline.records import Box, Fit, Heatmap, Mask, Placement, Point, Reference

SHAPE = (200, 300)


def lit(finding: str, row: int, column: int, **changes: Any) -> Heatmap:
    """A map of 10 × 10 cells over the image, with one cell that is highest."""
    relevance = np.zeros((10, 10), np.float32)
    relevance[row, column] = 2
    heatmap = Heatmap("case-1", finding, "gradcam", relevance, "logit", resized(whole(SHAPE), (10, 10)))
    return replace(heatmap, **changes)


def masked(finding: str, rows: slice, columns: slice, reader: str = "anna") -> Reference:
    mask: Mask = np.zeros(SHAPE, np.bool_)
    mask[rows, columns] = True
    return Reference("case-1", finding, reader, "mask", masks=(mask,))


LEFT_TOP = masked("nodule", slice(20, 40), slice(30, 60))
"""The cell (1, 1)."""


def of(fits: list[Fit], finding: str, output: str) -> Fit:
    (found,) = (fit for fit in fits if (fit.finding, fit.output) == (finding, output))
    return found


def test_a_map_that_is_highest_in_the_lesion_hits_it_and_one_at_its_mirror_image_hits_the_mirrored() -> None:
    hit = of(list(fits_of([lit("nodule", 1, 1)], [LEFT_TOP], SHAPE)), "nodule", "nodule")
    assert len(hit.ranks) == len(hit.hits) == len(TRANSFORMS)
    assert hit.hits[0] == 1.0
    assert max(rank or 0 for rank in hit.ranks) == hit.ranks[0]
    miss = of(list(fits_of([lit("nodule", 1, 8)], [LEFT_TOP], SHAPE)), "nodule", "nodule")
    by_name = dict(zip(TRANSFORMS, zip(miss.ranks, miss.hits, strict=True), strict=True))
    assert miss.hits[0] == 0.0
    assert by_name["mirrored"] == (hit.ranks[0], 1.0)


def test_every_output_meets_every_finding_and_its_own_is_transformed() -> None:
    maps = [lit("nodule", 1, 1), lit("effusion", 8, 8)]
    found = list(fits_of(maps, [LEFT_TOP, masked("effusion", slice(160, 180), slice(240, 270))], SHAPE))
    assert [(fit.finding, fit.output, len(fit.ranks), fit.hits[0]) for fit in found] == [
        ("nodule", "nodule", len(TRANSFORMS), 1.0),
        ("nodule", "effusion", 1, 0.0),
        ("effusion", "nodule", 1, 0.0),
        ("effusion", "effusion", len(TRANSFORMS), 1.0),
    ]
    assert {(fit.case_id, fit.reader, fit.method) for fit in found} == {("case-1", "anna", "gradcam")}


def test_only_the_first_methods_maps_count_and_neither_flat_ones_nor_mere_contours() -> None:
    other = lit("effusion", 1, 1, method="lrp")
    flat = lit("effusion", 1, 1, relevance=np.zeros((10, 10), np.float32))
    negative = lit("effusion", 1, 1, relevance=-np.arange(100, dtype=np.float32).reshape(10, 10) - 1)
    contour = lit("effusion", 1, 1, unit="contour")
    for second in (other, flat, negative, contour):
        found = fits_of([lit("nodule", 1, 1), second], [LEFT_TOP], SHAPE)
        assert [fit.output for fit in found] == ["nodule"]


def test_without_a_lesion_with_an_area_there_is_nothing_to_fit() -> None:
    absent = Reference("case-1", "nodule", "anna", "mask")
    point = Reference("case-1", "nodule", "anna", "point", points=(Point(3, 3),))
    assert list(fits_of([lit("nodule", 1, 1)], [absent, point], SHAPE)) == []
    assert list(fits_of([], [LEFT_TOP], SHAPE)) == []


def test_boxes_are_filled() -> None:
    box = Reference("case-1", "nodule", "anna", "box", boxes=(Box(30, 20, 29, 19),))
    maps = [lit("nodule", 1, 1)]
    assert next(fits_of(maps, [box], SHAPE)).ranks == next(fits_of(maps, [LEFT_TOP], SHAPE)).ranks


def test_ranks_are_taken_where_the_map_lies_on_the_image() -> None:
    """A view of the right half: what was not seen ranks last."""
    place: Placement = resized(cropped(whole(SHAPE), (0, 150), (200, 150)), (10, 10))
    found = ranks_of(lit("nodule", 5, 0, placement=place))
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert (int(row) // 10, int(column)) == (5, pytest.approx(51, abs=2))
    assert found[:, :50].max() < found[:, 50:].min()
