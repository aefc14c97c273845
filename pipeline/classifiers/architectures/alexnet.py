"""AlexNet: five convolutions and three linear layers, under torchvision's names of tensors."""

from __future__ import annotations

from torch import Tensor, nn

GRID = 6
"""Rows and columns of the grid that the linear layers read."""


class AlexNet(nn.Module):
    """Krizhevsky, "One weird trick for parallelizing convolutional neural networks", arXiv 1404.5997."""

    def __init__(self, *, in_channels: int, out_channels: int, hidden: int = 4096) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(in_channels, 64, 11, stride=4, padding=2), nn.ReLU(inplace=True)),
            nn.MaxPool2d(3, stride=2),
            *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(inplace=True)),
            nn.MaxPool2d(3, stride=2),
            *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(inplace=True)),
            *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(inplace=True)),
            *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(inplace=True)),
            nn.MaxPool2d(3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(GRID)
        self.classifier = nn.Sequential(
            *(nn.Dropout(), nn.Linear(256 * GRID**2, hidden), nn.ReLU(inplace=True)),
            *(nn.Dropout(), nn.Linear(hidden, hidden), nn.ReLU(inplace=True)),
            nn.Linear(hidden, out_channels),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits (batch, out_channels) of inputs (batch, in_channels, height, width)."""
        logits: Tensor = self.classifier(self.avgpool(self.features(inputs)).flatten(1))
        return logits
