"""Tests of instances: patient and study of unusual images, and references to them."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, ParametricMapStorage

from pipeline.exports.instances import copy_elements, new_instance, reference_to, series_of
from pipeline.exports.objects import encoded, settled
from pipeline.exports.parametric_map import PARAMETRIC_MAP
from tests.exports.made import PATIENT_ID, RUN, header, study
from tests.exports.validators import complaints

RETIRED = "1.2.840.10008.5.1.4.1.1.6"
"""Ultrasound Image Storage, of which highdicom does not know the modules."""


def instance(image, **more):
    return new_instance(
        image, RUN, PARAMETRIC_MAP, sop_class=ParametricMapStorage, modality="OT", number=1, **more
    )


def test_an_image_of_a_retired_class_keeps_patient_and_study():
    made = instance(header(RETIRED, "US"))
    assert (made.PatientID, made.StudyID, made.AccessionNumber) == (PATIENT_ID, "S1", "ACC-1")
    assert made.PatientBirthDate == "19610203"


def test_elements_that_an_image_lacks_are_empty():
    image = header(CTImageStorage, "CT")
    for name in ("PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID", "ReferringPhysicianName"):
        delattr(image, name)
    made = instance(image)
    assert not made.PatientBirthDate
    assert not made.ReferringPhysicianName
    assert "StudyID" in made


def test_series_with_different_frames_of_reference_are_different():
    image = header(CTImageStorage, "CT")
    uids = {instance(image, frame_of_reference=uid).SeriesInstanceUID for uid in ("", "1.2", "1.3")}
    assert len(uids) == 3


def test_names_in_any_letters_are_written(tmp_path):
    """The image's character set has no Chinese letters; the finding's name has."""
    of = study("DX")
    image, finding = of.images[0], "Erguß 結節"
    image.header.SpecificCharacterSet = "ISO_IR 100"
    image.header.PatientName = "Müller^Jürgen"
    frame = image.frames[0]
    named = replace(
        frame.findings[0],
        finding=finding,
        maps=tuple(replace(one, finding=finding) for one in frame.findings[0].maps),
    )
    run = replace(RUN, findings={finding: RUN.findings["nodule"]})
    changed = replace(of, run=run, images=(replace(image, frames=(replace(frame, findings=(named,)),)),))
    one = next(PARAMETRIC_MAP.objects(changed, {}))
    found = dcmread(BytesIO(encoded(one.dataset)))
    assert found.PatientName == "Müller^Jürgen"
    assert found.PatientID == PATIENT_ID
    assert found.ContentDescription == "Erguß 結節 by gradcam"
    assert complaints(one, tmp_path) == []


def test_a_reference_names_a_frame_only_of_an_image_with_several():
    image = header(CTImageStorage, "CT")
    assert "ReferencedFrameNumber" not in reference_to(image, 0)
    image.NumberOfFrames = "3"
    assert reference_to(image, 2).ReferencedFrameNumber == 3
    assert "ReferencedFrameNumber" not in reference_to(image)
    (one,) = series_of(image, "ReferencedInstanceSequence").ReferencedInstanceSequence
    assert one.ReferencedSOPInstanceUID == image.SOPInstanceUID


def test_copied_elements_are_not_those_of_the_image():
    image, other = header(CTImageStorage, "CT"), header(CTImageStorage, "CT")
    image.WindowCenter = ["40", "80"]
    copy_elements(image, other, ("WindowCenter", "WindowWidth"))
    other.WindowCenter[0] = 1
    assert image.WindowCenter[0] == 40
    assert "WindowWidth" not in other


def test_other_versions_of_libraries_give_the_same_uid():
    first, second = (instance(header(CTImageStorage, "CT")) for _ in "12")
    for made, version in ((first, "1.0"), (second, "2.0")):
        library = Dataset()
        library.Manufacturer, library.SoftwareVersions = "highdicom", version
        made.ContributingEquipmentSequence = [library]
    second.file_meta.ImplementationVersionName = "OTHER"
    one, other = (settled(made, RUN, kind="a", case_ids=("c",)) for made in (first, second))
    assert one.uid == other.uid
    third = instance(header(CTImageStorage, "CT"))
    third.SeriesDescription = "other"
    assert settled(third, RUN, kind="a", case_ids=("c",)).uid != one.uid


@pytest.mark.parametrize("kind", ["a", "b"])
def test_content_and_kind_make_the_instance_uid(kind):
    made = [settled(instance(header(CTImageStorage, "CT")), RUN, kind=kind, case_ids=("c",)) for _ in "12"]
    assert made[0].uid == made[1].uid
    assert made[0].uid != settled(instance(header(CTImageStorage, "CT")), RUN, kind="c", case_ids=("c",)).uid
