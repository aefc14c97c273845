"""Surface: distances between the outlines of drawing and reference, in millimetres.

There are two definitions of the outline, whose numbers differ; beyond the image counts as outside in both:

* "border_pixel": all mask pixels that share an edge with a pixel outside, with equal weights. Distances are
  between pixel centres. MONAI and Metrics Reloaded count so.
* "surfel": the pieces between pixels, weighted by their length (`surfels.py`), as in the program of Nikolov
  et al. (google-deepmind/surface-distance).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from pipeline.contracts import Metric, Scored, Side, Undefined
from pipeline.metrics.emptiness import DISTANCE, LOCALISATION
from pipeline.metrics.surfels import surfels
from pipeline.metrics.windows import window_of
from pipeline.records import Mask, SurfaceDefinition

HD_PERCENTILE = 95
"""Percentile of the robust Hausdorff distance."""


Outline: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Points, (points, axes), and their weights."""
SearchableOutline: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64], KDTree]
"""An outline with the tree of its points."""


def normalised_surface_distance(
    one: Mask,
    other: Mask,
    *,
    tolerance: float,
    spacing: Sequence[float],
    definition: SurfaceDefinition = "border_pixel",
) -> float:
    """The share of both outlines that lies within `tolerance` of the other one (Nikolov et al. 2018, eq. 1).

    `tolerance` is in the unit of `spacing`. Neither mask may be empty. Masks may have any number of axes, but
    have two for surfels.
    """
    both = surface_distances(one, other, spacing=spacing, definition=definition)
    return _near_share(both, tolerance=tolerance)


def _near_share(both: tuple[Outline, Outline], *, tolerance: float) -> float:
    near = sum(float(weights[distances <= tolerance].sum()) for distances, weights in both)
    return near / sum(float(weights.sum()) for _, weights in both)


def hausdorff_95(
    one: Mask, other: Mask, *, spacing: Sequence[float], definition: SurfaceDefinition = "border_pixel"
) -> float:
    """The larger of the 95th percentiles of the distances from each outline to the other.

    For surfels it is the least distance within which 95 % of the outline's length lies.
    """
    both = surface_distances(one, other, spacing=spacing, definition=definition)
    return _larger_percentile(both, definition=definition)


def _larger_percentile(both: tuple[Outline, Outline], *, definition: SurfaceDefinition) -> float:
    return max(PERCENTILES[definition](*found) for found in both)


def surface_distances(
    one: Mask, other: Mask, *, spacing: Sequence[float], definition: SurfaceDefinition = "border_pixel"
) -> tuple[Outline, Outline]:
    """Distances from each point of the outline of `one` to the nearest of `other`, with the points' weights.

    The second pair is from `other` to `one`.
    """
    outline = OUTLINES[definition]
    first, second = outline(one, spacing=spacing), outline(other, spacing=spacing)
    return _distances((*first, KDTree(first[0])), (*second, KDTree(second[0])))


def _distances(first: SearchableOutline, second: SearchableOutline) -> tuple[Outline, Outline]:
    (points, weights, tree), (other_points, other_weights, other_tree) = first, second
    return (other_tree.query(points)[0], weights), (tree.query(other_points)[0], other_weights)


def _border_pixels(mask: Mask, *, spacing: Sequence[float]) -> Outline:
    points = outline_points(mask, spacing=spacing)
    return points, np.ones(len(points))


def _surfels(mask: Mask, *, spacing: Sequence[float]) -> Outline:
    window = window_of(mask)
    points, lengths = surfels(mask[window], spacing=spacing)
    corner = [extent.start for extent in window]
    return points + np.multiply(corner, spacing), lengths


OUTLINES: Mapping[SurfaceDefinition, Callable[..., Outline]] = MappingProxyType(
    {"border_pixel": _border_pixels, "surfel": _surfels}
)


def _interpolated_percentile(distances: NDArray[np.float64], _: NDArray[np.float64]) -> float:
    return float(np.percentile(distances, HD_PERCENTILE))


def _percentile_of_length(distances: NDArray[np.float64], lengths: NDArray[np.float64]) -> float:
    order = np.argsort(distances, kind="stable")
    share = np.cumsum(lengths[order]) / lengths.sum()
    place = min(int(np.searchsorted(share, HD_PERCENTILE / 100)), len(order) - 1)
    return float(distances[order[place]])


PERCENTILES: Mapping[SurfaceDefinition, Callable[..., float]] = MappingProxyType(
    {"border_pixel": _interpolated_percentile, "surfel": _percentile_of_length}
)


def outline_points(mask: Mask, *, spacing: Sequence[float]) -> NDArray[np.float64]:
    """The centres of the outline's pixels, (points, axes), in the unit of `spacing`."""
    window = window_of(mask)
    inside = np.pad(mask[window], 1)
    core = inside.copy()
    for axis in range(mask.ndim):
        core &= np.roll(inside, 1, axis) & np.roll(inside, -1, axis)
    corner = [extent.start - 1 for extent in window]
    return np.asarray((np.argwhere(inside & ~core) + corner) * np.asarray(spacing, np.float64))


def _surface_distance(scored: Scored) -> tuple[float]:
    tolerances = scored.tolerances
    tolerance = tolerances.surface_mm if scored.spacing_mm else tolerances.surface_px
    return (_near_share(_distances_of(scored), tolerance=tolerance),)


def _hd95(scored: Scored) -> tuple[float | Undefined]:
    if scored.spacing_mm is None:
        return ("spacing_unknown",)
    return (_larger_percentile(_distances_of(scored), definition=scored.tolerances.surface),)


def _distances_of(scored: Scored) -> tuple[Outline, Outline]:
    """The distances between both outlines, in the order by which the two sides of a comparison are kept.

    Both metrics treat the sides alike, so that of two readers the distances are computed once.
    """
    one, other = sorted(scored.sides, key=id)
    return _between(one, other, scored.spacing_mm or (1, 1), scored.tolerances.surface)


@lru_cache(maxsize=1)  # shared by both metrics, and by both orders of two readers
def _between(
    one: Side, other: Side, spacing: tuple[float, float], definition: SurfaceDefinition
) -> tuple[Outline, Outline]:
    return _distances(
        one.once(_searchable, spacing, definition), other.once(_searchable, spacing, definition)
    )


def _searchable(side: Side, spacing: tuple[float, float], definition: SurfaceDefinition) -> SearchableOutline:
    points, weights = OUTLINES[definition](side.mask, spacing=spacing)
    return points, weights, KDTree(points)


SURFACE_DISTANCE = Metric(
    name="surface_distance",
    title="Normalised surface distance",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_surface_distance,
    of_surface=True,
)
"""The share of both outlines within the tolerance: in mm, or in pixels if the spacing is unknown."""

HD95 = Metric(
    name="hd95",
    title="95 % Hausdorff distance",
    against=frozenset({"mask"}),
    level="image",
    better="lower",
    unit="mm",
    emptiness=DISTANCE,
    score=_hd95,
    of_surface=True,
)
"""Union of all regions compared with the union of all instances."""
