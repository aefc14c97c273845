"""Directions: the letters that a header gives, and none where it gives none or contradicts itself."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from pipeline.loaders.directions import CONTRADICTION, directions_in
from pipeline.loaders.frames import frame_dataset
from pipeline.records import Caution
from tests.loaders.test_spacing import header

CHEST_PA = ["L", "F"]
AXIAL, SAGITTAL, CORONAL = [1, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, -1], [1, 0, 0, 0, 0, -1]


def found(**elements: object) -> tuple[object, list[Caution]]:
    cautions: list[Caution] = []
    return directions_in(header(**elements), cautions.append), cautions


@pytest.mark.parametrize(
    ("stated", "wanted"),
    [
        (CHEST_PA, ("L", "F")),
        (["A", "F"], ("A", "F")),  # a left MLO mammogram, as it is hung
        (["P", "FL"], ("P", "FL")),
        (["AHL ", "F"], ("AHL", "F")),
    ],
)
def test_patient_orientation_gives_the_letters(stated: list[str], wanted: tuple[str, str]) -> None:
    assert found(PatientOrientation=stated) == (wanted, [])


@pytest.mark.parametrize(
    ("orientation", "wanted"),
    [
        (AXIAL, ("L", "P")),
        (SAGITTAL, ("P", "F")),
        (CORONAL, ("L", "F")),
        ([-1, 0, 0, 0, 1, 0], ("R", "P")),  # mirrored
        ([0, 1, 0, 1, 0, 0], ("P", "L")),  # turned by a quarter
        ([0.8, 0.6, 0, 0, 0, -1], ("LP", "F")),  # oblique by 37 degrees
        ([0.999, 0.0447, 0, 0, 0, -1], ("L", "F")),  # by 3 degrees
        ([0.6, 0.8, 0, 0, 0, -1], ("PL", "F")),  # the larger component comes first
    ],
)
def test_image_orientation_gives_the_letters(orientation: list[float], wanted: tuple[str, str]) -> None:
    assert found(ImageOrientationPatient=orientation) == (wanted, [])


def test_both_may_say_the_same() -> None:
    assert found(PatientOrientation=["L", "F"], ImageOrientationPatient=CORONAL) == (("L", "F"), [])
    oblique = [0.6, 0.8, 0, 0, 0, -1]
    assert found(PatientOrientation=["L", "F"], ImageOrientationPatient=oblique)[0] == ("L", "F")
    assert found(PatientOrientation=["LP", "F"], ImageOrientationPatient=CORONAL)[0] == ("LP", "F")


@pytest.mark.parametrize("stated", [["R", "F"], ["L", "H"], ["F", "L"], ["P", "F"], ["PR", "F"]])
def test_a_contradiction_gives_no_letters_and_a_caution(stated: list[str]) -> None:
    directions, cautions = found(PatientOrientation=stated, ImageOrientationPatient=CORONAL)
    assert directions is None
    assert [caution.reason for caution in cautions] == [CONTRADICTION]


@pytest.mark.parametrize(
    "stated", [["L"], ["L", "R"], ["L", "LF"], ["RL", "F"], ["L", "X"], ["LE", "D"], ["L", "F", "P"]]
)
def test_what_is_no_pair_of_directions_gives_no_letters_and_a_caution(stated: list[str]) -> None:
    directions, cautions = found(PatientOrientation=stated)
    assert directions is None
    assert [caution.reason for caution in cautions] == ["element_not_used"]


@pytest.mark.parametrize("elements", [{}, {"PatientOrientation": None}, {"PatientOrientation": ["", ""]}])
def test_without_an_orientation_there_are_no_letters(elements: dict[str, object]) -> None:
    assert found(**elements) == (None, [])
    assert found(ImageOrientationPatient=[0] * 6) == (None, [])


def test_a_frame_of_a_multi_frame_object_has_its_own_letters() -> None:
    dataset = header(
        SharedFunctionalGroupsSequence=[header(PlaneOrientationSequence=[header(ImageOrientationPatient=AXIAL)])],
        PerFrameFunctionalGroupsSequence=[
            Dataset(),
            header(PlaneOrientationSequence=[header(ImageOrientationPatient=SAGITTAL)]),
        ],
    )  # fmt: skip
    dataset.file_meta = Dataset()  # type: ignore[assignment]
    assert [directions_in(frame_dataset(dataset, frame)) for frame in (0, 1)] == [("L", "P"), ("P", "F")]
