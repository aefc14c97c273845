from itertools import combinations

import numpy as np
import pytest

from pipeline.geometry import resample_to_image, resized, whole
from pipeline.metrics.ranking import top_share_of_counts
from pipeline.records import Box, Drawing, Heatmap
from tests.metrics.samples import boxes, drawing, mask, masks, of_map, values

LEFT = mask("#...", "#...")
MAP = [
    [4, 3, 0, 0],
    [2, 1, 0, -5],
]


def test_one_of_the_two_highest_pixels_lies_in_the_mask_of_two() -> None:
    assert values("rank_accuracy", of_map(MAP), masks(LEFT)) == (1 / 2,)


def test_as_many_pixels_count_as_the_mask_has() -> None:
    for lesion, value in (
        (mask("#...", "...."), 1),
        (mask("##..", "...."), 1),
        (mask("#...", "##.."), 2 / 3),  # 4, 3 and 2 are highest
        (mask(".#..", ".#.."), 1 / 2),
        (mask("....", ".#.."), 0),
    ):
        assert values("rank_accuracy", of_map(MAP), masks(lesion)) == (pytest.approx(value),)


def test_how_much_relevance_the_highest_pixels_have_does_not_matter() -> None:
    stretched = of_map(np.array(MAP) ** 3)
    assert values("rank_accuracy", stretched, masks(LEFT)) == values(
        "rank_accuracy", of_map(MAP), masks(LEFT)
    )
    assert values("energy_inside", stretched, masks(LEFT)) != values(
        "energy_inside", of_map(MAP), masks(LEFT)
    )


@pytest.mark.parametrize("order", [1, -1], ids=["as it is", "reversed"])
def test_equal_pixels_count_by_the_mean_over_all_choices_among_them(order: int) -> None:
    relevance, inside = np.array([5, 3, 3, 3, 3, 1][::order]), np.array([1, 0, 1, 0, 0, 1], bool)[::order]
    first = int(np.flatnonzero(relevance == 5)[0])
    choices = [
        inside[[first, *chosen]].mean() for chosen in combinations(np.flatnonzero(relevance == 3).tolist(), 2)
    ]
    found = values("rank_accuracy", of_map(relevance[None]), masks(inside[None]))
    assert found == (pytest.approx(np.mean(choices)),)
    assert found == (pytest.approx((1 + 2 / 4) / 3),)


def test_pixels_without_relevance_are_equal_whatever_their_sign() -> None:
    # Four pixels are wanted; two have relevance, one of them inside. Of the six others two are drawn.
    drawn = of_map([[4, 3, 0, -1], [-2, -3, 0, -5]])
    lesion = mask("#.#.", "##..")
    assert values("rank_accuracy", drawn, masks(lesion)) == (pytest.approx((1 + 2 * 3 / 6) / 4),)


@pytest.mark.parametrize("level", [0.0, 0.7, -1.0])
def test_a_flat_map_scores_the_share_of_the_image_that_the_mask_covers(level: float) -> None:
    assert values("rank_accuracy", of_map(np.full((2, 4), level)), masks(LEFT)) == (pytest.approx(2 / 8),)


def test_a_pixel_of_two_instances_counts_once() -> None:
    assert values("rank_accuracy", of_map(MAP), masks(LEFT, LEFT)) == (1 / 2,)


def test_contours_do_not_matter() -> None:
    drawn = of_map(MAP, drawing(mask("...#", "....")))
    assert values("rank_accuracy", drawn, masks(LEFT)) == (1 / 2,)


def test_a_mask_of_the_whole_image_holds_every_pixel() -> None:
    assert values("rank_accuracy", of_map(MAP), masks(np.ones((2, 4), np.bool_))) == (1,)


@pytest.mark.parametrize("seed", range(3))
def test_on_the_image_s_own_grid_it_equals_sorting_all_pixels(seed: int) -> None:
    generator = np.random.default_rng(seed)
    cells = generator.normal(size=(7, 6)).astype(np.float32)
    placement = resized(whole((90, 70)), (7, 6))
    heatmap = Heatmap("case", "nodule", "gradcam", cells, "logit", placement)
    lesion = np.zeros((90, 70), np.bool_)
    lesion[20 + seed : 50, 10:40] = True
    placed = resample_to_image(np.maximum(cells, 0), placement)
    highest = np.argsort(placed, axis=None)[::-1][: lesion.sum()]
    drawn = Drawing((), np.zeros((90, 70), np.bool_), None, heatmap=heatmap)
    found = values("rank_accuracy", drawn, masks(lesion))
    assert found == (pytest.approx(lesion.ravel()[highest].mean(), abs=2e-3),)


@pytest.mark.parametrize(
    ("found", "value"),
    [
        ((Box(x=-0.5, y=-0.5, width=1, height=2),), 1 / 2),  # the left column, as LEFT
        ((Box(x=-0.5, y=-0.5, width=2, height=1),), 1),  # 4 and 3
        ((Box(x=-0.5, y=-0.5, width=1, height=1), Box(x=0.5, y=-0.5, width=1, height=1)), 1),
        ((Box(x=-0.5, y=-0.5, width=2, height=1), Box(x=-0.5, y=-0.5, width=1, height=1)), 1),
        ((Box(x=1.5, y=-0.5, width=2, height=1),), 0),
    ],
    ids=["left", "top", "two boxes", "one within another", "elsewhere"],
)
def test_of_boxes_their_pixels_count(found: tuple[Box, ...], value: float) -> None:
    assert values("box_rank_accuracy", of_map(MAP), boxes(*found)) == (pytest.approx(value),)


def test_boxes_between_the_centres_of_pixels_have_no_score() -> None:
    between = boxes(Box(x=0.2, y=0.2, width=0.5, height=0.5))
    assert values("box_rank_accuracy", of_map(MAP), between) == ("boxes_without_pixels",)


def test_counts_in_several_rows_are_ranked_row_by_row() -> None:
    positive = np.array([[1.0, 1, 0], [0, 0, 2], [0, 0, 0]])
    negative = np.array([[0.0, 2, 1], [4, 0, 0], [0, 0, 1]])
    found = top_share_of_counts(positive, negative)
    # First row: of two places, one is taken from outside, and one is shared by one inside and two outside.
    assert found[:2].tolist() == pytest.approx([1 / 3 / 2, 1])
    assert np.isnan(found[2])
