"""Same: is what the archive holds under a UID the object that we would send?"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import IO, Final

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from pipeline.guards.reading import guarded

PATIENT_GROUP: Final = 0x0010
OF_STUDY: Final = frozenset(
    {0x00080005, 0x00080020, 0x00080030, 0x00080050, 0x00080090, 0x00081030, 0x00200010}
)
"""Character set, and elements of the study that an archive may correct by its own records, as of the patient:
date, time, accession number, referring physician, description, study ID."""


def is_same(sent: bytes, kept: IO[bytes] | Path) -> bool:
    """Whether every element that we send is there with its value; the archive may add elements.

    Elements of patient and study may differ, because archives correct them (coercion, PS3.4, B.4.1.3).
    Raises CaseError "bad_answer" if what is kept cannot be read.
    """
    with guarded("bad_answer", "what the archive holds under this UID is not DICOM; look there"):
        ours, theirs = dcmread(BytesIO(sent)), dcmread(kept)
        return all(_equal(ours, theirs, element.tag) for element in ours if not _may_differ(element.tag))


def _may_differ(tag: BaseTag) -> bool:
    return tag.group == PATIENT_GROUP or int(tag) in OF_STUDY or tag.element == 0  # group lengths


def _equal(ours: Dataset, theirs: Dataset, tag: BaseTag) -> bool:
    return tag in theirs and bool(ours[tag].value == theirs[tag].value)
