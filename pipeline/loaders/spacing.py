"""Spacing: how far apart neighbouring pixels lie in the patient, from whichever element says so."""

from __future__ import annotations

from collections.abc import Callable

from pydicom.dataset import Dataset

from pipeline.loaders.elements import integer, number, numbers

SpacingMm = tuple[float, float]
"""(down a column, along a row)."""

_CENTIMETRES = 3
"""Physical Units X/Y Direction, PS3.3, C.8.5.5.1.15."""
_TWO_DIMENSIONAL = 1
"""Region Spatial Format, C.8.5.5.1.1: neither M-mode nor a spectrum."""


def spacing_mm(dataset: Dataset) -> SpacingMm | None:
    """Millimetres from the first element that gives two positive numbers; None where none does."""
    for source in (_pixel_spacing, _imager_spacing, _scanned_spacing, _ultrasound_spacing):
        found = _positive(source, dataset)
        if found:
            return found
    return None


def aspect_ratio(dataset: Dataset) -> str:
    """Pixel Aspect Ratio, vertical:horizontal; empty where pixels are square. PS3.3, C.7.6.3.1.7."""
    ratio = _positive(lambda d: numbers(d, "PixelAspectRatio"), dataset)
    return f"{ratio[0]:g}:{ratio[1]:g}" if ratio and ratio[0] != ratio[1] else ""


def _positive(source: Callable[[Dataset], tuple[float, ...]], dataset: Dataset) -> SpacingMm | None:
    try:
        found = source(dataset)
    except (ValueError, TypeError, OverflowError):
        return None
    if len(found) != len(("row", "column")) or not all(0 < value < float("inf") for value in found):
        return None
    return found[0], found[1]


def _pixel_spacing(dataset: Dataset) -> tuple[float, ...]:
    """In the patient, PS3.3, 10.7.1.1 and 10.7.1.3."""
    return numbers(dataset, "PixelSpacing")


def _imager_spacing(dataset: Dataset) -> tuple[float, ...]:
    """On the detector, C.8.11.4, brought back to the patient by the magnification where it is given."""
    magnification = number(dataset, "EstimatedRadiographicMagnificationFactor") or 1.0
    return tuple(value / magnification for value in numbers(dataset, "ImagerPixelSpacing"))


def _scanned_spacing(dataset: Dataset) -> tuple[float, ...]:
    """On a digitised film, C.8.6.1."""
    return numbers(dataset, "NominalScannedPixelSpacing")


def _ultrasound_spacing(dataset: Dataset) -> tuple[float, ...]:
    """Of the ultrasound regions, C.8.5.5, where all flat ones agree; a sign is the axis's direction."""
    regions = [
        region
        for region in dataset.get("SequenceOfUltrasoundRegions") or []
        if integer(region, "RegionSpatialFormat", default=_TWO_DIMENSIONAL) == _TWO_DIMENSIONAL
    ]
    found = {_region_spacing(region) for region in regions}
    return found.pop() if len(found) == 1 else ()


def _region_spacing(region: Dataset) -> tuple[float, ...]:
    units = [integer(region, f"PhysicalUnits{axis}Direction", default=0) for axis in "YX"]
    if units != [_CENTIMETRES, _CENTIMETRES]:
        return ()
    return tuple(abs(number(region, f"PhysicalDelta{axis}") or 0.0) * 10 for axis in "YX")
