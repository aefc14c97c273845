"""Background: the grey value of a mask that lies outside all lesions, made 0."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import CaseError
from pipeline.records import Mask, Notice

Background: TypeAlias = Literal["auto"] | tuple[int, ...]
"""The values outside all lesions. auto: 0, or the one of two values that fills the border of the image."""

Grey: TypeAlias = NDArray[Any]
"""Grey values (rows, columns), integers or floats."""

FILLED = 0.9
"""Share of the image's border that a value fills if the border shows it to be background."""
DARK = 1 / 8
"""Values up to this share of the highest count as 0 at the border, because JPEG and resizing blur them."""
LABELS = 64
"""Up to here, values may number lesions, so that 1 is not a blurred 0."""


def without_background(values: Grey, background: Background) -> tuple[Grey, tuple[Notice, ...]]:
    """The values with 0 for background, and a notice if another value than 0 was taken for it.

    Raises CaseError "not_a_mask" if 0 and the border of the image disagree about what is background.
    """
    if background != "auto":
        return _stated(values, background), ()
    if not values.size or not values.any():
        return values, ()
    if values.min() < 0:
        raise CaseError(
            "not_a_mask", "The mask has negative values; save it with 0 for background, or set `background`."
        )
    if border(is_dark(values)).mean() > 1 - FILLED:
        return values, ()
    return _by_border(values)


def is_dark(values: Grey) -> Mask:
    """Pixels with the value 0, or with one that blurring makes of 0."""
    highest = float(values.max(initial=0))
    return np.asarray(values <= (highest * DARK if highest > LABELS else 0))


def _by_border(values: Grey) -> tuple[Grey, tuple[Notice, ...]]:
    """The values where hardly any pixel on the border is 0."""
    levels = np.unique(values)
    value, share = commonest(border(values))
    if len(levels) == 1:
        found = f"has the value {value:g} everywhere and no background"
    elif share < FILLED:
        found = "has hardly any 0 on its border, and no other value fills it"
    elif is_dark(values).any() and (levels[0] == 0 or float(levels[-1]) > LABELS):
        found = f"looks inverted: the value {value:g} fills {share:.0%} of its border, and 0 lies inside"
    elif len(levels) > 2:  # noqa: PLR2004  background and lesion
        found = f"has no background of 0, and its {len(levels)} values do not show which one is background"
    else:
        return (values != value).astype(np.uint8), (border_notice(value),)
    raise CaseError(
        "not_a_mask",
        f"The mask {found}; save it with 0 for background, or set the source's key background.",
    )


def border_notice(value: float) -> Notice:
    """The guess that the value on the border is background."""
    return Notice(
        "guess",
        "annotations.sources",
        f"Masks show two values, neither of them black; the value {value:g}, which fills the border of the "
        "image, is read as background.",
        pin={"background": [int(value)]} if float(value).is_integer() else {},
    )


def _stated(values: Grey, background: tuple[int, ...]) -> Grey:
    """The values with 0 for the stated background; a background above all other values is inverted."""
    outside = np.isin(values, background)
    if 0 in background or not (values[~outside] == 0).any():
        return np.where(outside, 0, values)
    if max(background) > values[~outside].max(initial=0):
        return np.where(outside, 0, max(background) - values.astype(np.float64))
    return np.where(outside, 0, values.astype(np.float64) + 1)


def border(values: Grey) -> Grey:
    """The values of all pixels on the border; those in a corner twice."""
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])


def commonest(values: Grey) -> tuple[float, float]:
    """The most frequent value, and its share."""
    levels, counts = np.unique(values, return_counts=True)
    return float(levels[counts.argmax()]), float(counts.max() / counts.sum())
