"""Objects: a built DICOM object with dates and UIDs settled, so that the same run gives the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID

from pipeline.exports.codes import OWN
from pipeline.exports.study import ExportedRun
from pipeline.exports.uids import uid_of

PENDING: Final = "2.25.0"
"""SOP instance UID of an object whose content is not yet hashed."""
MIDNIGHT: Final = "000000"
DATES: Final = ("ContentDate", "InstanceCreationDate", "SeriesDate", "PresentationCreationDate")
TIMES: Final = ("ContentTime", "InstanceCreationTime", "SeriesTime", "PresentationCreationTime")
DATE_TIMES: Final = ("ObservationDateTime", "ContributionDateTime")
ORIENTATION: Final = "PatientOrientation"
EQUIPMENT: Final = "ContributingEquipmentSequence"
"""Where highdicom states its version."""
MADE_UP: Final = "DimensionOrganizationUID"
"""The one UID that libraries make up and callers cannot give."""


@dataclass(frozen=True, slots=True)
class ExportedObject:
    """One DICOM object, ready to be stored."""

    dataset: FileDataset | Dataset
    case_ids: tuple[str, ...]
    """The cases that it is about."""

    @property
    def uid(self) -> str:
        """Its SOP instance UID."""
        return str(self.dataset.SOPInstanceUID)


NO_CONTOUR: Final = "no_contour"
"""Reason of images on which nothing was drawn, which is no failure."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What a kind of object could not be made of."""

    case_id: str
    kind: str
    reason: str
    """A short code in snake_case."""
    message: str


def settled(dataset: Dataset, run: ExportedRun, *, kind: str, case_ids: tuple[str, ...]) -> ExportedObject:
    """The object with the run's date and with UIDs made of run, kind, cases and content.

    Its SOP instance UID has to be `PENDING`.
    """
    date = run.created.replace("-", "")
    if ORIENTATION not in dataset and "Rows" in dataset:
        dataset.PatientOrientation = None  # required and unknown (C.7.6.1, type 2C)
    for element in _elements(dataset):
        if element.keyword in DATES:
            element.value = date
        elif element.keyword in TIMES:
            element.value = MIDNIGHT
        elif element.keyword in DATE_TIMES:
            element.value = f"{date}{MIDNIGHT}"
        elif element.keyword == MADE_UP:
            element.value = UID(uid_of("dimensions", run.run_id, kind, *case_ids))
    _name_own_scheme(dataset)
    content = hashlib.sha256(_of_content(dataset)).hexdigest()
    uid = UID(uid_of("instance", run.run_id, kind, *case_ids, content))
    dataset.SOPInstanceUID = uid
    dataset.file_meta.MediaStorageSOPInstanceUID = uid
    return ExportedObject(dataset, case_ids)


def _name_own_scheme(dataset: Dataset) -> None:
    """Say whose the codes of our own scheme are, if there are any (C.12.1, Coding Scheme Identification)."""
    if any(one.keyword == "CodingSchemeDesignator" and one.value == OWN for one in _elements(dataset)):
        scheme = Dataset()
        scheme.CodingSchemeDesignator = OWN
        scheme.CodingSchemeName = "Codes of Heatproof, and names of a run's findings, methods and readers"
        scheme.CodingSchemeResponsibleOrganization = "Heatproof"
        dataset.CodingSchemeIdentificationSequence = [scheme]


def encoded(dataset: Dataset) -> bytes:
    """The object as a DICOM file (PS3.10)."""
    buffer = BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _of_content(dataset: Dataset) -> bytes:
    """What the object says, without what names the versions of libraries, which give new UIDs for nothing."""
    content = Dataset()
    content.update({element.tag: element for element in dataset if element.keyword != EQUIPMENT})
    buffer = DicomBytesIO()
    buffer.is_little_endian = buffer.is_implicit_VR = True
    write_dataset(buffer, content, parent_encoding="utf8")
    return buffer.getvalue()


def _elements(dataset: Dataset) -> Iterator[DataElement]:
    """All elements, those in sequences too."""
    for element in dataset:
        if isinstance(element.value, Items):
            for item in element.value:
                yield from _elements(item)
        else:
            yield element
