"""Probabilities: a network that gives them is told from one whose logits end in a ReLU."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pipeline.attribution.probabilities import gives_probabilities

EXAMPLE = torch.linspace(0, 1, 2 * 8 * 8).reshape(2, 1, 8, 8)


def ending_in(*layers: nn.Module, bias: float = 0.5) -> nn.Module:
    linear = nn.Linear(64, 2)
    nn.init.constant_(linear.weight, 0.01)
    nn.init.constant_(linear.bias, bias)
    return nn.Sequential(nn.Flatten(), linear, *layers).eval()


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ((nn.Sigmoid(),), True),
        ((nn.Softmax(dim=1),), False),  # both outputs are 0.5, which reaches no end
        ((), False),
        ((nn.ReLU(),), False),
    ],
)
def test_outputs_that_end_at_0_and_1_are_probabilities(
    layers: tuple[nn.Module, ...], *, expected: bool
) -> None:
    assert gives_probabilities(ending_in(*layers), EXAMPLE) is expected


class Dead(nn.Module):
    """A last ReLU that noise never passes, as in a SqueezeNet."""

    def __init__(self, last: nn.Module, bias: float) -> None:
        super().__init__()
        self.last, self.bias = last, bias

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        shown = inputs.flatten(1).mean(dim=1, keepdim=True) - inputs.flatten(1).std(dim=1, keepdim=True) / 9
        return self.last(shown * torch.tensor([[1.0, 0.5]]) + self.bias)


@pytest.mark.parametrize(
    ("last", "bias", "expected"),
    [(nn.ReLU(), 0.0, False), (nn.ReLU(), -0.5, False), (nn.Sigmoid(), 0.0, True)],
    ids=["positive", "zero", "sigmoid"],
)
def test_outputs_that_are_0_for_noise(last: nn.Module, bias: float, *, expected: bool) -> None:
    network = Dead(last, bias)
    noise = 1e4 * torch.randn(EXAMPLE.shape, generator=torch.Generator().manual_seed(0))
    assert float(network(noise).max()) < 1e-3
    assert gives_probabilities(network, EXAMPLE) is expected
