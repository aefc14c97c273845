"""Masks: DICOM files that describe themselves as masks or cut-outs of an image, as in CBIS-DDSM."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

import numpy as np
from pydicom.dataset import Dataset

from pipeline.errors import CaseError
from pipeline.loaders.dataset import LARGEST_FILE_BYTES, parse_dataset
from pipeline.loaders.elements import name_of, text
from pipeline.loaders.image_files import ImageFile
from pipeline.loaders.pixels import stored_values

DESCRIPTIONS: Final = (
    "SeriesDescription", "ImageComments", "DerivationDescription", "ContentDescription", "ImageType",
)  # fmt: skip
"""Elements in which writers say that a file is a mask."""
_STATED: Final = {
    "ROI mask images": re.compile(r"(?<![a-z])roi[ _-]masks?(?![a-z])"),
    "cropped images": re.compile(r"(?<![a-z])cropped[ _-]images?(?![a-z])"),
}
"""What the descriptions of CBIS-DDSM say of files that are no whole image, whatever their pixels."""
_LIKE_A_MASK: Final = re.compile(
    r"(?<![a-z])(masks?|roi|rois|seg|segmentations?|label[ _-]?maps?|ground[ _-]?truth|annotations?)(?![a-z])"
)
MOST_VALUES: Final = 8
"""Number of values up to which pixels that are described as a mask are one; images have more."""


def refuse_masks(dataset: Dataset, opened: ImageFile) -> None:
    """Raise CaseError "not_an_image" if the file says that it is a mask, and its pixels do not contradict."""
    for element in DESCRIPTIONS:
        described = text(dataset, element).lower()
        for phrase, pattern in _STATED.items():
            if pattern.search(described):
                message = f'the file is not a whole image: {name_of(element)} says "{phrase}"'
                raise CaseError("not_an_image", message)
    by = next(_hints(dataset, opened.relative_path), "")
    if by and (number := _number_of_values(opened.file)) <= MOST_VALUES:
        found = "one value" if number == 1 else f"{number} values"
        message = f"the file is a mask, not an image: {by} says so, and its pixels have only {found}"
        raise CaseError("not_an_image", message)


def _hints(dataset: Dataset, path: str) -> Iterator[str]:
    """What says that the file may be a mask."""
    for element in DESCRIPTIONS:
        if _LIKE_A_MASK.search(text(dataset, element).lower()):
            yield name_of(element)
    if _LIKE_A_MASK.search(path.lower()):
        yield "its file name or folder"


def _number_of_values(file: BinaryIO) -> int:
    """Number of stored values in the first frame; more than `MOST_VALUES` if it cannot be decoded."""
    file.seek(0)
    try:
        stored = stored_values(parse_dataset(file.read(LARGEST_FILE_BYTES)), 0)[0]
    except CaseError:
        return MOST_VALUES + 1
    return len(np.unique(stored))
