from dataclasses import replace

import numpy as np
import pytest

from pipeline.geometry import cropped, mirrored, resample_to_image, resized, whole
from pipeline.metrics.energy import energy_of
from pipeline.records import Drawing, Heatmap, Placement
from tests.metrics.samples import drawing, mask, masks, of_map, values

LEFT = mask("#...", "#...")
MAP = [
    [4, 3, 0, 0],
    [2, 1, 0, -5],
]


def coarse(placement: Placement, seed: int = 0) -> Heatmap:
    cells = np.random.default_rng(seed).normal(size=(5, 7)).astype(np.float32)
    return Heatmap("case", "nodule", "gradcam", cells, "logit", placement)


def test_six_of_ten_positive_units_lie_inside_and_negative_relevance_is_ignored() -> None:
    assert values("energy_inside", of_map(MAP), masks(LEFT)) == (pytest.approx(6 / 10),)


def test_contours_do_not_matter() -> None:
    drawn = of_map(MAP, drawing(mask("...#", "....")))
    assert values("energy_inside", drawn, masks(LEFT)) == (pytest.approx(6 / 10),)


def test_a_pixel_of_two_instances_counts_once() -> None:
    assert values("energy_inside", of_map(MAP), masks(LEFT, LEFT)) == (pytest.approx(6 / 10),)


def test_a_map_without_positive_relevance_has_none_inside() -> None:
    assert values("energy_inside", of_map(-np.ones((2, 4))), masks(LEFT)) == (0.0,)


def test_all_inside_is_one_and_no_more() -> None:
    inside = np.random.default_rng(0).random((2, 4)) * np.array([1, 0, 0, 0])
    assert values("energy_inside", of_map(inside), masks(LEFT)) == (pytest.approx(1),)
    everywhere = masks(np.ones((40, 60), np.bool_))
    for seed in range(20):
        heatmap = coarse(resized(whole((40, 60)), (5, 7)), seed)
        drawn = Drawing((), np.zeros((40, 60), np.bool_), None, heatmap=heatmap)
        (value,) = values("energy_inside", drawn, everywhere)
        assert isinstance(value, float)
        assert 1 - 1e-6 < value <= 1


PLACEMENTS = {
    "whole image": resized(whole((40, 60)), (5, 7)),
    "a part": resized(cropped(whole((40, 60)), (5, 10), (20, 30)), (5, 7)),
    "padded": resized(cropped(whole((40, 60)), (-10, -4), (60, 68)), (5, 7)),
    "mirrored": mirrored(resized(cropped(whole((40, 60)), (5, 10), (20, 30)), (5, 7))),
}


@pytest.mark.parametrize("placement", PLACEMENTS.values(), ids=PLACEMENTS)
def test_the_sum_over_pixels_is_known_without_the_pixels(placement: Placement) -> None:
    heatmap = coarse(placement)
    positive = replace(heatmap, relevance=np.maximum(heatmap.relevance, 0))
    assert energy_of(heatmap) == pytest.approx(
        resample_to_image(positive.relevance, placement).sum(dtype=np.float64)
    )


@pytest.mark.parametrize("placement", PLACEMENTS.values(), ids=PLACEMENTS)
def test_on_a_coarse_grid_it_is_the_share_of_the_placed_map(placement: Placement) -> None:
    heatmap = coarse(placement)
    placed = resample_to_image(np.maximum(heatmap.relevance, 0), placement)
    lesion = np.zeros((40, 60), np.bool_)
    lesion[8:20, 12:31] = True
    drawn = Drawing((), np.zeros((40, 60), np.bool_), None, heatmap=heatmap)
    expected = placed[lesion].sum() / placed.sum()
    assert values("energy_inside", drawn, masks(lesion)) == (pytest.approx(expected),)
