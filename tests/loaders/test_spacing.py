"""Spacing: from each element that may give it, and None where none makes sense."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from pipeline.loaders.spacing import aspect_ratio, spacing_mm


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
