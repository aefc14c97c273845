"""Left: the left half of every image."""

import numpy as np

from pipeline.contracts import Baseline
from pipeline.records import Intensity


def left() -> Intensity:
    """1 on the left, 0 on the right."""
    return np.array([[1, 0]], np.float32).repeat(2, axis=1)


LEFT = Baseline(reads="nothing", draw=left, title="left half", subject="the left half of every image")
