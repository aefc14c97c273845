"""Network classes: the networks that a model card may name, and what builds each; loads no torch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from pipeline.classifiers.arguments import (
    AlexNetArguments,
    Arguments,
    DenseNetArguments,
    EfficientNetArguments,
    FreeResNetArguments,
    LibraryArguments,
    ResNetArguments,
    SENetArguments,
    SqueezeNetArguments,
    VGGArguments,
    ViTArguments,
    XceptionArguments,
)
from pipeline.registry import did_you_mean

ROOM: Final = "pipeline.classifiers.architectures."
MONAI: Final = "monai.networks.nets."
"""What may precede the name of a class of MONAI, which then has MONAI's defaults."""


@dataclass(frozen=True, slots=True)
class NetworkClass:
    """A network that a card may name."""

    arguments: type[Arguments]
    build: str
    """ "module:function"; the function takes the card's arguments and `fixed` as keywords."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Arguments that the name implies."""
    of_monai: bool = False
    """Whether MONAI has a class of this name, with the same defaults."""


def _resnet(block: str, *layers: int) -> NetworkClass:
    return NetworkClass(
        ResNetArguments, f"{ROOM}of_monai:residual_network", {"block": block, "layers": layers}
    )


DENSENETS: Final[Mapping[str, NetworkClass]] = MappingProxyType(
    {
        name: NetworkClass(DenseNetArguments, f"{ROOM}densenet:densenet", {"name": name}, of_monai=True)
        for name in ("DenseNet", "DenseNet121", "DenseNet161", "DenseNet169", "DenseNet201", "DenseNet264")
    }
)
NETWORKS: Final[Mapping[str, NetworkClass]] = MappingProxyType(
    {
        **DENSENETS,
        "ResNet": NetworkClass(FreeResNetArguments, f"{ROOM}of_monai:resnet", of_monai=True),
        "ResNet18": _resnet("basic", 2, 2, 2, 2),
        "ResNet34": _resnet("basic", 3, 4, 6, 3),
        "ResNet50": _resnet("bottleneck", 3, 4, 6, 3),
        "ResNet101": _resnet("bottleneck", 3, 4, 23, 3),
        "ResNet152": _resnet("bottleneck", 3, 8, 36, 3),
        **{
            name: NetworkClass(SENetArguments, f"{ROOM}of_monai:senet", {"name": name}, of_monai=True)
            for name in (
                "SENet154", "SEResNet50", "SEResNet101", "SEResNet152", "SEResNext50", "SEResNext101",
            )
        },
        "EfficientNetBN": NetworkClass(EfficientNetArguments, f"{ROOM}of_monai:efficientnet", of_monai=True),
        **{
            f"VGG{depth}": NetworkClass(VGGArguments, f"{ROOM}vgg:VGG", {"depth": depth})
            for depth in (11, 13, 16, 19)
        },
        "AlexNet": NetworkClass(AlexNetArguments, f"{ROOM}alexnet:AlexNet"),
        **{
            f"SqueezeNet{version.replace('.', '_')}": NetworkClass(
                SqueezeNetArguments, f"{ROOM}squeezenet:SqueezeNet", {"version": version}
            )
            for version in ("1.0", "1.1")
        },
        "ViT": NetworkClass(ViTArguments, f"{ROOM}vit:ViT", of_monai=True),
        "Xception": NetworkClass(XceptionArguments, f"{ROOM}xception:Xception"),
    }
)  # fmt: skip
"""Name on a card → network. Other code is never named by a card."""
LIBRARIES: Final[Mapping[str, NetworkClass]] = MappingProxyType(
    {
        "torchvision": NetworkClass(LibraryArguments, f"{ROOM}of_torchvision:network"),
        "timm": NetworkClass(LibraryArguments, f"{ROOM}of_timm:network"),
    }
)
"""What precedes a colon and a name of that library's registry → network of that library."""
LIBRARY_NAME: Final = re.compile(r"(torchvision|timm):([A-Za-z0-9_]+)")


def network_class(name: str) -> NetworkClass:
    """The network of a name. Raises ValueError, with a remedy, if a card cannot name it."""
    name, of_monai = name.removeprefix(MONAI), name.startswith(MONAI)
    if name in NETWORKS and (NETWORKS[name].of_monai or not of_monai):
        return NETWORKS[name]
    if match := LIBRARY_NAME.fullmatch(name):
        library = LIBRARIES[match[1]]
        return NetworkClass(library.arguments, library.build, {"name": match[2]})
    if alike := [known for known in NETWORKS if _letters(known) == _letters(name)]:
        raise ValueError(f"unknown network{did_you_mean(name, alike)}")
    raise ValueError(
        f"is not a network that a card can name, which are {', '.join(NETWORKS)}, and torchvision:NAME and "
        "timm:NAME where these libraries are installed; compute maps of other networks in your own "
        "framework, and score them with `heatproof score`"
    )


def _letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())
