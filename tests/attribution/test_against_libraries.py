"""Grad-CAM against Captum and MONAI, on several networks and layers."""

from copy import deepcopy

import pytest
import torch
from captum.attr import LayerGradCam
from monai.networks.nets import EfficientNetBN, ResNet
from monai.visualize import GradCAM
from torch import Tensor, nn

from tests.attribution.plain import assert_close, densenet, explained, module_of, random_inputs

GRIDS = {2: (48, 32), 3: (32, 24, 16)}


def resnet(dimensions: int) -> nn.Module:
    torch.manual_seed(1)
    return ResNet(
        "basic", [1, 1, 1, 1], [8, 8, 16, 16], spatial_dims=dimensions, n_input_channels=1, num_classes=3
    ).eval()


def efficientnet(dimensions: int) -> nn.Module:
    torch.manual_seed(2)
    return EfficientNetBN(
        "efficientnet-b0", pretrained=False, spatial_dims=dimensions, in_channels=1, num_classes=3
    ).eval()


def vgg(dimensions: int) -> nn.Module:
    """Convolutions with in-place ReLUs, and two linear layers over all cells."""
    torch.manual_seed(3)
    convolution, pool = (nn.Conv2d, nn.MaxPool2d) if dimensions == 2 else (nn.Conv3d, nn.MaxPool3d)
    cells = 8 * torch.Size(side // 4 for side in GRIDS[dimensions]).numel()
    return nn.Sequential(
        nn.Sequential(convolution(1, 4, 3, padding=1), nn.ReLU(inplace=True), pool(2)),
        nn.Sequential(convolution(4, 8, 3, padding=1), nn.ReLU(inplace=True), pool(2)),
        nn.Flatten(),
        nn.Linear(cells, 6),
        nn.ReLU(inplace=True),
        nn.Linear(6, 3),
    ).eval()


CASES = [
    (densenet, 2, "last"),
    (densenet, 2, "features.denseblock1"),
    (densenet, 3, "last"),
    (densenet, 3, "stride4"),
    (resnet, 2, "last"),
    (resnet, 2, "layer2"),
    (resnet, 3, "layer3"),
    (efficientnet, 2, "last"),
    (efficientnet, 2, "stride16"),
    (vgg, 2, "last"),
    (vgg, 3, "0"),
]


@pytest.mark.parametrize(("build", "dimensions", "layer"), CASES)
def test_gradcam_is_captums_times_the_number_of_cells(
    build: type[nn.Module], dimensions: int, layer: str
) -> None:
    network, inputs = build(dimensions), random_inputs(2, 1, *GRIDS[dimensions])
    ours = explained(network, inputs, "gradcam", layer)
    captum = LayerGradCam(network, network.get_submodule(module_of(network, inputs, layer)))
    theirs = torch.cat([captum.attribute(inputs, target=finding).detach() for finding in range(3)], dim=1)
    assert_close(ours, theirs * ours.shape[2:].numel())


@pytest.mark.parametrize(("build", "dimensions", "layer"), CASES)
def test_gradcam_is_monais_with_its_inversion_undone(
    build: type[nn.Module], dimensions: int, layer: str
) -> None:
    network, inputs = build(dimensions), random_inputs(4, 1, *GRIDS[dimensions])
    ours = explained(network, inputs, "gradcam", layer).relu()
    module = module_of(network, inputs, layer)
    # MONAI changes the network it is given: hooks stay on it, and in-place ReLUs are switched.
    monai = GradCAM(deepcopy(network), module, upsampler=lambda _size: lambda maps: maps)
    leaf = inputs.requires_grad_()  # else its backward hook warns where it sits on the first module
    theirs = torch.cat([monai(leaf, class_idx=finding) for finding in range(3)], dim=1)
    shown = ours.flatten(2).amax(dim=2) > 0  # a map without a positive cell is 0 with MONAI, and so 1 undone
    assert shown.any()
    assert_close((1 - theirs)[shown], unit_range(ours[shown]))


def unit_range(maps: Tensor) -> Tensor:
    """Each of (maps, *grid) from 0 to 1, as MONAI scales before it turns 0 and 1 round."""
    dims = tuple(range(1, maps.dim()))
    low, high = maps.amin(dims, keepdim=True), maps.amax(dims, keepdim=True)
    return (maps - low) / (high - low)
