"""Centroid: distance between the centroids of drawing and reference."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import Metric, Scored, Undefined
from pipeline.metrics.emptiness import DISTANCE
from pipeline.records import Mask


def centroid(mask: Mask) -> NDArray[np.float64]:
    """The mean position of the mask's pixels, one number per axis, in pixels. The mask must not be empty."""
    axes = range(mask.ndim)
    profiles = (mask.sum(axis=tuple(other for other in axes if other != axis)) for axis in axes)
    return np.array([profile @ np.arange(len(profile)) / profile.sum() for profile in profiles])


def centroid_distance(one: Mask, other: Mask, *, spacing: Sequence[float]) -> float:
    """Distance between the centroids, in the unit of `spacing`."""
    return float(np.linalg.norm((centroid(one) - centroid(other)) * spacing))


def _centroid_distance(scored: Scored) -> tuple[float | Undefined]:
    if scored.spacing_mm is None:
        return ("spacing_unknown",)
    return (centroid_distance(scored.drawing.mask, scored.truth, spacing=scored.spacing_mm),)


CENTROID_DISTANCE = Metric(
    name="centroid_distance",
    title="Centroid distance",
    against=frozenset({"mask"}),
    level="image",
    better="lower",
    unit="mm",
    emptiness=DISTANCE,
    score=_centroid_distance,
)
"""Centroid of all regions compared with that of all instances; several lesions share one centroid."""
