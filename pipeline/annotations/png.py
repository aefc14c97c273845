"""PNG: masks named by image, finding and reader; binary, or one grey value per instance."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.annotations.background import Background
from pipeline.annotations.mask_files import mask_reference, picture_values
from pipeline.annotations.masks import Instances
from pipeline.annotations.patterns import find_files
from pipeline.annotations.resampling import Resample
from pipeline.contracts import AnnotationFormat
from pipeline.guards.png_files import opened_png
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
    values = picture_values(item, shape, opened_png)
    return mask_reference(item, values, case_id=case_id, finding=finding, shape=shape)


PNG = AnnotationFormat(find=find, read=read, kind="mask")
