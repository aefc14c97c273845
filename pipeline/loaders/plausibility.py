"""Plausibility: decoded values that are no image, or hardly one."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pipeline.loaders.elements import Warn
from pipeline.loaders.greyscale import Greyscale
from pipeline.records import Caution, Intensity

NARROW_RANGE: Final = "narrow_range"
"""Reason of a caution: the image uses hardly any of the brightness that it could have.

If many images of a run have it, their export is broken, for example 12 bits stored as 16 without a window.
"""
TWO_VALUES: Final = "two_values"
"""Reason of a caution: the image may be a mask."""
NARROW: Final = 1 / 16
"""Spread of brightness up to which an image counts as dark.

12 bits in words of 16 use exactly 4095/65535. On a screen of 8 bits 16 of 256 grey levels are left. Images
that are exposed too little still use a quarter or an eighth.
"""
EXTREMES: Final = (0.1, 99.9)
"""Percentiles that count as lowest and highest, so that a burned-in marker does not hide a dark image."""
SAMPLED: Final = 2**18
"""About the number of pixels of a large image from which percentiles are computed."""

FEWER: Final = 16
"""Every so many-th of them is looked at first: 5 % of one in 16 are more than `EXTREMES` leave out of all, so
brightness that spreads well between the percentiles of `INNER` spreads well between `EXTREMES`."""
INNER: Final = (5, 95)


def warn_of_range(stored: NDArray[np.integer], pixels: Intensity, scale: Greyscale, warn: Warn) -> None:
    """Warn if brightness, without padding, spreads over no more than `NARROW` of 0 … 1."""
    image = pixels
    if scale.padding is not None:
        image = pixels[(stored < scale.padding[0]) | (stored > scale.padding[1])]
    if not image.size:
        return
    sample = image.ravel()[:: max(1, image.size // SAMPLED)]
    inner = np.percentile(sample[::FEWER], INNER)
    if inner[1] - inner[0] > NARROW:  # the lowest and the highest of all lie no nearer to each other
        return
    low = float(np.percentile(sample, EXTREMES[0], method="lower"))
    high = float(np.percentile(sample, EXTREMES[1], method="higher"))
    if high - low > NARROW:
        return
    by = "without a window" if scale.voi is None else "with its window or look-up table"
    warn(
        Caution(
            NARROW_RANGE,
            f"the image spans only {low:.3f} … {high:.3f} of the brightness 0 … 1 {by}: its values are "
            f"{stored.min()} … {stored.max()}, and Bits Stored is {scale.bits}",
        )
    )


def warn_of_masks(stored: NDArray[np.integer], warn: Warn) -> None:
    """Warn if the pixels have exactly two values, as masks do."""
    if has_two_values(stored):
        warn(Caution(TWO_VALUES, "the image has only two values, so it may be a mask and not an image"))


def has_two_values(stored: NDArray[np.integer]) -> bool:
    """Whether each value of a greyscale image is the lowest or the highest, and these differ."""
    if stored.ndim != len(("row", "column")):
        return False
    low, high = stored.min(), stored.max()
    return bool(low < high) and bool(((stored == low) | (stored == high)).all())
