"""Fills: a region of an image replaced by what could have been there.

Both continue the surroundings smoothly. The inpainting is a membrane: the solution of Laplace's equation with
the surroundings as its border. The clone adds the texture of another place of the same image, as in Poisson
image editing (Pérez, Gangnet & Blake 2003).
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.sparse import coo_array
from scipy.sparse.linalg import spsolve

from pipeline.probes.regions import Shift
from pipeline.records import Intensity, Mask, Values

SIDE = 96
"""Longest side of the grid on which a membrane is computed, in pixels; it is smooth within the region."""
FEATHER = 1.0
"""Standard deviation of the soft edge between fill and image, in pixels."""


def inpainted(pixels: Intensity, region: Mask) -> Intensity:
    """The image with the region filled by a smooth continuation of its surroundings."""
    return filled(pixels, region, np.zeros_like(pixels))


def cloned(pixels: Intensity, region: Mask, donor: Shift) -> Intensity:
    """The image with the region filled by the texture `donor` away, at the brightness of its surroundings."""
    return filled(pixels, region, shown(pixels, (donor.rows, donor.columns), shape=region.shape))


def filled(pixels: Intensity, region: Mask, texture: Intensity) -> Intensity:
    """The image with the texture, of the same shape, in the region, at the brightness of its surroundings."""
    rows, columns = np.nonzero(region)
    pad = max(8, int(0.25 * max(np.ptp(rows), np.ptp(columns))))
    part = np.s_[
        max(rows.min() - pad, 0) : rows.max() + pad + 1, max(columns.min() - pad, 0) : columns.max() + pad + 1
    ]
    inside = region[part]
    raised = _smooth(pixels[part].astype(np.float64) - texture[part], inside) + texture[part]
    share = np.where(inside, 1.0, gaussian_filter(inside.astype(np.float64), FEATHER))
    result = pixels.copy()
    result[part] = np.clip(share * raised + (1 - share) * pixels[part], 0.0, 1.0)
    return result


def shown(pixels: Intensity, by: tuple[int, int], *, shape: tuple[int, ...]) -> Intensity:
    """An image of a shape, each pixel showing the one `by` (rows, columns) away, or the nearest."""
    rows, columns = (
        np.clip(np.arange(size) + move, 0, side - 1)
        for size, move, side in zip(shape, by, pixels.shape, strict=True)
    )
    return pixels[np.ix_(rows, columns)]


def membrane(values: Values, region: Mask) -> Values:
    """The values, and inside the region the solution of Laplace's equation with the values around it.

    At the edge of the array the normal derivative is 0. A region that covers the array becomes 0.
    """
    number = np.full(region.shape, -1)
    number[region] = np.arange(region.sum())
    if region.all() or not region.any():
        return np.where(region, 0.0, values)
    size = int(region.sum())
    entries, known, degree = [], np.zeros(size), np.zeros(size)
    for here, there in _neighbours(region.shape):
        own, next_number = number[here], number[there]
        inside = own >= 0
        degree += np.bincount(own[inside], minlength=size)
        linked = inside & (next_number >= 0)
        entries.append((own[linked], next_number[linked]))
        border = inside & (next_number < 0)
        known += np.bincount(own[border], weights=values[there][border], minlength=size)
    rows = np.concatenate([own for own, _ in entries] + [np.arange(size)])
    columns = np.concatenate([other for _, other in entries] + [np.arange(size)])
    weights = np.concatenate([-np.ones(len(rows) - size), degree])
    solved = values.astype(np.float64).copy()
    solved[region] = spsolve(coo_array((weights, (rows, columns)), shape=(size, size)).tocsc(), known)
    return solved


def _neighbours(_shape: tuple[int, ...]) -> list[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """Pairs of slices: each cell with its neighbour below, above, to the right and to the left."""
    everything, first, last = slice(None), slice(None, -1), slice(1, None)
    down, right = ((first, everything), (last, everything)), ((everything, first), (everything, last))
    return [down, down[::-1], right, right[::-1]]


def _smooth(values: Values, inside: Mask) -> Values:
    """The membrane over a region, computed on a smaller grid where the region is large."""
    shape, factor = values.shape, min(1.0, SIDE / max(values.shape))
    if factor == 1.0:
        return membrane(values, inside)
    small = max(round(shape[1] * factor), 2), max(round(shape[0] * factor), 2)
    outside = cv2.resize((~inside).astype(np.float64), small, interpolation=cv2.INTER_AREA)
    sums = cv2.resize(np.where(inside, 0.0, values), small, interpolation=cv2.INTER_AREA)
    hidden = outside < HALF
    coarse = membrane(np.where(hidden, 0.0, sums / np.maximum(outside, HALF)), hidden)
    fine = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float64)
    return np.where(inside, fine, values)


HALF = 0.5
"""Share of a coarse cell that must be known for its mean to count as known."""
