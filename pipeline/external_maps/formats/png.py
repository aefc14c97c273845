"""PNG: a map as grey values of 8 or 16 bits; brighter means more relevant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import HeatmapFormat
from pipeline.errors import CaseError
from pipeline.guards.png_files import opened_png, refuse_turned

GREY_MODES = frozenset({"1", "L", "I", "I;16", "I;16B"})


def read(path: Path, plane: int) -> NDArray[np.generic]:  # noqa: ARG001  a file holds one map
    """The grey values. Raises CaseError "heatmap_in_colour" for colours, whose relevance is unknown."""
    with opened_png(path, what="The heatmap", reason="heatmap_unreadable") as image:
        if image.mode not in GREY_MODES:
            raise CaseError(
                "heatmap_in_colour",
                "The heatmap has colours or transparency; save its values as grey, or as .npy.",
            )
        image.load()
        refuse_turned(image, what="The heatmap", reason="heatmap_unreadable")
        return np.array(image)


PNG = HeatmapFormat(suffixes=(".png",), read=read)
