"""Families: small networks of every kind, with three findings and one-channel inputs, in 2D and 3D."""

import torch
from monai.networks.blocks.squeeze_and_excitation import ChannelSELayer
from monai.networks.nets import EfficientNet, ResNet
from torch import Tensor, nn
from torch.nn import functional

from tests.attribution.plain import densenet, random_inputs

GRIDS = {2: (36, 28), 3: (20, 16, 16)}


def family(name: str, dimensions: int = 2, *, biases: bool = True) -> nn.Module:
    """A network in eval mode, its batch norms as after training; without `biases` nothing is shifted."""
    torch.manual_seed(0)
    network = FAMILIES[name](dimensions)
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d)]
    for norm in norms:
        norm.momentum = 1.0  # what it is given now is what it has seen
        nn.init.uniform_(norm.weight, -0.5, 1.5)
    with torch.no_grad():
        network.train()(random_inputs(4, 1, *GRIDS[dimensions]))
    for module in network.modules():
        if getattr(module, "bias", None) is not None:
            nn.init.uniform_(module.bias, *(-0.1, 0.1) if biases else (0, 0))
        if module in norms and not biases:
            nn.init.zeros_(module.running_mean)
    return network.eval()


def resnet(dimensions: int) -> nn.Module:
    return ResNet(
        "basic", [1, 1, 1, 1], [8, 8, 16, 16], spatial_dims=dimensions, n_input_channels=1, num_classes=3
    )


def bottleneck(dimensions: int) -> nn.Module:
    return ResNet(
        "bottleneck", [1, 1, 1, 1], [4, 4, 8, 8], spatial_dims=dimensions, n_input_channels=1, num_classes=3
    )


def efficientnet(dimensions: int) -> nn.Module:
    """Swish, depthwise convolutions, squeeze and excitation, a residual addition without ReLU."""
    blocks = ["r1_k3_s11_e1_i32_o16_se0.25", "r2_k3_s22_e2_i16_o16_se0.25"]
    return EfficientNet(blocks, dimensions, 1, 3)


class SqueezeAndExcitation(nn.Module):
    def __init__(self, dimensions: int) -> None:
        super().__init__()
        convolution, norm, _ = layers(dimensions)
        self.first, self.norm = convolution(1, 8, 3, stride=2), norm(8)
        self.gate = ChannelSELayer(dimensions, 8)
        self.second = convolution(8, 8, 3, padding=1)
        self.head = nn.Linear(8, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = functional.relu(self.norm(self.first(inputs)))
        hidden = torch.relu(self.second(self.gate(hidden)) + hidden)
        return self.head(hidden.flatten(2).mean(dim=2))


def vgg(dimensions: int) -> nn.Module:
    """In-place ReLUs, maximum pools, and linear layers over all cells."""
    convolution, norm, pool = layers(dimensions)
    cells = torch.Size(side // 4 for side in GRIDS[dimensions]).numel()
    return nn.Sequential(
        *(convolution(1, 4, 3, padding=1), norm(4), nn.ReLU(inplace=True), pool(2)),
        *(convolution(4, 8, 3, padding=1), nn.ReLU(inplace=True), pool(2)),
        *(nn.Flatten(), nn.Linear(8 * cells, 6), nn.BatchNorm1d(6), nn.ReLU(inplace=True), nn.Dropout()),
        nn.Linear(6, 3),
    )


class AlexNet(nn.Module):
    """No module but the convolutions and the linear layers: the rest are functions and methods."""

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        convolution, *_ = layers(dimensions)
        self.pool = functional.max_pool2d if dimensions == 2 else functional.max_pool3d
        self.average = functional.adaptive_avg_pool2d if dimensions == 2 else functional.adaptive_avg_pool3d
        self.first, self.second = convolution(1, 6, 5, stride=2, padding=2), convolution(6, 8, 3, padding=1)
        self.hidden, self.head = nn.Linear(8 * 2**dimensions, 6), nn.Linear(6, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.pool(self.first(inputs).relu_(), 3, 2)
        hidden = self.average(functional.relu(self.second(hidden), inplace=True), 2)
        return self.head(torch.relu(self.hidden(torch.flatten(hidden, 1))))


class SqueezeNet(nn.Module):
    """A fire module, whose two branches are concatenated, and logits from a convolution and a global pool."""

    def __init__(self, dimensions: int) -> None:
        super().__init__()
        convolution, _, self.pool = layers(dimensions)
        self.first, self.squeeze = convolution(1, 8, 3, stride=2), convolution(8, 4, 1)
        self.narrow, self.wide = convolution(4, 6, 1), convolution(4, 6, 3, padding=1)
        self.head = convolution(12, 3, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.pool(3, stride=2, ceil_mode=True)(self.first(inputs).relu())
        squeezed = functional.relu(self.squeeze(hidden))
        hidden = torch.cat([self.narrow(squeezed), self.wide(squeezed)], dim=1).relu()
        return self.head(hidden).mean(dim=tuple(range(2, inputs.dim())))


def layers(dimensions: int) -> tuple[type[nn.Module], type[nn.Module], type[nn.Module]]:
    if dimensions == 2:
        return nn.Conv2d, nn.BatchNorm2d, nn.MaxPool2d
    return nn.Conv3d, nn.BatchNorm3d, nn.MaxPool3d


FAMILIES = {
    "densenet": densenet,
    "resnet": resnet,
    "bottleneck": bottleneck,
    "efficientnet": efficientnet,
    "squeeze-and-excitation": SqueezeAndExcitation,
    "vgg": vgg,
    "alexnet": AlexNet,
    "squeezenet": SqueezeNet,
}
