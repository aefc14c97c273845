"""Networks: some small enough to follow by hand, and every architecture that is supported, untrained."""

from collections.abc import Callable, Mapping

import torch
from monai.networks import nets
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


CONVOLUTIONS = {2: nn.Conv2d, 3: nn.Conv3d}
MAX_POOLS = {2: nn.MaxPool2d, 3: nn.MaxPool3d}
ADAPTIVE_POOLS = {2: nn.AdaptiveAvgPool2d, 3: nn.AdaptiveAvgPool3d}
FINDINGS = 2


class VGG(nn.Module):
    """Convolutions and maximum pools, a pool to a fixed grid, and linear layers over all its cells."""

    def __init__(self, dimensions: int = 2, channels: tuple[int, ...] = (8, 16, 24, 32)) -> None:
        super().__init__()
        convolution, pool = CONVOLUTIONS[dimensions], MAX_POOLS[dimensions]
        layers: list[nn.Module] = []
        for before, after in zip((1, *channels), channels, strict=False):
            layers += [convolution(before, after, 3, padding=1), nn.ReLU(inplace=True)]
            layers += [convolution(after, after, 3, padding=1), nn.ReLU(inplace=True), pool(2)]
        self.features = nn.Sequential(*layers)
        self.avgpool = ADAPTIVE_POOLS[dimensions](3)
        self.classifier = nn.Sequential(
            nn.Linear(channels[-1] * 3**dimensions, 32),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.Linear(32, FINDINGS),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(inputs)).flatten(1))


class AlexNet(nn.Module):
    """Large strided convolutions, overlapping maximum pools, dropout before linear layers."""

    def __init__(self, dimensions: int = 2) -> None:
        super().__init__()
        convolution, pool = CONVOLUTIONS[dimensions], MAX_POOLS[dimensions]
        self.features = nn.Sequential(
            *(
                convolution(1, 16, 7, stride=2, padding=3),
                nn.ReLU(inplace=True),
                pool(3, stride=2, padding=1),
            ),
            *(convolution(16, 32, 5, padding=2), nn.ReLU(inplace=True), pool(3, stride=2, padding=1)),
            *(convolution(32, 48, 3, padding=1), nn.ReLU(inplace=True)),
            *(convolution(48, 32, 3, padding=1), nn.ReLU(inplace=True), pool(3, stride=2, padding=1)),
        )
        self.avgpool = ADAPTIVE_POOLS[dimensions](2)
        self.classifier = nn.Sequential(
            *(nn.Dropout(), nn.Linear(32 * 2**dimensions, 64), nn.ReLU(inplace=True)),
            *(nn.Dropout(), nn.Linear(64, 64), nn.ReLU(inplace=True), nn.Linear(64, FINDINGS)),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        return self.classifier(self.avgpool(self.features(inputs)).flatten(1))


class Fire(nn.Module):
    """A squeeze that two convolutions widen again, side by side."""

    def __init__(self, dimensions: int, before: int, squeezed: int, after: int) -> None:
        super().__init__()
        convolution = CONVOLUTIONS[dimensions]
        self.squeeze = convolution(before, squeezed, 1)
        self.left, self.right = convolution(squeezed, after, 1), convolution(squeezed, after, 3, padding=1)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, inputs: Tensor) -> Tensor:
        squeezed = self.activation(self.squeeze(inputs))
        return torch.cat([self.activation(self.left(squeezed)), self.activation(self.right(squeezed))], dim=1)


class SqueezeNet(nn.Module):
    """Fire modules, and a head without a linear layer: convolution, ReLU, global average pool."""

    def __init__(self, dimensions: int = 2) -> None:
        super().__init__()
        convolution, pool = CONVOLUTIONS[dimensions], MAX_POOLS[dimensions]
        self.features = nn.Sequential(
            *(convolution(1, 16, 3, stride=2, padding=1), nn.ReLU(inplace=True), pool(2, ceil_mode=True)),
            *(Fire(dimensions, 16, 4, 16), Fire(dimensions, 32, 4, 16), pool(2, ceil_mode=True)),
            Fire(dimensions, 32, 8, 24),
        )
        self.classifier = nn.Sequential(
            nn.Dropout(), convolution(48, FINDINGS, 1), nn.ReLU(inplace=True), ADAPTIVE_POOLS[dimensions](1)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        return self.classifier(self.features(inputs)).flatten(1)


def _densenet(name: str) -> Callable[[int], nn.Module]:
    return lambda dimensions: getattr(nets, name)(dimensions, 1, FINDINGS)


def _resnet(name: str) -> Callable[[int], nn.Module]:
    return lambda dimensions: getattr(nets, name)(
        spatial_dims=dimensions, n_input_channels=1, num_classes=FINDINGS, conv1_t_stride=2
    )


def _senet(name: str) -> Callable[[int], nn.Module]:
    return lambda dimensions: getattr(nets, name)(
        spatial_dims=dimensions, in_channels=1, num_classes=FINDINGS
    )


def _efficientnet(name: str) -> Callable[[int], nn.Module]:
    return lambda dimensions: nets.EfficientNetBN(
        name, pretrained=False, spatial_dims=dimensions, in_channels=1, num_classes=FINDINGS
    )


DENSENETS = ("DenseNet121", "DenseNet169", "DenseNet201", "DenseNet264")
RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
SENETS = ("SENet154", "SEResNet50", "SEResNext50")
NETWORKS: Mapping[str, Callable[[int], nn.Module]] = {
    **{name: _densenet(name) for name in DENSENETS},
    **{name: _resnet(name) for name in RESNETS},
    **{name: _senet(name) for name in SENETS},
    "efficientnet-b0": _efficientnet("efficientnet-b0"),
    **{network.__name__: network for network in (VGG, AlexNet, SqueezeNet)},
}
"""Name → network of so many spatial dimensions, with one input channel and `FINDINGS` logits, untrained."""


def built(name: str, dimensions: int) -> nn.Module:
    """A network in eval mode, always with the same weights.

    Batch norm has statistics unlike 0 and 1, and scales below 1. With a scale of 1 activations grow from
    block to block, and the gates of an untrained SENet-154 double rounding errors in each: behind its third
    layer float32 and double precision differed by 70 %.
    """
    torch.manual_seed(0)
    network = NETWORKS[name](dimensions).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.25, 0.75)
    return network
