"""Architectures: the networks are those that torchvision, timm and the papers' tables have.

The logits and the digests of names and shapes were computed by torchvision 0.28.0 and, for Xception, by timm
1.0.31, with the weights of `fill` and, of AlexNet and VGG, `HIDDEN` hidden outputs.
"""

from __future__ import annotations

from hashlib import sha256
from importlib import import_module
from typing import Any

import pytest
import torch
from torch import nn

from pipeline.classifiers.network_classes import NETWORKS
from tests.classifiers.architectures.networks import card_of, fill, parameters, published, wave_image

ELSEWHERE = {
    "AlexNet": ((75, 64), (-0.05580008024138626, -0.2293607361633217), "08fbea2a9a8584ae"),
    "VGG16": ((64, 48), (-0.06327102339193968, -0.23249618157530044), "2e2576efde372084"),
    "VGG11": ((64, 48), (-0.05645557255587877, -0.23734595418452253), "20bb8c0b26ffa623"),
    "SqueezeNet1_0": ((64, 48), (0.0, 0.1573484973159581), "c040a5eff9d1132c"),
    "SqueezeNet1_1": ((64, 48), (0.0, 0.1596850596431392), "d6e45f11a0e73eac"),
    "ResNet18": ((64, 48), (1.3517350322114767, 3.3528812701453834), "c50d8393d9c27802"),
    "ResNet50": ((64, 48), (37.426723969286535, -25.974552338129428), "db8f642a7a497157"),
    "ResNet101": ((64, 48), (-22.23962251916546, 16.18599629421374), "05fedc4c13aec23c"),
    "DenseNet161": ((64, 48), (-97.61968710991424, 35.593088020479044), "813d4dff0291a719"),
    "Xception": ((75, 64), (6.302574239541895, -5.490739743483499), "b1ca550f992cabbd"),
}
"""Class → size of the image, logits, and the start of the SHA-256 of sorted names and shapes of tensors.

VGG11 is with batch norm. Names of DenseNet161 are MONAI's."""
COUNTS = {
    "AlexNet": 61_100_840,
    "VGG11": 132_863_336,
    "VGG13": 133_047_848,
    "VGG16": 138_357_544,
    "VGG19": 143_667_240,
    "SqueezeNet1_0": 1_248_424,
    "SqueezeNet1_1": 1_235_496,
    "ResNet18": 11_689_512,
    "ResNet34": 21_797_672,
    "ResNet50": 25_557_032,
    "ResNet101": 44_549_160,
    "ResNet152": 60_192_808,
    "DenseNet121": 7_978_856,
    "DenseNet161": 28_681_000,
    "DenseNet169": 14_149_480,
    "DenseNet201": 20_013_928,
    "Xception": 22_855_952,
}
"""Parameters with 1000 classes and 3 channels: torchvision's documentation; of Xception, Keras'."""


@pytest.mark.parametrize("name", ELSEWHERE)
def test_names_shapes_and_logits_are_those_of_other_libraries(name: str) -> None:
    size, logits, digest = ELSEWHERE[name]
    arguments = {"batch_norm": True} if name == "VGG11" else {}
    network = published(name, size=size, **arguments).double()
    fill(network)
    lines = sorted(f"{key} {tuple(tensor.shape)}" for key, tensor in parameters(network).items())
    assert sha256("\n".join(lines).encode()).hexdigest()[:16] == digest
    with torch.no_grad():
        found = network(wave_image(*size))[0]
    torch.testing.assert_close(found, torch.tensor(logits, dtype=torch.float64), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", COUNTS)
def test_the_published_number_of_parameters(name: str) -> None:
    network = without_values(name, in_channels=3, out_channels=1000)
    assert sum(parameter.numel() for parameter in network.parameters()) == COUNTS[name]


REQUIRED = {
    "ResNet": {"block": "basic", "layers": [1, 1, 1, 1], "block_inplanes": [4, 4, 4, 4]},
    "ViT": {"img_size": 64, "patch_size": 16},
    "EfficientNetBN": {"model_name": "efficientnet-b0"},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_class_gives_one_logit_per_finding(name: str) -> None:
    network = without_values(name, in_channels=1, out_channels=3, **REQUIRED.get(name, {})).eval()
    assert network(torch.zeros(2, 1, 64, 64, device="meta")).shape == (2, 3)


def without_values(name: str, **arguments: Any) -> nn.Module:
    """The network with names and shapes of tensors only, which cost no memory."""
    module, _, function = NETWORKS[name].build.partition(":")
    with torch.device("meta"):
        network: nn.Module = getattr(import_module(module), function)(**NETWORKS[name].fixed, **arguments)
    return network


def test_monais_own_resnet_keeps_monais_defaults() -> None:
    network = published("ResNet", **REQUIRED["ResNet"])
    assert network.conv1.stride == (1, 1)
    assert network.layer2[0].downsample[0].bias is not None


def test_keras_epsilon_reaches_every_batch_norm_of_xception() -> None:
    network = published("Xception", size=75, epsilon=0.001)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert {norm.eps for norm in norms} == {0.001}
    assert len(norms) == 40
    assert card_of("Xception", epsilon=0.001).architecture.arguments.model_dump()["epsilon"] == 0.001
