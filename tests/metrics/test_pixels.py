import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from pipeline.contours.drawing import draw
from pipeline.contracts import Scored
from pipeline.geometry import cropped, resample_to_image, resized, whole
from pipeline.metrics.pixels import LEVELS, iou_curve
from pipeline.records import Drawing, Heatmap, Placement
from tests.metrics.samples import mask, masks, of_map, values

LEFT = mask("#...", "#...")
MAP = [
    [4, 3, 0, 0],
    [2, 1, 0, -5],
]


def test_one_positive_above_six_and_one_above_five_of_six_is_eleven_twelfths() -> None:
    assert values("pixel_auroc", of_map(MAP), masks(LEFT)) == (pytest.approx(11 / 12),)


def test_precision_is_1_at_half_the_recall_and_two_thirds_at_all() -> None:
    assert values("pixel_auprc", of_map(MAP), masks(LEFT)) == (pytest.approx((1 + 2 / 3) / 2),)


def test_the_curve_by_hand() -> None:
    # At level 1 two of four pixels are in the mask, at 2 two of three, at 3 one of two, at 4 one of one.
    curve = iou_curve(Scored(of_map(MAP), masks(LEFT)))
    assert curve == pytest.approx([2 / 4] * 5 + [2 / 3] * 5 + [1 / 3] * 5 + [1 / 2] * 4)
    assert values("best_iou", of_map(MAP), masks(LEFT)) == (pytest.approx(2 / 3),)


def test_the_best_is_the_highest_of_the_curve_wherever_it_lies() -> None:
    peaked, broad = of_map([[4, 3, 3, 3]]), of_map([[4, 1, 1, 0]])
    for drawn, lesion, best in (
        (peaked, mask("#..."), 1),
        (broad, mask("###."), 1),
        (broad, mask("##.."), 2 / 3),
    ):
        assert values("best_iou", drawn, masks(lesion)) == (pytest.approx(best),)


def test_a_pixel_of_two_instances_counts_once() -> None:
    assert iou_curve(Scored(of_map(MAP), masks(LEFT, LEFT))) == iou_curve(Scored(of_map(MAP), masks(LEFT)))


def test_a_case_is_not_ranked_by_the_map_of_the_case_before() -> None:
    assert values("pixel_auroc", of_map(LEFT), masks(LEFT)) == (1.0,)
    assert values("pixel_auroc", of_map(~LEFT), masks(LEFT)) == (0.0,)


@pytest.mark.parametrize("level", [0.0, 0.7, -1.0])
def test_a_flat_map_ranks_nothing_and_reaches_no_level(level: float) -> None:
    flat = of_map(level * np.array([[1, 1 + 1e-7, 1, 1], [1, 1, 1, 1]]))
    assert values("pixel_auroc", flat, masks(LEFT)) == (0.5,)
    assert values("pixel_auprc", flat, masks(LEFT)) == (pytest.approx(2 / 8),)
    assert values("best_iou", flat, masks(LEFT)) == (0.0,)


def test_a_mask_of_the_whole_image_leaves_nothing_to_rank_below() -> None:
    everything = masks(np.ones((2, 4), np.bool_))
    assert values("pixel_auroc", of_map(MAP), everything) == ("mask_fills_image",)
    assert values("pixel_auprc", of_map(MAP), everything) == (1.0,)


@pytest.mark.parametrize("scale", [1e-37, 0.07, 1.0, 1e30])
def test_the_scale_of_the_map_does_not_matter(scale: float) -> None:
    scaled = of_map(np.array(MAP) * scale)
    assert iou_curve(Scored(scaled, masks(LEFT))) == iou_curve(Scored(of_map(MAP), masks(LEFT)))


@pytest.mark.parametrize("seed", range(3))
def test_it_equals_scikit_learn(seed: int) -> None:
    generator = np.random.default_rng(seed)
    lesion = generator.random((60, 50)) < 0.2
    relevance = generator.normal(size=(60, 50)) + 0.7 * lesion
    positive = np.maximum(relevance, 0).astype(np.float32)
    ranked = lesion.ravel(), positive.ravel()
    assert values("pixel_auroc", of_map(relevance), masks(lesion)) == (
        pytest.approx(roc_auc_score(*ranked), abs=1e-5),
    )
    assert values("pixel_auprc", of_map(relevance), masks(lesion)) == (
        pytest.approx(average_precision_score(*ranked), abs=1e-4),
    )


@pytest.mark.parametrize(
    "placement",
    [resized(whole((90, 70)), (7, 7)), resized(cropped(whole((90, 70)), (10, 5), (60, 60)), (7, 7))],
    ids=["whole image", "a part"],
)
@pytest.mark.parametrize("seed", range(3))
def test_the_curve_is_the_iou_of_the_contours_that_each_fraction_draws(
    placement: Placement, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    cells = generator.normal(size=(7, 7)).astype(np.float32)
    heatmap = Heatmap("case", "nodule", "gradcam", cells, "logit", placement)
    lesion = resample_to_image(generator.random((7, 7)).astype(np.float32), placement) > 0.6
    closed = Drawing((), np.zeros((90, 70), np.bool_), None, heatmap=heatmap)
    curve = iou_curve(Scored(closed, masks(lesion)))
    drawn = [draw(heatmap, rule="fraction", threshold=level).mask for level in LEVELS]
    assert curve == pytest.approx([(m & lesion).sum() / (m | lesion).sum() for m in drawn])
