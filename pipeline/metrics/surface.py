"""Surface: distances between the outlines of drawing and reference, in millimetres.

An outline is the mask's pixels that have a neighbour outside it across an edge; beyond the image is outside.
Each of these pixels counts alike, and distances are between pixel centres.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from pipeline.contracts import Metric, Scored, Undefined
from pipeline.metrics.emptiness import DISTANCE, LOCALISATION
from pipeline.records import Mask

NEARLY_ALL = 95
"""Per cent, of the robust Hausdorff distance."""


def normalised_surface_distance(
    one: Mask, other: Mask, *, tolerance: float, spacing: Sequence[float]
) -> float:
    """The share of both outlines that lies within `tolerance` of the other (Nikolov et al. 2018, eq. 1).

    `tolerance` is in the unit of `spacing`. Neither mask is empty. Masks may have any number of axes.
    """
    there, back = surface_distances(one, other, spacing=spacing)
    near = np.count_nonzero(there <= tolerance) + np.count_nonzero(back <= tolerance)
    return near / (len(there) + len(back))


def hausdorff_95(one: Mask, other: Mask, *, spacing: Sequence[float]) -> float:
    """The larger of the 95th percentiles of the distances from each outline to the other."""
    return max(
        float(np.percentile(way, NEARLY_ALL)) for way in surface_distances(one, other, spacing=spacing)
    )


def surface_distances(
    one: Mask, other: Mask, *, spacing: Sequence[float]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """From each outline pixel of `one` to the nearest of `other`, and back."""
    here, there = outline_points(one, spacing=spacing), outline_points(other, spacing=spacing)
    return KDTree(there).query(here)[0], KDTree(here).query(there)[0]


def outline_points(mask: Mask, *, spacing: Sequence[float]) -> NDArray[np.float64]:
    """The centres of the outline's pixels, (points, axes), in the unit of `spacing`."""
    window = window_of(mask)
    inside = np.pad(mask[window], 1)
    core = inside.copy()
    for axis in range(mask.ndim):
        core &= np.roll(inside, 1, axis) & np.roll(inside, -1, axis)
    corner = [extent.start - 1 for extent in window]
    return np.asarray((np.argwhere(inside & ~core) + corner) * np.asarray(spacing, np.float64))


def window_of(mask: Mask) -> tuple[slice, ...]:
    """The smallest window that holds all of the mask, which is not empty."""
    axes = range(mask.ndim)
    shadows = (np.flatnonzero(mask.any(axis=tuple(a for a in axes if a != axis))) for axis in axes)
    return tuple(slice(int(shadow[0]), int(shadow[-1]) + 1) for shadow in shadows)


def _surface_distance(scored: Scored) -> tuple[float]:
    known, tolerances = scored.spacing_mm, scored.tolerances
    return (
        normalised_surface_distance(
            scored.drawing.mask,
            scored.truth,
            tolerance=tolerances.surface_mm if known else tolerances.surface_px,
            spacing=known or (1, 1),
        ),
    )


def _hd95(scored: Scored) -> tuple[float | Undefined]:
    if scored.spacing_mm is None:
        return ("spacing_unknown",)
    return (hausdorff_95(scored.drawing.mask, scored.truth, spacing=scored.spacing_mm),)


SURFACE_DISTANCE = Metric(
    name="surface_distance",
    title="Normalised surface distance",
    against=frozenset({"mask"}),
    level="image",
    better="higher",
    unit="",
    emptiness=LOCALISATION,
    score=_surface_distance,
)
"""The share of both outlines within the tolerance, which is in pixels where the spacing is unknown."""

HD95 = Metric(
    name="hd95",
    title="95 % Hausdorff distance",
    against=frozenset({"mask"}),
    level="image",
    better="lower",
    unit="mm",
    emptiness=DISTANCE,
    score=_hd95,
)
"""All regions together against all instances together."""
