"""Spacing: the distance of neighbouring pixels in the patient, from the elements that may state it."""

from __future__ import annotations

from math import isclose
from typing import Final

from pydicom.dataset import Dataset

from pipeline.errors import CaseError
from pipeline.loaders.elements import (
    Warn,
    code,
    integer,
    is_empty,
    name_of,
    nobody,
    number,
    unused,
    values,
)
from pipeline.records import Caution, SpacingAt

SpacingMm = tuple[float, float]
"""Millimetres (between rows, between columns)."""

MAGNIFICATION: Final = "EstimatedRadiographicMagnificationFactor"
SPACING: Final = "spacing_contradiction"
"""Reason of a caution: elements that state the spacing contradict each other."""
ROUNDING: Final = 1e-3
"""Relative difference up to which two spacings are the same, written with other decimals."""
PROJECTIONS: Final = frozenset({"CR", "DX", "MG", "RF", "XA", "IO", "PX", "RG"})
"""Modalities whose images are shadows on a detector, which are larger than what cast them."""
_CENTIMETRES = 3
"""Physical Units X/Y Direction, PS3.3, C.8.5.5.1.15."""
_TWO_DIMENSIONAL = 1
"""Region Spatial Format, C.8.5.5.1.1: neither M-mode nor a spectrum."""


def spacing_mm(dataset: Dataset, warn: Warn = nobody) -> SpacingMm | None:
    """Millimetres from the first element with two positive numbers; None if there is none."""
    own, detector = (_pair(dataset, keyword, warn) for keyword in ("PixelSpacing", "ImagerPixelSpacing"))
    in_patient = _in_patient(dataset, detector, warn) if detector else None
    if own:
        return _reconciled(dataset, own, detector, in_patient, warn)
    return in_patient or _pair(dataset, "NominalScannedPixelSpacing", warn) or _ultrasound(dataset, warn)


def spacing_at(dataset: Dataset) -> SpacingAt:
    """Where the distances of `spacing_mm` were measured; to be asked only if it gives a spacing.

    PS3.3, 10.7.1.3: equal to Imager Pixel Spacing, Pixel Spacing is that of the detector, else that of the
    patient; alone in a projection image, it may be either unless it is calibrated.
    """
    own, detector = (_pair(dataset, keyword, nobody) for keyword in ("PixelSpacing", "ImagerPixelSpacing"))
    magnified = _magnification(dataset, nobody) != 1
    if own and not code(dataset, "PixelSpacingCalibrationType"):
        if detector:
            return "patient" if magnified or not _close(own, detector) else "detector"
        return "unstated" if code(dataset, "Modality") in PROJECTIONS else "patient"
    if detector and not own:
        return "patient" if magnified else "detector"
    scanned = not own and _pair(dataset, "NominalScannedPixelSpacing", nobody)
    return "film" if scanned else "patient"


def aspect_ratio(dataset: Dataset) -> str:
    """Pixel Aspect Ratio, vertical:horizontal; empty if pixels are square. PS3.3, C.7.6.3.1.7."""
    ratio = _pair(dataset, "PixelAspectRatio", nobody)
    return f"{ratio[0]:g}:{ratio[1]:g}" if ratio and ratio[0] != ratio[1] else ""


def _pair(dataset: Dataset, keyword: str, warn: Warn) -> SpacingMm | None:
    """The element's two positive numbers; None, with a caution unless it is empty, if it has others."""
    found = values(dataset, keyword)
    if len(found) == len(("row", "column")) and all(value is not None and value > 0 for value in found):
        return found[0] or 0.0, found[1] or 0.0
    if not is_empty(dataset, keyword):
        warn(unused(keyword, "is not two positive numbers"))
    return None


def _in_patient(dataset: Dataset, detector: SpacingMm, warn: Warn) -> SpacingMm:
    """Spacing on the detector, C.8.11.4, divided by the magnification if it is given."""
    factor = _magnification(dataset, warn)
    return detector[0] / factor, detector[1] / factor


def _magnification(dataset: Dataset, warn: Warn) -> float:
    """Estimated Radiographic Magnification Factor, C.8.11.7; 1 if it is absent or unusable."""
    if is_empty(dataset, MAGNIFICATION):
        return 1.0
    factor = values(dataset, MAGNIFICATION)[0]
    if factor is None or not factor > 0:
        warn(unused(MAGNIFICATION, "is not a positive number"))
        return 1.0
    if factor < 1:
        warn(unused(MAGNIFICATION, "is below 1, which no projection has"))
        return 1.0
    return factor


def _reconciled(
    dataset: Dataset, own: SpacingMm, detector: SpacingMm | None, in_patient: SpacingMm | None, warn: Warn
) -> SpacingMm:
    """Pixel Spacing, unless it is the detector's without calibration, PS3.3, 10.7.1.3.

    With Imager Pixel Spacing of the same numbers and no Pixel Spacing Calibration Type, it is not corrected
    for magnification. Other contradictions give a caution: only the writer knows which is right.
    """
    calibrated = bool(code(dataset, "PixelSpacingCalibrationType"))
    if not in_patient or not detector:
        if _magnification(dataset, warn) != 1 and not calibrated:
            warn(
                Caution(
                    SPACING,
                    f"Pixel Spacing is used as it is, although {name_of(MAGNIFICATION)} is given: without "
                    "Imager Pixel Spacing it is unknown whether lengths are those in the patient",
                )
            )
        return own
    if _close(own, in_patient):
        return own
    if _close(own, detector) and not calibrated:
        message = (
            "Pixel Spacing is that of the detector, so it was divided by the magnification factor: it equals "
            "Imager Pixel Spacing and has no calibration type"
        )
        warn(Caution(SPACING, message))
        return in_patient
    if calibrated or _close(detector, in_patient):  # corrected as stated, or by a factor that is not given
        return own
    warn(
        Caution(
            SPACING,
            f"Pixel Spacing is used, although Imager Pixel Spacing and {name_of(MAGNIFICATION)} give another",
        )
    )
    return own


def _close(one: SpacingMm, other: SpacingMm) -> bool:
    return all(isclose(a, b, rel_tol=ROUNDING) for a, b in zip(one, other, strict=True))


def _ultrasound(dataset: Dataset, warn: Warn) -> SpacingMm | None:
    """Spacing of the ultrasound regions, C.8.5.5, if all two-dimensional regions agree.

    Signs are ignored, because they give the direction of the axis.
    """
    try:
        found = _region_spacings(dataset)
    except (CaseError, TypeError):
        warn(unused("SequenceOfUltrasoundRegions", "has a value that is not a number"))
        return None
    spacing = found.pop() if len(found) == 1 else ()
    return (spacing[0], spacing[1]) if len(spacing) == len(("row", "column")) and min(spacing) > 0 else None


def _region_spacings(dataset: Dataset) -> set[tuple[float, ...]]:
    regions = [
        region
        for region in dataset.get("SequenceOfUltrasoundRegions") or []
        if integer(region, "RegionSpatialFormat", default=_TWO_DIMENSIONAL) == _TWO_DIMENSIONAL
    ]
    return {_region_spacing(region) for region in regions}


def _region_spacing(region: Dataset) -> tuple[float, ...]:
    units = [integer(region, f"PhysicalUnits{axis}Direction", default=0) for axis in "YX"]
    if units != [_CENTIMETRES, _CENTIMETRES]:
        return ()
    return tuple(abs(number(region, f"PhysicalDelta{axis}") or 0.0) * 10 for axis in "YX")
