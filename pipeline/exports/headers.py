"""Headers: an image's header as the objects about it need it, with the same patient and study."""

from __future__ import annotations

from typing import Final

from pydicom.dataset import Dataset

UTF_8: Final = "ISO_IR 192"
"""Names of findings and readers may have any letters, whatever the image's own character set."""
REQUIRED: Final = (
    "PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
    "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
"""Elements that every object has, if only empty (type 2: PS3.3, C.7.1.1 and C.7.2.1)."""


def completed(header: Dataset) -> Dataset:
    """The header in UTF-8, with the elements of patient and study that it lacks as empty ones."""
    header.decode()
    header.SpecificCharacterSet = UTF_8
    for keyword in REQUIRED:
        if keyword not in header:
            setattr(header, keyword, "")
    return header
