"""Networks small enough to follow by hand."""

import torch
from torch import Tensor, nn


class GapHead(nn.Module):
    """Inputs (batch, channels, h, w) are the activations: ReLU → global average pool → linear."""

    def __init__(self, weights: list[list[float]], bias: list[float], *, inplace: bool = False) -> None:
        super().__init__()
        self.features = nn.Identity()
        self.relu = nn.ReLU(inplace=inplace)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(len(weights[0]), len(weights))
        self.linear.weight.data = torch.tensor(weights)
        self.linear.bias.data = torch.tensor(bias)
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.linear(self.pool(self.relu(self.features(inputs.clone()))).flatten(1))


class FlatHead(nn.Module):
    """Identity features, then one linear layer over all cells: no pool, so no closed form."""

    def __init__(self, weights: Tensor) -> None:
        """`weights` (findings, channels, h, w): the gradient of each logit."""
        super().__init__()
        self.features = nn.Identity()
        self.linear = nn.Linear(weights[0].numel(), len(weights), bias=False)
        self.linear.weight.data = weights.flatten(1).clone()
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.linear(self.features(inputs * 1).flatten(1))


class InPlaceTail(nn.Module):
    """A convolution, an in-place ReLU that overwrites its output, and a tail that is no GAP head."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(1, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.mix = nn.Conv2d(4, 4, 3, padding=1)
        self.linear = nn.Linear(4, 2)
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.linear(torch.tanh(self.mix(self.relu(self.features(inputs)))).mean(dim=(2, 3)))
