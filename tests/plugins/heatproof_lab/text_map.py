"""Text map: a map as lines of numbers."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import HeatmapFormat


def read(path: Path, _plane: int) -> NDArray[np.generic]:
    """The values (rows, columns) of a text file."""
    return np.loadtxt(path, ndmin=2)


TEXT_MAP = HeatmapFormat(suffixes=(".lab.txt",), read=read)
