"""Instances: patient, study, series and equipment of a new object, and its references to an image."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from typing import Any, Final

from highdicom.base import SOPClass
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from pipeline.contracts import Export
from pipeline.exports.algorithm import equipment
from pipeline.exports.objects import PENDING
from pipeline.exports.study import ExportedRun
from pipeline.exports.uids import series_uid

REQUIRED: Final = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID",
    "StudyDate", "StudyTime", "ReferringPhysicianName")  # fmt: skip
"""Elements of patient and study that every object has, if empty (type 2)."""
UNICODE: Final = "ISO_IR 192"
"""Character set of all texts: names of findings and readers may need others than the image's."""
LOSSY: Final = ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod")


def new_instance(
    header: Dataset,
    run: ExportedRun,
    export: Export,
    *,
    sop_class: str,
    modality: str,
    number: int,
    frame_of_reference: str = "",
) -> Any:
    """An object of the image's patient and study, in the series of its kind, without content.

    Objects of one series share their frame of reference (PS3.3, A.1.2.5), if their kind has one.
    """
    series = f"{export.name} {frame_of_reference}" if frame_of_reference else export.name
    made = SOPClass(
        study_instance_uid=header.StudyInstanceUID,
        series_instance_uid=series_uid(run.run_id, series, header.StudyInstanceUID),
        series_number=export.series_number,
        series_description=export.title,
        sop_instance_uid=PENDING,
        sop_class_uid=sop_class,
        instance_number=number,
        modality=modality,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        specific_character_set=UNICODE,
        **equipment(run),
    )
    copy_elements(header, made, REQUIRED)
    with suppress(KeyError):  # of retired classes highdicom does not know the modules
        made.copy_patient_and_study_information(header)
    return made


def reference_to(header: Dataset, frame: int | None = None) -> Dataset:
    """A reference to the image (PS3.3, 10.2.1), or to one frame of it, counted from 0."""
    found = Dataset()
    found.ReferencedSOPClassUID = header.SOPClassUID
    found.ReferencedSOPInstanceUID = header.SOPInstanceUID
    if frame is not None and int(header.get("NumberOfFrames") or 1) > 1:
        found.ReferencedFrameNumber = frame + 1
    return found


def series_of(header: Dataset, keyword: str) -> Dataset:
    """The image's series with a reference to the image in the sequence `keyword`."""
    found = Dataset()
    found.SeriesInstanceUID = header.SeriesInstanceUID
    setattr(found, keyword, [reference_to(header)])
    return found


def copy_elements(header: Dataset, made: Dataset, keywords: tuple[str, ...]) -> None:
    """Copy the elements that the image has."""
    for keyword in keywords:
        if keyword in header:
            made[keyword] = deepcopy(header[keyword])
