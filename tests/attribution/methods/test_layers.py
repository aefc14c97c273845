"""Maps of several layers made into one, worked by hand."""

from typing import Any

import pytest
import torch
from torch import Tensor

from pipeline.attribution.explainer import open_explainer
from pipeline.errors import ConfigError
from tests.attribution.networks import GapHead
from tests.attribution.plain import (
    CORNER,
    CROSS,
    assert_close,
    cells_of,
    densenet,
    explained,
    interpolated,
    random_inputs,
)

TWO = GapHead(weights=[[1.0, -1.0], [0.0, 2.0]], bias=[0.0, 0.0])
PICTURE = torch.stack([CROSS, CORNER])[None]
OF = ["gradcam", "eigencam"]


def fused(inputs: Tensor = PICTURE, **options: Any) -> Tensor:
    """Of Grad-CAM, `cross - corner` and `2 corner`, and Eigen-CAM, the corner for both findings."""
    return explained(TWO, inputs, {"method": "layers", "of": OF, **options})


def test_the_sum_of_maps_scaled_by_their_own_maxima_by_hand() -> None:
    relevance = fused()
    assert_close(relevance[0, 0], CROSS + CORNER / 4)  # the corner's -4 counts as nothing
    assert_close(relevance[0, 1], CORNER / 4 + CORNER / 4)


def test_the_weighted_sum_by_hand() -> None:
    assert_close(fused(weights=[0.5, 3])[0, 0], 0.5 * CROSS + 3 * CORNER / 4)


def test_the_maximum_by_hand() -> None:
    relevance = fused(combine="maximum")
    assert_close(relevance[0], torch.stack([torch.maximum(CROSS, CORNER / 4), CORNER / 4]))


def test_the_product_by_hand() -> None:
    relevance = fused(combine="product")
    of_eigencam = 5 * torch.finfo(torch.float32).eps  # of its singular vectors' cells, which are at most 1
    assert relevance[0, 0].abs().max() <= of_eigencam
    assert_close(relevance[0, 1], CORNER / 4)


def test_what_is_negative_in_two_maps_is_not_relevant_in_their_product() -> None:
    relevance = explained(
        TWO, PICTURE, {"method": "layers", "of": ["gradcam", "hirescam"], "combine": "product"}
    )
    assert_close(relevance[0, 0], CROSS)


def test_every_image_is_scaled_by_itself() -> None:
    together = fused(torch.cat([PICTURE, 100 * PICTURE]))
    assert_close(together[:1], together[1:])


def test_a_map_without_a_positive_cell_adds_nothing() -> None:
    network = GapHead(weights=[[-1.0, -1.0]], bias=[0.0])
    relevance = explained(network, PICTURE, {"method": "layers", "of": OF})
    assert_close(relevance[0, 0], CORNER / 4)


@pytest.mark.parametrize("grid", [(48, 32), (32, 24, 16)])
def test_layers_of_several_strides_meet_on_the_finest(grid: tuple[int, ...]) -> None:
    network, inputs = densenet(len(grid)), random_inputs(2, 1, *grid)
    of = ["gradcam@last", "layercam@stride4", "gradcam@stride2"]
    relevance = explained(network, inputs, {"method": "layers", "of": of})
    assert relevance.shape[2:] == tuple(side // 2 for side in grid)
    assert 1 <= relevance.amax() <= 3
    parts = []
    for one in of:
        positive = explained(network, inputs, one).relu()
        scaled = positive / positive.amax(dim=tuple(range(2, positive.dim())), keepdim=True)
        parts.append(interpolated(scaled.nan_to_num(), cells_of(network, inputs, one), grid))
    onto = cells_of(network, inputs, "gradcam@stride2")
    assert cells_of(network, inputs, {"method": "layers", "of": of}) == onto
    # Cells of stride 2 lie on the even pixels, where the maps were interpolated exactly.
    assert {(axis.start, axis.step) for axis in onto} == {(0, 2)}
    even = tuple(slice(0, 2 * axis.size, 2) for axis in onto)
    assert_close(relevance, sum(part[:, :, *even] for part in parts))


def test_fusions_of_wrappers_work() -> None:
    mirrored = {"method": "flips", "of": "gradcam@stride4"}
    smooth = {"method": "smoothgrad", "of": {"method": "findings", "of": "gradcam"}, "samples": 2}
    inputs = random_inputs(2, 1, 48, 32)
    explainer = open_explainer(
        densenet(), methods=[{"method": "layers", "of": [mirrored, smooth]}], example=inputs
    )
    (name,) = explainer.explain(inputs).maps
    assert name == "layers(flips(gradcam@stride4), smoothgrad(findings(gradcam)))"


@pytest.mark.parametrize("wrong", [{"weights": [1.0]}, {"weights": [1.0, 2.0], "combine": "maximum"}])
def test_weights_that_do_not_fit_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"weights: found \d for 2 maps and combine"):
        fused(**wrong)
