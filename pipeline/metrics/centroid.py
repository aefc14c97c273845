"""Centroid: distance between the centroids of drawing and reference."""

from collections.abc import Sequence

import numpy as np

from pipeline.contracts import Metric, Scored, Side, Undefined
from pipeline.metrics.emptiness import DISTANCE
from pipeline.records import Mask, Values


def centroid(mask: Mask) -> Values:
    """The mean position of the mask's pixels, one number per axis, in pixels. The mask must not be empty."""
    axes = range(mask.ndim)
    profiles = (mask.sum(axis=tuple(other for other in axes if other != axis)) for axis in axes)
    return np.array([profile @ np.arange(len(profile)) / profile.sum() for profile in profiles])


def centroid_distance(one: Mask, other: Mask, *, spacing: Sequence[float]) -> float:
    """Distance between the centroids, in the unit of `spacing`."""
    return _distance(centroid(one), centroid(other), spacing)


def _distance(one: Values, other: Values, spacing: Sequence[float]) -> float:
    return float(np.linalg.norm((one - other) * spacing))


def _centroid_distance(scored: Scored) -> tuple[float | Undefined]:
    if scored.spacing_mm is None:
        return ("spacing_unknown",)
    one, other = (side.once(_centroid) for side in scored.sides)
    return (_distance(one, other, scored.spacing_mm),)


def _centroid(side: Side) -> Values:
    return centroid(side.mask)


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
