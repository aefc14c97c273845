"""Measuring: figures worked by hand, on networks made for it."""

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.reference_model.measuring import auroc, grad_cam, logits, pointing, youden_threshold
from tests.reference_model.samples import INPUT_SIZE, Samples


def test_auroc_counts_pairs_in_order() -> None:
    # Present 0.9, 0.4; absent 0.5, 0.4: pairs in order 2, reversed 1, tied 1.
    scores, labels = np.array([0.9, 0.4, 0.5, 0.4]), np.array([True, True, False, False])
    assert auroc(scores, labels) == pytest.approx(2.5 / 4)


def test_the_youden_threshold_lies_midway_in_the_gap() -> None:
    scores, labels = np.array([0.1, 0.3, 0.7, 0.2, 0.9]), np.array([False, False, True, False, True])
    assert youden_threshold(scores, labels) == pytest.approx(0.5)


class Copies(nn.Module):
    """The input, shrunk by 8, as the activation; each finding's logit is its mean times a weight."""

    def __init__(self, weights: list[float]) -> None:
        super().__init__()
        self.grid = nn.AvgPool2d(8)
        self.head = nn.Linear(1, 4)
        self.head.weight.data = torch.tensor(weights)[:, None]
        self.head.bias.data.zero_()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.grid(inputs).mean(dim=(2, 3)))


def film_with_a_bright_square() -> Samples:
    """Findings 0 and 1 are present; the square, at rows and columns 32 … 39, is in the mask of finding 0."""
    inputs = np.zeros((1, INPUT_SIZE, INPUT_SIZE), np.float16)
    inputs[0, 32:40, 32:40] = 1
    masks = np.zeros((1, 2 * INPUT_SIZE, 2 * INPUT_SIZE), np.uint8)
    masks[0, 64:80, 64:80] |= 1 << 0
    masks[0, :10, :10] |= 1 << 1
    return Samples(inputs, np.array([[True, True, False, False]]), masks)


def test_grad_cam_is_the_activation_times_its_summed_gradient_above_0() -> None:
    network = Copies([256.0, -256.0, 512.0, 0.0])
    film = film_with_a_bright_square()
    maps = grad_cam(network, torch.from_numpy(film.inputs.astype(np.float32))[:, None], "grid")
    assert maps.shape == (1, 4, 16, 16)
    assert maps[0, :, 4, 4].tolist() == [256, 0, 512, 0]  # the gradient, 1/256 of the weight, in 256 cells
    assert maps.sum() == 768


def test_a_hit_is_a_maximum_in_a_mask_of_that_finding() -> None:
    found = pointing(Copies([1.0, 1.0, 1.0, 1.0]), film_with_a_bright_square(), "grid")
    assert found.findings == {"nodule": 1, "consolidation": 0}
    assert found.overall == 0.5
    assert found.stride == 8


def test_a_flat_map_hits_nothing() -> None:
    film = film_with_a_bright_square()
    film.masks[:] = 255
    assert pointing(Copies([-1.0, -1.0, -1.0, -1.0]), film, "grid").overall == 0


def test_logits_are_one_row_a_film() -> None:
    network = nn.Sequential(
        OrderedDict(pool=nn.AvgPool2d(INPUT_SIZE), flat=nn.Flatten(), head=nn.Linear(1, 4))
    )
    assert logits(network, np.zeros((53, INPUT_SIZE, INPUT_SIZE), np.float16)).shape == (53, 4)
