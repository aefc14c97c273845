"""Centre prior: the same Gaussian spot in the middle of every image."""

import numpy as np

from pipeline.baselines.grid import GRID
from pipeline.contracts import Baseline
from pipeline.records import Intensity

WIDTH = 0.25
"""Standard deviation of the Gaussian, as a share of the image's height and width."""


def center_prior() -> Intensity:
    """A Gaussian in the middle of the image, on `GRID`, with maximum 1."""
    axes = [((np.arange(n) + 0.5) / n - 0.5) / WIDTH for n in GRID]
    row, column = np.meshgrid(*axes, indexing="ij")
    return np.exp(-(row**2 + column**2) / 2).astype(np.float32)


CENTER_PRIOR = Baseline(
    reads="nothing",
    draw=center_prior,
    title="image centre",
    subject="the image centre, the same spot in every image,",
)
