"""Mask files: the grey values of a mask's file, and the reference of these values."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TypeAlias, cast

from PIL import Image

from pipeline.annotations.background import Background
from pipeline.annotations.colours import Decided, values_of
from pipeline.annotations.masks import Instances, lesions_in
from pipeline.annotations.resampling import Resample, check_fit, on_grid
from pipeline.guards.png_files import refuse_turned
from pipeline.records import AnnotationItem, Reference, Shape

Opened: TypeAlias = Callable[..., AbstractContextManager[Image.Image]]
"""`guards.png_files.opened_png`, or that of another kind of picture."""


def picture_values(item: AnnotationItem, shape: Shape, opened: Opened) -> Decided:
    """Values (rows, columns) of a picture, and what was decided about its colours.

    The size is compared with the image's `shape` before decoding. Raises CaseError "annotation_unreadable",
    "mask_size", "not_a_mask".
    """
    what, reason = "The mask", "annotation_unreadable"
    with opened(Path(str(item.payload["path"])), what=what, reason=reason) as image:
        check_fit(
            (image.height, image.width), shape, cast("Resample", item.payload.get("resample", "refuse"))
        )
        image.load()
        refuse_turned(image, what=what, reason=reason)
        return values_of(image, _background(item))


def mask_reference(
    item: AnnotationItem, decided: Decided, *, case_id: str, finding: str, shape: Shape
) -> Reference:
    """The instances in the values (rows, columns) of the item's mask, on the grid of an image of `shape`.

    Raises CaseError "not_a_mask" if the values do not say what is background or a lesion.
    """
    values, notices = decided
    masks, guesses = lesions_in(values, cast("Instances", item.payload["instances"]), _background(item))
    return Reference(
        case_id, finding, item.reader, "mask", on_grid(masks, shape), notices=(*notices, *guesses)
    )


def _background(item: AnnotationItem) -> Background:
    return cast("Background", item.payload.get("background", "auto"))
