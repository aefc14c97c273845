"""PNG: masks named by image, finding and reader; binary, or one grey value per instance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

from pipeline.annotations.background import Background
from pipeline.annotations.colours import Decided, values_of
from pipeline.annotations.masks import Instances, lesions_in
from pipeline.annotations.patterns import find_files
from pipeline.annotations.resampling import Resample, check_fit, on_grid
from pipeline.contracts import AnnotationFormat
from pipeline.guards.png_files import opened_png, refuse_turned
from pipeline.records import AnnotationItem, Reference, Shape


def find(
    path: Path,
    *,
    pattern: str | tuple[str, ...] = "{image}.png",
    finding: str | None = None,
    reader: str = "reader",
    instances: Instances = "auto",
    background: Background = "auto",
    resample: Resample = "refuse",
) -> Iterator[AnnotationItem]:
    """Masks named by `pattern`; in a list, the first pattern that has a file for an image applies.

    Without {finding} in the pattern and without `finding`, a mask shows the finding that is present according
    to the image's labels. `background`: values, or indices of a colour palette, that lie outside all lesions.
    """
    payload = {"instances": instances, "background": background, "resample": resample}
    return find_files(path, pattern, format="png", finding=finding, reader=reader, payload=payload)


def read(item: AnnotationItem, *, case_id: str, finding: str, shape: Shape) -> Reference:
    """The mask's instances; a mask without any means that the finding is absent.

    Raises CaseError: "annotation_unreadable", "mask_size", "not_a_mask" (colours or values unclear).
    """
    background = cast("Background", item.payload.get("background", "auto"))
    resample = cast("Resample", item.payload.get("resample", "refuse"))
    values, notices = _opened(Path(str(item.payload["path"])), shape, background, resample)
    masks, guesses = lesions_in(values, cast("Instances", item.payload["instances"]), background)
    masks = on_grid(masks, shape)
    return Reference(case_id, finding, item.reader, "mask", masks, notices=(*notices, *guesses))


def _opened(path: Path, shape: Shape, background: Background, resample: Resample) -> Decided:
    """Values (rows, columns), and what was decided about colours. The size is checked before decoding."""
    with opened_png(path, what="The mask", reason="annotation_unreadable") as image:
        check_fit((image.height, image.width), shape, resample)
        image.load()
        refuse_turned(image, what="The mask", reason="annotation_unreadable")
        return values_of(image, background)


PNG = AnnotationFormat(find=find, read=read, kind="mask")
