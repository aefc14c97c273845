"""JPG: masks as JPEG files, read as PNG masks with soft edges, named by image, finding and reader."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.annotations.background import LABELS, Background
from pipeline.annotations.mask_files import mask_reference, picture_values
from pipeline.annotations.masks import Instances
from pipeline.annotations.patterns import find_files
from pipeline.annotations.resampling import Resample
from pipeline.contracts import AnnotationFormat
from pipeline.errors import CaseError
from pipeline.guards.jpeg_files import opened_jpeg
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
    values, notices = picture_values(item, shape, opened_jpeg)
    if 0 < values.max(initial=0) <= LABELS:
        raise CaseError("not_a_mask", TOO_DARK)
    return mask_reference(item, (values, notices), case_id=case_id, finding=finding, shape=shape)


JPG = AnnotationFormat(find=find, read=read, kind="mask")
