"""JPG: masks as JPEG files, read as PNG masks with soft edges, named by image, finding and reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

from pipeline.annotations.background import LABELS, Background
from pipeline.annotations.colours import Decided, values_of
from pipeline.annotations.masks import Instances, lesions_in
from pipeline.annotations.patterns import find_files
from pipeline.annotations.resampling import Resample, check_fit, on_grid
from pipeline.contracts import AnnotationFormat
from pipeline.errors import CaseError
from pipeline.guards.jpeg_files import opened_jpeg
from pipeline.guards.png_files import refuse_turned
from pipeline.records import AnnotationItem, Reference, Shape

PATTERNS = ("{image}.jpg", "{image}.jpeg")
TOO_DARK = (
    f"The mask's highest value is below {LABELS}, which JPEG does not keep apart from 0; save it again from "
    "its source as PNG."
)


def find(
    path: Path,
    *,
    pattern: str | tuple[str, ...] = PATTERNS,
    finding: str | None = None,
    reader: str = "reader",
    instances: Instances = "auto",
    background: Background = "auto",
    resample: Resample = "refuse",
) -> Iterator[AnnotationItem]:
    """Masks named by `pattern`, as for PNG. JPEG blurs edges, so that half of the highest value counts."""
    payload = {"instances": instances, "background": background, "resample": resample}
    return find_files(path, pattern, format="jpg", finding=finding, reader=reader, payload=payload)


def read(item: AnnotationItem, *, case_id: str, finding: str, shape: Shape) -> Reference:
    """The mask's instances; a mask without any means that the finding is absent.

    Raises CaseError: "annotation_unreadable", "mask_size", "not_a_mask" (colours or values unclear).
    """
    background = cast("Background", item.payload["background"])
    resample = cast("Resample", item.payload["resample"])
    values, notices = _opened(Path(str(item.payload["path"])), shape, background, resample)
    masks, guesses = lesions_in(values, cast("Instances", item.payload["instances"]), background)
    masks = on_grid(masks, shape)
    return Reference(case_id, finding, item.reader, "mask", masks, notices=(*notices, *guesses))


def _opened(path: Path, shape: Shape, background: Background, resample: Resample) -> Decided:
    """Values (rows, columns), and what was decided about colours. The size is checked before decoding."""
    with opened_jpeg(path, what="The mask", reason="annotation_unreadable") as image:
        check_fit((image.height, image.width), shape, resample)
        image.load()
        refuse_turned(image, what="The mask", reason="annotation_unreadable")
        values, notices = values_of(image, background)
    if 0 < values.max(initial=0) <= LABELS:
        raise CaseError("not_a_mask", TOO_DARK)
    return values, notices


JPG = AnnotationFormat(find=find, read=read, kind="mask")
