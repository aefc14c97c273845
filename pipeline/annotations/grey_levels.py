"""Grey levels: what the values of a mask are, soft edges of one mask or numbers of lesions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, maximum_filter, minimum_filter

from pipeline.annotations.background import DARK, LABELS, Grey
from pipeline.annotations.parts import parts_of
from pipeline.errors import CaseError
from pipeline.records import Mask, Notice

SOURCES = "annotations.sources"
SQUARE = np.ones((3, 3), np.bool_)
"""A pixel and its eight neighbours."""
VOID = 255
"""PASCAL VOC: pixels on the rim of an object, which belong neither to it nor to the background."""
VOID_REACH = 8
"""Pixels from an object up to which its void rim reaches."""
RIM_REACH = 2
"""Pixels from a lesion up to which anti-aliased edges reach."""
MOST_OF = 0.9
"""Share of a level's pixels that decides what the level is."""
FLAT = 0.5
"""A level is flat if this share of its pixels lies in 3 × 3 squares of its value."""
SEPARATED = 1 / 16
"""Smallest distance between values that number lesions, as a share of the highest, above `LABELS`."""
NOISY = 4
"""Number of values without areas that only JPEG leaves; it also shifts 0 in whole blocks."""
FEWEST_RIM_PIXELS = 8
"""Fewer pixels are a small lesion, however they lie."""

ONE_MASK = Notice(
    "guess",
    SOURCES,
    "Masks with one value beside the background have several connected parts; each part is read as a lesion.",
    pin={"instances": "half"},
)
SOFT = Notice(
    "guess",
    SOURCES,
    "Masks have soft edges; pixels from half of the highest value up are read as inside, and each connected "
    "part as a lesion.",
    pin={"instances": "half"},
)
NUMBERED = Notice(
    "guess",
    SOURCES,
    "Masks have several flat values beside the background; each value is read as a lesion.",
    pin={"instances": "values"},
)
VOID_RIM = Notice(
    "guess",
    SOURCES,
    "The value 255 only borders other values in masks; it is read as the void of PASCAL VOC, outside the "
    "lesions.",
    pin={"background": [0, VOID]},
)


def guessed_instances(values: Grey) -> tuple[tuple[Mask, ...], tuple[Notice, ...]]:
    """The lesions in grey values (rows, columns) with 0 for background, and how they were told apart.

    Raises CaseError "not_a_mask" if the values may be soft edges as well as lesions.
    """
    if _has_void_rim(values):
        masks, notices = guessed_instances(np.where(values == VOID, 0, values))
        return masks, (VOID_RIM, *notices)
    levels = _levels(values)
    if len(levels.values) <= 1:
        parts = parts_of(values != 0)
        return parts, (ONE_MASK,) if len(parts) > 1 else ()
    if _are_numbers(levels):
        _refuse_rims(levels)
        return tuple(values == value for value in levels.values), (NUMBERED,)
    _refuse_unclear(levels)
    return parts_of(2 * values.astype(np.float64) >= levels.values[-1]), (SOFT,)


@dataclass(frozen=True, slots=True)
class _Levels:
    """The values above 0 in rising order, with the number, flatness and isolation of their pixels."""

    grid: Grey
    values: NDArray[np.float64]
    areas: NDArray[np.intp]
    flat: NDArray[np.bool_]
    """Whether most pixels lie in squares of the value, or no pixel touches another value."""

    @property
    def top(self) -> float:
        """The highest value."""
        return float(self.values[-1])

    @property
    def dark(self) -> NDArray[np.bool_]:
        """Levels near 0."""
        return np.asarray(self.values <= DARK * self.top)

    @property
    def bright(self) -> NDArray[np.bool_]:
        """Levels near the highest."""
        return np.asarray(self.values >= (1 - DARK) * self.top)

    @property
    def gaps(self) -> NDArray[np.float64]:
        """Distances from each value to the next lower one, or to 0."""
        return np.diff(self.values, prepend=0)


def _levels(values: Grey) -> _Levels:
    """The levels. Flatness is not determined for a single one."""
    highest = values.max(initial=0)
    if ((values == 0) | (values == highest)).all():
        found = np.array([highest] if highest else [], np.float64)
        return _Levels(values, found, np.zeros(len(found), np.intp), np.ones(len(found), np.bool_))
    found, numbers, areas = np.unique(values, return_inverse=True, return_counts=True)
    lowest, peak = minimum_filter(values, 3, mode="nearest"), maximum_filter(values, 3, mode="nearest")
    opened = binary_dilation(lowest == peak, SQUARE)
    above = np.where(values == 0, highest, values)
    touching = (peak != values) | (minimum_filter(above, 3, mode="nearest") != values)
    count = len(found)
    shares = np.bincount(numbers.ravel(), opened.ravel(), count) / areas
    alone = np.bincount(numbers.ravel(), touching.ravel(), count) == 0
    start = int(found[0] == 0)
    return _Levels(
        values, found[start:].astype(np.float64), areas[start:], ((shares >= FLAT) | alone)[start:]
    )


def _are_numbers(levels: _Levels) -> bool:
    """Whether the values number lesions: small whole numbers, or flat ones far from each other."""
    if levels.top <= LABELS and np.array_equal(levels.values, np.rint(levels.values)):
        return True
    return bool(levels.flat.all() and (levels.gaps >= SEPARATED * levels.top).all())


def _refuse_rims(levels: _Levels) -> None:
    """Refuse a value that is nothing but a thin rim around a flat one."""
    for value, area in zip(levels.values[~levels.flat], levels.areas[~levels.flat], strict=True):
        level = levels.grid == value
        core = minimum_filter(level, 3, mode="nearest")
        others = np.isin(levels.grid, levels.values[levels.flat])
        beside = level & binary_dilation(others, SQUARE, RIM_REACH)
        if area >= FEWEST_RIM_PIXELS and not core.any() and beside.sum() >= MOST_OF * area:
            raise CaseError(
                "not_a_mask",
                f"The value {value:g} in the mask is only a thin border of another value, part of the lesion "
                "or not; remove it, name it in the source's key background, or set instances to values.",
            )


def _refuse_unclear(levels: _Levels) -> None:
    """Refuse values that are neither numbers nor the soft edges of one mask."""
    dark, bright, flat, areas = levels.dark, levels.bright, levels.flat, levels.areas
    middle = ~dark & ~bright
    found = ", ".join(f"{value:g}" for value in levels.values[flat][:8])
    if (middle & flat).any() or _has_dark_lesions(levels):
        raise CaseError(
            "not_a_mask",
            f"The mask has areas of several values ({found}) that do not show whether they are lesions, soft "
            "edges or pixels to be ignored; set the source's key instances, or save one value per lesion.",
        )
    core = levels.grid >= (1 - DARK) * levels.top
    soft = (levels.grid > DARK * levels.top) & ~core
    near = binary_dilation(core, SQUARE, RIM_REACH)
    if areas[middle].sum() > areas[bright].sum() and (soft & ~near).any():
        raise CaseError(
            "not_a_mask",
            f"The mask has {len(levels.values)} different values, most of them far from 0 and from the "
            "highest; save it as a mask without soft edges, or check that it is not a picture.",
        )


def _has_dark_lesions(levels: _Levels) -> bool:
    """Whether values near 0 fill areas as lesions do, not as the noise that JPEG leaves beside edges."""
    return bool((levels.dark & levels.flat).any() and np.count_nonzero(~levels.flat) < NOISY)


def _has_void_rim(values: Grey) -> bool:
    """Whether 255 surrounds all other values, which are small numbers, and lies nowhere else."""
    void = values == VOID
    objects = (values != 0) & ~void
    if not void.any() or not objects.any() or values.max(initial=0) > VOID or values[objects].max() > LABELS:
        return False
    around = binary_dilation(objects, SQUARE) & ~objects
    near = binary_dilation(objects, SQUARE, VOID_REACH)
    return bool(
        void[around].mean() >= MOST_OF and np.count_nonzero(void & near) >= MOST_OF * np.count_nonzero(void)
    )
