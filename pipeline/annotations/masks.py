"""Masks: grey values → one mask per instance on the image's grid."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from skimage.measure import label

from pipeline.annotations.background import Background, Grey, without_background
from pipeline.annotations.grey_levels import guessed_instances
from pipeline.annotations.parts import parts_of
from pipeline.errors import CaseError
from pipeline.records import Mask, Notice, Shape

Instances: TypeAlias = Literal["auto", "values", "components", "half", "whole"]
"""What one instance is.

values: the pixels of one value. components: an 8-connected part. half: a connected part of the pixels from
half of the highest value up. whole: all pixels but the background. auto: values or half, as the values are.
"""

MOST_INSTANCES = 64
"""More values than this are grey levels of a picture or soft edges of a resampled mask, not lesions."""


def check_size(found: Shape, wanted: Shape) -> None:
    """Raise CaseError "mask_size" if a mask's size differs from its image."""
    if found == wanted:
        return
    swapped = "rows and columns look swapped, transpose the mask"
    remedy = swapped if found == wanted[::-1] else "save the mask at the size of its image"
    raise CaseError(
        "mask_size",
        f"The mask has {found[0]} rows and {found[1]} columns, "
        f"its image {wanted[0]} rows and {wanted[1]} columns; {remedy}.",
    )


def check_stated_size(stated: Shape | None, wanted: Shape) -> None:
    """Raise CaseError "mask_size" if a file of annotations states another size of its image."""
    if stated is not None and stated != wanted:
        raise CaseError(
            "mask_size",
            f"The annotation's file states {stated[0]} rows and {stated[1]} columns, its image has "
            f"{wanted[0]} rows and {wanted[1]} columns; export the annotation at the size of its image.",
        )


def lesions_in(
    values: Grey, instances: Instances, background: Background
) -> tuple[tuple[Mask, ...], tuple[Notice, ...]]:
    """The instances in grey values (rows, columns), and what was decided about them.

    Raises CaseError "not_a_mask" if the values are not numbers, or do not say what is background or a lesion.
    """
    refuse_non_numbers(values)
    inside, notices = without_background(values, background)
    if instances != "auto":
        return split_instances(inside, instances), notices
    masks, guesses = guessed_instances(inside)
    return masks, (*notices, *guesses)


def split_instances(
    values: Grey, instances: Literal["values", "components", "half", "whole"]
) -> tuple[Mask, ...]:
    """The instances in grey values (rows, columns), in rising or in reading order; 0 is background."""
    refuse_non_numbers(values)
    grid = values != 0
    if instances == "whole":
        return (grid,) if grid.any() else ()
    if instances == "half":
        return parts_of(grid & (2 * values.astype(np.float64) >= values.max(initial=0)))
    if instances == "components":
        values = np.asarray(label(grid, connectivity=2))
    found = [value for value in _distinct(values) if value != 0]
    if instances == "values" and len(found) > MOST_INSTANCES:
        raise CaseError(
            "not_a_mask",
            f"The mask has {len(found)} different values, at most {MOST_INSTANCES} instances are allowed; "
            "save it as a mask without soft edges, or check that it is not a picture.",
        )
    return tuple(values == value for value in found)


def refuse_non_numbers(values: Grey) -> None:
    """Raise CaseError "not_a_mask" if a value is infinite or not a number."""
    if not np.isfinite(values).all():
        raise CaseError("not_a_mask", "The mask has values that are not numbers; save it with whole numbers.")


def _distinct(values: Grey) -> Grey:
    """The distinct values in rising order; fast for binary masks and for bytes, the usual cases."""
    highest = values.max(initial=0)
    if ((values == 0) | (values == highest)).all():
        return np.array([highest])
    if values.dtype == np.uint8:
        return np.flatnonzero(np.bincount(values.ravel(), minlength=256)).astype(np.uint8)
    return np.unique(values)
