"""Eigen-CAM, worked by hand, and against the eigenvectors of the channels' products."""

import pytest
import torch

from pipeline.attribution.explainer import open_explainer
from tests.attribution.networks import FlatHead
from tests.attribution.plain import (
    CORNER,
    CROSS,
    PLACES,
    activations_and_gradients,
    assert_close,
    densenet,
    explained,
    random_inputs,
)

ANY_HEAD = FlatHead(torch.ones(2, 2, 5, 5))


def test_two_channels_of_one_shape_by_hand() -> None:
    # O = cross · (3, 4): v₁ = (3, 4)/5, so O·v₁ = 5 · cross.
    relevance = explained(ANY_HEAD, torch.stack([3 * CROSS, 4 * CROSS])[None], "eigencam", "features")
    assert_close(relevance[0, 0], 5 * CROSS)


def test_of_two_channels_that_share_no_cell_the_stronger_by_hand() -> None:
    # Norms: the corner 4, the cross √9 = 3, then 6.
    corner_wins = explained(ANY_HEAD, torch.stack([CROSS, CORNER])[None], "eigencam", "features")
    cross_wins = explained(ANY_HEAD, torch.stack([2 * CROSS, CORNER])[None], "eigencam", "features")
    assert_close(corner_wins[0, 0], CORNER)
    assert_close(cross_wins[0, 0], 2 * CROSS)


def test_the_largest_cell_is_positive_whatever_its_sign_in_the_layer() -> None:
    relevance = explained(ANY_HEAD, torch.stack([CROSS, -CORNER])[None], "eigencam", "features")
    assert_close(relevance[0, 0], CORNER)


def test_every_finding_has_the_same_map() -> None:
    relevance = explained(ANY_HEAD, random_inputs(3, 2, 5, 5), "eigencam", "features")
    assert relevance.shape == (3, 2, 5, 5)
    assert torch.equal(relevance[:, 0], relevance[:, 1])


def test_a_dark_image_has_a_map_of_nothing() -> None:
    inputs = torch.stack([torch.zeros(2, 5, 5), torch.stack([CROSS, CORNER])])
    assert torch.equal(explained(ANY_HEAD, inputs, "eigencam", "features")[0, 0], torch.zeros(5, 5))


def test_an_image_that_is_not_finite_does_not_take_the_others_with_it() -> None:
    picture = torch.stack([CROSS, CORNER])
    explainer = open_explainer(
        ANY_HEAD, methods=["eigencam"], default_layer="features", example=random_inputs(2, 2, 5, 5)
    )
    relevance = torch.tensor(explainer.explain(torch.stack([picture / 0, picture])).maps["eigencam"])
    assert relevance[0].isnan().all()
    assert_close(relevance[1, 0], CORNER)


@pytest.mark.parametrize("layer", PLACES)
@pytest.mark.parametrize("grid", [(48, 32), (32, 24, 16)])
def test_eigencam_is_the_projection_on_the_first_eigenvector(layer: str, grid: tuple[int, ...]) -> None:
    network, inputs = densenet(len(grid)), random_inputs(2, 1, *grid)
    activations, _ = activations_and_gradients(network, inputs, layer)
    relevance = explained(network, inputs, "eigencam", layer)
    for image, ours in zip(activations, relevance, strict=True):
        flat = image.flatten(1)
        vector = torch.linalg.eigh(flat @ flat.T).eigenvectors[:, -1]
        exact = torch.einsum("c,c...->...", vector, image)
        exact *= exact.flatten()[exact.abs().argmax()].sign()
        assert_close(ours[0], exact)
