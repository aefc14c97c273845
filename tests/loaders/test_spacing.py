"""Spacing: from each element that may state it, and None if no element is usable."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from pipeline.loaders.spacing import SPACING, aspect_ratio, spacing_at, spacing_mm
from pipeline.records import Caution


def header(**elements: object) -> Dataset:
    dataset = Dataset()
    for keyword, value in elements.items():
        setattr(dataset, keyword, value)
    return dataset


def region(x: float, y: float, *, units: int = 3, kind: int = 1) -> Dataset:
    return header(
        RegionSpatialFormat=kind, PhysicalUnitsXDirection=units, PhysicalUnitsYDirection=units,
        PhysicalDeltaX=x, PhysicalDeltaY=y,
    )  # fmt: skip


def test_pixel_spacing_is_row_then_column_and_comes_first() -> None:
    assert spacing_mm(header(PixelSpacing=[0.2, 0.1], ImagerPixelSpacing=[9, 9])) == (0.2, 0.1)


def test_imager_spacing_is_divided_by_the_magnification() -> None:
    assert spacing_mm(header(ImagerPixelSpacing=[0.15, 0.3])) == (0.15, 0.3)
    magnified = header(ImagerPixelSpacing=[0.15, 0.3], EstimatedRadiographicMagnificationFactor=1.5)
    assert spacing_mm(magnified) == pytest.approx((0.1, 0.2))


def test_a_digitised_film_has_the_scanners_spacing() -> None:
    assert spacing_mm(header(NominalScannedPixelSpacing=[0.175, 0.175])) == (0.175, 0.175)


@pytest.mark.parametrize("nonsense", [[0, 0], [-1, -1], [0.1, 0], [0.1], [], None])
def test_nonsense_is_passed_over(nonsense: object) -> None:
    assert spacing_mm(header(PixelSpacing=nonsense)) is None
    assert spacing_mm(header(PixelSpacing=nonsense, ImagerPixelSpacing=[0.1, 0.1])) == (0.1, 0.1)


@pytest.mark.parametrize("written", ["NaN", "inf", "1e400"])
def test_what_is_not_finite_is_passed_over(written: str, recwarn: pytest.WarningsRecorder) -> None:
    dataset = header(PixelSpacing=[0.5, 0.5])
    dataset["PixelSpacing"]._value = [float(written), float(written)]
    assert spacing_mm(dataset) is None
    assert not recwarn.list


def test_ultrasound_regions_in_centimetres_give_millimetres() -> None:
    assert spacing_mm(header(SequenceOfUltrasoundRegions=[region(0.01, 0.02)])) == pytest.approx((0.2, 0.1))
    assert spacing_mm(header(SequenceOfUltrasoundRegions=[region(0.01, -0.02)])) == pytest.approx((0.2, 0.1))


def test_ultrasound_regions_must_agree() -> None:
    same = [region(0.01, 0.01), region(0.01, 0.01), region(0.5, 9, units=4, kind=3)]
    other = [region(0.01, 0.01), region(0.02, 0.02)]
    assert spacing_mm(header(SequenceOfUltrasoundRegions=same)) == pytest.approx((0.1, 0.1))
    assert spacing_mm(header(SequenceOfUltrasoundRegions=other)) is None


def test_ultrasound_regions_of_other_units_or_kinds_give_none() -> None:
    for found in (region(1, 1, units=4), region(1, 1, kind=3), region(0, 0), Dataset()):
        assert spacing_mm(header(SequenceOfUltrasoundRegions=[found])) is None
    assert spacing_mm(header(SequenceOfUltrasoundRegions=[])) is None


def test_an_aspect_ratio_is_no_spacing() -> None:
    assert spacing_mm(header(PixelAspectRatio=[2, 1])) is None
    assert aspect_ratio(header(PixelAspectRatio=[4, 3])) == "4:3"
    assert aspect_ratio(header(PixelAspectRatio=[1, 1])) == ""
    assert aspect_ratio(header(PixelAspectRatio=[0, 1])) == ""


MAGNIFIED = {"ImagerPixelSpacing": [0.1, 0.1], "EstimatedRadiographicMagnificationFactor": 2}


def read(**elements: object) -> tuple[object, list[Caution]]:
    cautions: list[Caution] = []
    return spacing_mm(header(**elements), cautions.append), cautions


@pytest.mark.parametrize(
    ("elements", "expected", "warned"),
    [
        # Equal to the detector's, without a type: not corrected, 10.7.1.3.
        ({"PixelSpacing": [0.1, 0.1], **MAGNIFIED}, 0.05, True),
        ({"PixelSpacing": [0.10001, 0.1], **MAGNIFIED}, 0.05, True),
        # With a calibration type, it is what it says.
        ({"PixelSpacing": [0.1, 0.1], "PixelSpacingCalibrationType": "FIDUCIAL", **MAGNIFIED}, 0.1, False),
        # Corrected by the very factor.
        ({"PixelSpacing": [0.05, 0.05], **MAGNIFIED}, 0.05, False),
        # Corrected by another factor, for an unknown reason.
        ({"PixelSpacing": [0.07, 0.07], **MAGNIFIED}, 0.07, True),
        # Corrected by a factor that is not given.
        ({"PixelSpacing": [0.07, 0.07], "ImagerPixelSpacing": [0.1, 0.1]}, 0.07, False),
        ({"PixelSpacing": [0.1, 0.1], "ImagerPixelSpacing": [0.1, 0.1]}, 0.1, False),
        # Whether it is corrected, is not said.
        ({"PixelSpacing": [0.1, 0.1], "EstimatedRadiographicMagnificationFactor": 2}, 0.1, True),
        ({"PixelSpacing": [0.1, 0.1], "EstimatedRadiographicMagnificationFactor": 1}, 0.1, False),
    ],
)
def test_pixel_spacing_beside_imager_spacing_and_magnification(
    elements: dict[str, object], expected: float, *, warned: bool
) -> None:
    found, cautions = read(**elements)
    assert found == pytest.approx((expected, expected), rel=1e-3)
    assert [caution.reason for caution in cautions] == [SPACING] * warned


@pytest.mark.parametrize("factor", [0, -2])
def test_a_magnification_that_is_none_is_named(factor: int) -> None:
    found, cautions = read(ImagerPixelSpacing=[0.1, 0.1], EstimatedRadiographicMagnificationFactor=factor)
    assert found == (0.1, 0.1)
    assert [caution.message for caution in cautions] == [
        "Estimated Radiographic Magnification Factor is not a positive number, so it was not used"
    ]


@pytest.mark.parametrize("nonsense", [[0, 0], [0.1], [0.1, -0.1]])
def test_a_spacing_that_is_none_is_named_and_the_next_one_read(nonsense: list[float]) -> None:
    found, cautions = read(PixelSpacing=nonsense, ImagerPixelSpacing=[0.1, 0.1])
    assert found == (0.1, 0.1)
    assert [caution.message for caution in cautions] == [
        "Pixel Spacing is not two positive numbers, so it was not used"
    ]


def test_an_empty_spacing_is_no_cause_for_a_warning() -> None:
    assert read(PixelSpacing=None) == (None, [])
    assert read() == (None, [])


@pytest.mark.parametrize(
    ("elements", "wanted"),
    [
        ({"ImagerPixelSpacing": [0.1, 0.1], "Modality": "MG"}, "detector"),
        ({"ImagerPixelSpacing": [0.1, 0.1], "EstimatedRadiographicMagnificationFactor": 1.1}, "patient"),
        ({"PixelSpacing": [0.1, 0.1], "ImagerPixelSpacing": [0.1, 0.1], "Modality": "DX"}, "detector"),
        ({"PixelSpacing": [0.09, 0.09], "ImagerPixelSpacing": [0.1, 0.1], "Modality": "DX"}, "patient"),
        (
            {"PixelSpacing": [0.1, 0.1], "ImagerPixelSpacing": [0.1, 0.1],
             "EstimatedRadiographicMagnificationFactor": 1.1},
            "patient",
        ),
        (
            {"PixelSpacing": [0.1, 0.1], "ImagerPixelSpacing": [0.1, 0.1],
             "PixelSpacingCalibrationType": "FIDUCIAL"},
            "patient",
        ),
        ({"PixelSpacing": [0.1, 0.1], "Modality": "CR"}, "unstated"),
        ({"PixelSpacing": [0.1, 0.1], "Modality": "CR", "PixelSpacingCalibrationType": "GEOMETRY"},
         "patient"),
        ({"PixelSpacing": [0.7, 0.7], "Modality": "CT"}, "patient"),
        ({"NominalScannedPixelSpacing": [0.175, 0.175], "Modality": "DX"}, "film"),
        ({"SequenceOfUltrasoundRegions": [region(0.01, 0.01)], "Modality": "US"}, "patient"),
    ],
)  # fmt: skip
def test_it_is_known_where_the_spacing_was_measured(elements: dict[str, object], wanted: str) -> None:
    dataset = header(**elements)
    assert spacing_mm(dataset) is not None
    assert spacing_at(dataset) == wanted
