"""DenseNets: sizes of the blocks, first filters, growth rate and bottleneck, told by shapes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from pipeline.classifiers.recognition.shapes import MOST_LAYERS, Shapes, shape_of

LAYER: Final = re.compile(r"features\.denseblock(\d+)\.denselayer(\d+)\.(?:layers\.)?conv\.?2\.weight$")
LAYOUTS: Final = ("layers.conv{}", "conv{}", "conv.{}")
"""MONAI's names of a layer's two convolutions, torchvision's, and those of its old releases."""
KNOWN: Final[Mapping[tuple[tuple[int, ...], int, int], str]] = MappingProxyType(
    {
        ((6, 12, 24, 16), 64, 32): "DenseNet121",
        ((6, 12, 36, 24), 96, 48): "DenseNet161",
        ((6, 12, 32, 32), 64, 32): "DenseNet169",
        ((6, 12, 48, 32), 64, 32): "DenseNet201",
        ((6, 12, 64, 48), 64, 32): "DenseNet264",
    }
)
"""(layers in each block, first filters, growth rate) → class (Huang et al., 2017, table 1)."""
BOTTLENECK: Final = 4
"""The bottleneck factor of the paper."""


def told_by(shapes: Shapes) -> Iterator[tuple[str, dict[str, Any]]]:
    """The class and the arguments of the DenseNet that has these shapes, if they are those of one."""
    layers = {(int(match[1]), int(match[2])) for name in shapes if (match := LAYER.search(name))}
    first = shape_of(shapes, "features.conv0.weight")
    inner, outer = (_convolution(shapes, number) for number in (1, 2))
    if not 0 < len(layers) <= MOST_LAYERS or any(not one or 0 in one for one in (first, inner, outer)):
        return
    blocks = tuple(sum(block == number for block, _ in layers) for number in sorted({n for n, _ in layers}))
    name = KNOWN.get((blocks, first[0], outer[0]), "DenseNet")
    sizes = {"init_features": first[0], "growth_rate": outer[0], "block_config": list(blocks)}
    factor = inner[0] // outer[0]
    own = sizes if name == "DenseNet" else {}
    yield name, own | ({"bn_size": factor} if factor not in {0, BOTTLENECK} else {})


def _convolution(shapes: Shapes, number: int) -> tuple[int, ...]:
    """The shape of a convolution of the first layer, in any layout."""
    names = (f"features.denseblock1.denselayer1.{layout.format(number)}.weight" for layout in LAYOUTS)
    return next((found for name in names if (found := shape_of(shapes, name))), ())
