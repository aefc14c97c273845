"""Laws that every kind of exported object obeys on images of every modality."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest
from pydicom.dataset import Dataset

from pipeline.exports import EXPORTS
from pipeline.exports.objects import ExportedObject, LeftOut, encoded
from pipeline.exports.pseudonymous import Pseudonyms, pseudonymous
from pipeline.exports.study import ExportedStudy
from tests.exports.made import MODALITIES, PATIENT, PATIENT_ID, ROOT, RUN, study
from tests.exports.validators import complaints

KINDS = list(EXPORTS.own)
IDENTIFIERS = (
    PATIENT,
    PATIENT_ID,
    ROOT,
    "ACC-1",
    "ROE",
    "Elsewhere",
    "ROOM-7",
    "19610203",
    "20240506",
    "Jane",
)
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:highdicom", "ignore::UserWarning:pydicom")


def made(of: ExportedStudy, kind: str) -> list[ExportedObject]:
    """The objects of a kind; those of earlier kinds are made first, for references."""
    earlier: dict[str, list[ExportedObject]] = {}
    for name in KINDS[: KINDS.index(kind) + 1]:
        found = EXPORTS[name].objects(of, earlier)
        earlier[name] = [one for one in found if isinstance(one, ExportedObject)]
    return earlier[kind]


def without_identifiers(of: ExportedStudy) -> ExportedStudy:
    images = tuple(
        replace(
            image,
            header=pseudonymous(
                image.header,
                Pseudonyms(RUN.run_id, "patient-0", "case-0", "case-0", image.frames[0].case_id),
            ),
        )
        for image in of.images
    )
    return replace(of, images=images)


@pytest.fixture(params=[(kind, modality) for kind in KINDS for modality in MODALITIES], ids=" of ".join)
def pair(request: pytest.FixtureRequest) -> tuple[str, str]:
    return request.param


def test_an_object_is_made_of_an_image_with_contours(pair):
    kind, modality = pair
    assert made(study(modality), kind)


def test_a_validator_finds_nothing_wrong(pair, tmp_path):
    kind, modality = pair
    for one in made(study(modality), kind):
        assert complaints(one, tmp_path) == []


def test_the_same_study_gives_the_same_bytes(pair):
    kind, modality = pair
    first, second = made(study(modality), kind), made(study(modality), kind)
    assert [encoded(one.dataset) for one in first] == [encoded(one.dataset) for one in second]


def test_another_run_gives_other_uids(pair):
    kind, modality = pair
    of = study(modality)
    first = made(of, kind)
    second = made(replace(of, run=replace(RUN, run_id="model-99999999")), kind)
    assert not {one.uid for one in first} & {one.uid for one in second}
    assert not {one.dataset.SeriesInstanceUID for one in first} & {
        one.dataset.SeriesInstanceUID for one in second
    }


def test_an_object_joins_the_study_of_its_image_as_a_new_series(pair):
    kind, modality = pair
    of = study(modality)
    image = of.images[0].header
    for one in made(of, kind):
        for name in (
            "StudyInstanceUID",
            "StudyDate",
            "StudyID",
            "PatientID",
            "PatientName",
            "AccessionNumber",
        ):
            assert str(one.dataset[name].value) == str(image[name].value), name
        assert one.dataset.SeriesInstanceUID != image.SeriesInstanceUID
        assert one.dataset.SeriesNumber == EXPORTS[kind].series_number
        assert one.dataset.Manufacturer == "Heatproof"
        assert one.dataset.file_meta.MediaStorageSOPInstanceUID == one.dataset.SOPInstanceUID


def test_objects_have_the_date_of_their_run(pair):
    kind, modality = pair
    for one in made(study(modality), kind):
        assert one.dataset.InstanceCreationDate == "20261130"


def test_pseudonymous_objects_hold_no_identifier_of_the_image(pair):
    kind, modality = pair
    for one in made(without_identifiers(study(modality)), kind):
        content = encoded(one.dataset)
        assert [text for text in IDENTIFIERS if text.encode() in content] == []
        assert one.dataset.PatientID == "patient-0"


MARKER = "ZQXMARKER"
TEXTS = ("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UN", "UR", "UT")
SHAPES = {"PhotometricInterpretation"}
"""Coded elements without which there is no image."""


def tainted(header: Dataset) -> Dataset:
    """The header with the marker in every text, at every depth, and in elements that it lacks."""
    header = deepcopy(header)
    windows, table = Dataset(), Dataset()
    windows.WindowCenter, windows.WindowWidth = "40", "80"
    table.LUTDescriptor, table.LUTData = [2, 0, 16], b"\0\0\xff\xff"
    table.ModalityLUTType = table.LUTExplanation = "text"
    windows.VOILUTSequence = [deepcopy(table)]
    if "SharedFunctionalGroupsSequence" in header:
        header.SharedFunctionalGroupsSequence[0].FrameVOILUTSequence = [windows]
    header.VOILUTSequence, header.ModalityLUTSequence = [table], [deepcopy(table)]
    header.SequenceOfUltrasoundRegions = [Dataset()]
    taint(header)
    return header


def taint(item: Dataset) -> None:
    for element in list(item):
        if element.VR == "SQ":
            for nested in element.value:
                taint(nested)
        elif element.VR in TEXTS and element.keyword not in SHAPES:
            element.value = MARKER
    for keyword in (
        "WindowCenterWidthExplanation", "FrameComments", "RescaleType", "BodyPartExamined", "FrameLaterality",
        "ImageLaterality", "PatientOrientation", "ShutterShape", "ViewPosition",
    ):  # fmt: skip
        setattr(item, keyword, MARKER)
    for number, vr in enumerate(("LO", "UT", "UN")):
        item.private_block(0x0099, "ZQXMARKER", create=True).add_new(
            number + 1, vr, MARKER if vr != "UN" else MARKER.encode()
        )


def test_no_text_of_a_header_is_in_a_pseudonymous_object(pair):
    kind, modality = pair
    of = study(modality)
    of = replace(of, images=tuple(replace(one, header=tainted(one.header)) for one in of.images))
    found = made(without_identifiers(of), kind)
    assert found
    for one in found:
        assert MARKER.encode() not in encoded(one.dataset)
        assert MARKER not in str(one.dataset)


def test_a_pseudonymous_header_keeps_body_part_and_side_in_known_terms():
    header = study("MG").images[0].header
    header.BodyPartExamined, header.Laterality, header.ImageLaterality = "BREAST", "L", "DOE JANE"
    found = pseudonymous(header, Pseudonyms(RUN.run_id, "p", "c", "c", "c"))
    assert (found.BodyPartExamined, found.Laterality) == ("BREAST", "L")
    assert "ImageLaterality" not in found


def test_each_frame_of_reference_has_a_pseudonym_of_its_own():
    header = study("CT series").images[0].header
    names = Pseudonyms(RUN.run_id, "p", "c", "series-0", "c")
    found = [
        pseudonymous(header, one).FrameOfReferenceUID
        for one in (
            names, replace(names, series="series-1"), replace(names, frame_of_reference="f"),
            replace(names, series="series-1", frame_of_reference="f"),
        )
    ]  # fmt: skip
    assert len(set(found)) == 3
    assert found[2] == found[3]


def test_what_cannot_be_made_says_why(pair):
    kind, modality = pair
    of = study(modality)
    for one in EXPORTS[kind].objects(of, {}):
        if isinstance(one, LeftOut):
            assert one.reason
            assert one.message


def test_kinds_have_series_numbers_of_their_own():
    numbers = [EXPORTS[kind].series_number for kind in KINDS]
    assert len(set(numbers)) == len(numbers)
    assert all(9700 < number < 9800 for number in numbers)
