"""Location prior: the mean mask of the finding over other images."""

from collections.abc import Iterable

import numpy as np

from pipeline.baselines.grid import GRID
from pipeline.contracts import Baseline
from pipeline.records import Intensity


def location_prior(shares: Iterable[Intensity]) -> Intensity | None:
    """Mean over the `grid.occupancy` maps of other images' references; None if there are none."""
    total, count = np.zeros(GRID), 0
    for share in shares:
        total += share
        count += 1
    return (total / count).astype(np.float32) if count else None


LOCATION_PRIOR = Baseline(
    reads="references",
    draw=location_prior,
    title="mean mask",
    subject="the mean mask, the same for every image,",
)
