"""Deletion: an image that is replaced more and more, in the order of a map, and the area below the outputs.

Petsiuk et al. (2018, RISE): if a map says where the evidence is, the output falls at once as its highest
pixels go (deletion), and rises at once as they come (insertion). Here both go between the image and the same
image blurred until the finding is gone. Nothing here needs a network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from pipeline.geometry import HALF_CELL, resample_to_image
from pipeline.records import Heatmap, Intensity, Mask, ModelInput, Placement, Values

Order: TypeAlias = NDArray[np.intp]
"""Positions of pixels in the flattened input, the first to be replaced first."""
Direction: TypeAlias = Literal["deletion", "insertion"]

STEPS = 16
"""Equal shares of the pixels that are replaced one after the other; outputs are read after each."""
BLURS = (0.05, 0.1, 0.15)
"""Standard deviations of the blur as shares of the input's shorter side. The one that lowers the output most
is taken: a narrow one may leave large lesions, or look like a finding of its own."""
LEAST_FALL = 0.5
"""Logit by which the blurred image has to lie below the image, so that the area is more than noise."""
DECIMALS = 6
"""Of a map that is scaled to 0 … 1: beyond are rounding errors of its interpolation, not an order."""
FLAT = 1e-6
"""Range of a flat map, as a share of its largest value."""


def blurred(model_input: ModelInput, blur: float) -> Intensity:
    """The input (channels, rows, columns) blurred within the image; padding around it stays as it is.

    `blur` is a share of the shorter side.
    """
    inside = seen(model_input)
    sigma = blur * min(inside.shape)
    weight = gaussian_filter(inside.astype(np.float64), sigma, mode="constant")
    channels = [
        gaussian_filter(np.where(inside, channel, 0.0).astype(np.float64), sigma, mode="constant")
        / np.where(inside, weight, 1.0)
        for channel in model_input.tensor
    ]
    return np.where(inside, channels, model_input.tensor).astype(np.float32)


def seen(model_input: ModelInput) -> Mask:
    """Which pixels of the input (rows, columns) show the image, and are not padding."""
    placement = model_input.placement
    axes = []
    for axis in (0, 1):
        place = placement.scale[axis] * np.arange(placement.model_shape[axis]) + placement.offset[axis]
        axes.append((place >= -HALF_CELL) & (place <= placement.image_shape[axis] - HALF_CELL))
    return np.logical_and.outer(*axes)


def on_input(heatmap: Heatmap, model_input: ModelInput) -> Intensity:
    """The map interpolated at the pixels of the network's input, as it is interpolated on the image."""
    of_map, of_input = heatmap.placement, model_input.placement
    axes = list(zip(of_map.scale, of_map.offset, of_input.scale, of_input.offset, strict=True))
    (rows, down), (columns, across) = (((scale / s), (offset - o) / s) for scale, offset, s, o in axes)
    placement = Placement(
        of_map.model_shape, of_input.model_shape, (rows, columns), (down, across), of_map.overhang
    )
    return resample_to_image(heatmap.relevance, placement)


def order_of(relevance: Intensity, inside: Mask, *, then: Intensity) -> Order:
    """The pixels inside, the highest of the map first; of equal ones, the highest of `then` first."""
    within = np.flatnonzero(inside)
    first, second = (_rounded(values.ravel()[within]) for values in (relevance, then))
    return within[np.lexsort((-second, -first))]


def random_blobs(heatmap: Heatmap, model_input: ModelInput, *, number: int) -> Heatmap:
    """A random map as smooth as this one: the same amplitudes of all spatial frequencies, at random phases.

    Random numbers come from the input's pixels and `number`, so that every image has its own, and the same
    in every run.
    """
    pixels = np.ascontiguousarray(model_input.tensor).tobytes()
    digest = hashlib.sha256(pixels + str(number).encode()).digest()
    generator = np.random.default_rng(list(digest))
    shape = heatmap.relevance.shape
    noise = np.fft.rfft2(generator.standard_normal(shape))
    amplitude = np.abs(np.fft.rfft2(heatmap.relevance.astype(np.float64)))
    field = np.fft.irfft2(amplitude * noise / np.abs(noise), s=shape)
    return replace(heatmap, relevance=field.astype(np.float32))


def is_flat(relevance: Intensity) -> bool:
    """Whether a map puts no pixel before another."""
    return bool(np.ptp(relevance) <= FLAT * np.abs(relevance).max())


def versions(
    original: Intensity, fill: Intensity, order: Order, direction: Direction, *, steps: int = STEPS
) -> Iterator[Intensity]:
    """The images between the first and the last, which are `original` and `fill`, or the other way round.

    `original` and `fill` are (channels, rows, columns).
    """
    start, end = (original, fill) if direction == "deletion" else (fill, original)
    for step in range(1, steps):
        version = start.reshape(len(start), -1).copy()
        replaced = order[: round(step * order.size / steps)]
        version[:, replaced] = end.reshape(len(end), -1)[:, replaced]
        yield version.reshape(start.shape)


def falls(original: float, fill: float) -> bool:
    """Whether the output for the fill is far enough below that for the image to be followed in between."""
    return original - fill >= LEAST_FALL


def area(logits: Sequence[float], *, original: float, fill: float, direction: Direction) -> float:
    """Area below the output over the share of replaced pixels, by the trapezoid rule.

    `logits` are those of `versions`; the output must fall. It is counted as 1 where it is that of the
    original and 0 where it is that of the fill, so that networks and images with large and small logits count
    alike. An order without meaning gets one half from a network that adds up its pixels. Values below 0 and
    above 1 are possible.
    """
    first, last = (original, fill) if direction == "deletion" else (fill, original)
    total = (first + last) / 2 + sum(logits)
    return (total / (len(logits) + 1) - fill) / (original - fill)


def _rounded(values: Intensity) -> Values:
    """Scaled to 0 … 1 and rounded, so that what is equal but for rounding is equal."""
    low, high = float(values.min()), float(values.max())
    return np.round((values.astype(np.float64) - low) / ((high - low) or 1.0), DECIMALS)
