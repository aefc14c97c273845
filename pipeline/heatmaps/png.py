"""PNG: a map as grey values of 8 or 16 bits, the brighter the more relevant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.contracts import HeatmapFormat
from pipeline.errors import CaseError

GREY_MODES = frozenset({"1", "L", "I", "I;16", "I;16B"})


def read(path: Path, plane: int) -> NDArray[np.generic]:  # noqa: ARG001  a file holds one map
    """The grey values. A picture in colour is refused: which colour is how much relevance is not known."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            if image.mode not in GREY_MODES:
                raise CaseError(
                    "heatmap_in_colour",
                    "The heatmap is a picture in colour or with alpha; save its values as grey, or as .npy.",
                )
            image.load()
            return np.asarray(image)
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise CaseError("heatmap_unreadable", "The heatmap is not a readable PNG file.") from error


PNG = HeatmapFormat(read=read)
