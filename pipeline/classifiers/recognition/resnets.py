"""ResNets: kind and numbers of the blocks, filters, first kernel and biases, told by shapes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from pipeline.classifiers.network_classes import NETWORKS
from pipeline.classifiers.recognition.shapes import MOST_LAYERS, WIDEST, Shapes, prefix_of

FIRST: Final = "layer1.0.conv1.weight"
FILTERS: Final = (64, 128, 256, 512)
"""Filters of the four stages of ResNet-18 to 152 (He et al., 2016, table 1)."""
STAGES: Final = range(1, 5)
KERNEL: Final = 7
"""Side of the first kernel in the paper."""


def told_by(shapes: Shapes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Classes and arguments of the ResNets that have these shapes, if they are those of one.

    No tensor shows the stride of the first convolution. In networks made by MONAI's resnet50(), whose
    shortcuts have biases, it is 1, in others 2.
    """
    prefix = prefix_of(shapes, FIRST)
    if prefix is None:
        return
    own = {name.removeprefix(prefix): shape for name, shape in shapes.items() if name.startswith(prefix)}
    blocks = {
        (int(match[1]), match[2]) for name in own if (match := re.match(r"layer([1-4])\.(\d+)\.", name))
    }
    layers = [sum(stage == number for stage, _ in blocks) for number in STAGES]
    filters = tuple((*own.get(f"layer{number}.0.conv1.weight", ()), 0)[0] for number in STAGES)
    if not all(layers) or sum(layers) > MOST_LAYERS or not all(0 < one <= WIDEST for one in filters):
        return
    block = "bottleneck" if "layer1.0.conv3.weight" in own else "basic"
    kernel = (*own.get("conv1.weight", ()), 0, 0, 0)[2]
    stem = {"conv1_t_size": kernel} if 0 < kernel <= WIDEST and kernel != KERNEL else {}
    of_monai = "layer2.0.downsample.0.bias" in own
    named = _named(block, layers) if filters == FILTERS else []
    for is_one in (of_monai, not of_monai):
        for name in named:
            biases = {"bias_downsample": True} if of_monai else {}
            yield name, {**({"conv1_t_stride": 1} if is_one else {}), **biases, **stem}
        if not named:
            sizes = {"block": block, "layers": layers, "block_inplanes": list(filters)}
            biases = {} if of_monai else {"bias_downsample": False}
            yield "ResNet", {**sizes, **({} if is_one else {"conv1_t_stride": 2}), **biases, **stem}


def _named(block: str, layers: list[int]) -> list[str]:
    """The classes that imply these blocks."""
    return [
        name
        for name, one in NETWORKS.items()
        if one.fixed.get("block") == block and list(one.fixed.get("layers", ())) == layers
    ]
