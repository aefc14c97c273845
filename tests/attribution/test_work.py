"""Work: multiplications counted by hand, and networks that read numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from pipeline.attribution.work import multiplications, reads_numbers


def test_multiplications_of_a_convolution_and_a_linear_layer() -> None:
    """4 x 6 x 8 outputs of 3 x 3 x 2 factors, then 5 outputs of 4 factors, for each of two images."""
    network = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5)
    )
    assert multiplications(network, torch.zeros(2, 2, 6, 8)) == 2 * (4 * 6 * 8 * 3 * 3 * 2 + 5 * 4)


def test_a_convolution_in_groups_multiplies_less() -> None:
    network = nn.Conv2d(4, 8, 1, groups=2, bias=False)
    assert multiplications(network, torch.zeros(1, 4, 3, 5)) == 8 * 15 * 2


class By(nn.Module):
    def __init__(self, what: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.what = what

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs + 1 if self.what(inputs) else inputs


@pytest.mark.parametrize(
    "what",
    [
        lambda inputs: inputs.sum() > 0,
        lambda inputs: inputs.max().item(),
        lambda inputs: torch.equal(inputs, inputs),
        lambda inputs: int(inputs.argmax()),
        lambda inputs: max(inputs.flatten().tolist()) > 0,
        lambda inputs: inputs.numpy().max() > 0,
        lambda inputs: len(inputs.nonzero()) > 1,
        lambda inputs: torch.allclose(inputs, inputs),
        lambda inputs: len(inputs.unique()) > 1,
        lambda inputs: len(inputs[inputs > 0]) > 1,
    ],
)
def test_a_network_that_reads_numbers_is_noticed(what: Callable[[Tensor], object]) -> None:
    assert reads_numbers(By(what), torch.ones(1, 1, 2, 2))


def test_a_network_that_asks_for_shapes_reads_no_numbers() -> None:
    assert not reads_numbers(By(lambda inputs: inputs.shape[0] == len(inputs)), torch.ones(1, 1, 2, 2))
