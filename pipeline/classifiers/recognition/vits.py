"""ViTs: sides of image and patch, widths and numbers of blocks of MONAI's ViT, told by shapes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import isqrt
from typing import Any, Final

from pipeline.classifiers.recognition.shapes import MOST_LAYERS, PLANAR, WIDEST, Shapes, prefix_of

POSITIONS: Final = "patch_embedding.position_embeddings"
PATCHES: Final = "patch_embedding.patch_embeddings.weight"
WIDTH: Final = 64
"""Channels of a head in the paper (Dosovitskiy et al. 2021, table 1)."""
HEADS: Final = (12, 16, 8, 6, 4, 3, 2, 1)


def told_by(shapes: Shapes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Class and arguments of the ViTs with square images that have these shapes.

    No tensor shows the number of heads: the first has 64 channels a head, as in the paper.
    """
    prefix = prefix_of(shapes, POSITIONS)
    if prefix is None:
        return
    own = {name.removeprefix(prefix): shape for name, shape in shapes.items() if name.startswith(prefix)}
    patches, width = (*own[POSITIONS], 0, 0, 0)[1:3]
    kernel = own.get(PATCHES, ())
    hidden = (*own.get("blocks.0.mlp.linear1.weight", ()), 0)[0]
    layers = len({match[1] for name in own if (match := re.match(r"blocks\.(\d+)\.", name))})
    side = isqrt(patches)
    sizes = (patches, width, hidden, layers)
    if len(kernel) != PLANAR or side * side != patches or not all(0 < one <= WIDEST for one in sizes):
        return
    if layers > MOST_LAYERS or not 0 < kernel[2] * side <= WIDEST:
        return
    arguments: dict[str, Any] = {
        "img_size": kernel[2] * side,
        "patch_size": kernel[2],
        "hidden_size": width,
        "mlp_dim": hidden,
        "num_layers": layers,
        **({"qkv_bias": True} if "blocks.0.attn.qkv.bias" in own else {}),
        **({"post_activation": "none"} if "classification_head.weight" in own else {}),
    }
    for heads in dict.fromkeys((width // WIDTH, *HEADS)):
        if heads and width % heads == 0:
            yield "ViT", {**arguments, "num_heads": heads}
