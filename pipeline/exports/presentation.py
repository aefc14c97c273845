"""Presentation: how an image is displayed by its own header, as presentation states repeat it.

Whatever a presentation state does not say is not done (PS3.4, N.2), so window, polarity and pixel aspect are
copied. Overlays of the image are shown in a layer below the contours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.valuerep import format_number_as_ds

from pipeline.exports.instances import copy_elements, reference_to
from pipeline.exports.planes import aspect_of, group_of, spacing_shown

MODALITY_LUT: Final = ("RescaleIntercept", "RescaleSlope", "RescaleType", "ModalityLUTSequence")
WINDOW: Final = (
    "WindowCenter",
    "WindowWidth",
    "WindowCenterWidthExplanation",
    "VOILUTFunction",
    "VOILUTSequence",
)
SHUTTER: Final = (
    "ShutterShape",
    "ShutterLeftVerticalEdge",
    "ShutterRightVerticalEdge",
    "ShutterUpperHorizontalEdge",
    "ShutterLowerHorizontalEdge",
    "CenterOfCircularShutter",
    "RadiusOfCircularShutter",
    "VerticesOfThePolygonalShutter",
    "ShutterPresentationValue",
)
OVERLAYS: Final = range(0x6000, 0x6020, 2)
"""Groups of overlay planes."""
OVERLAY_ROWS, ACTIVATION_LAYER = 0x0010, 0x1001
BLACK: Final = 0
UNSPECIFIED: Final = "US"
"""Rescale type of values in no stated unit."""


def modality_lut(header: Dataset, frame: int) -> Dataset:
    """Modality LUT of a frame (PS3.3, C.11.1); empty if stored values are not transformed."""
    found = Dataset()
    copy_elements(group_of(header, frame, "PixelValueTransformationSequence") or header, found, MODALITY_LUT)
    if "RescaleSlope" in found and "RescaleType" not in found:
        found.RescaleType = "HU" if header.get("Modality") == "CT" else UNSPECIFIED
    return found


def windows(header: Dataset, frames: Iterable[int]) -> list[Dataset]:
    """Items of the Softcopy VOI LUT Sequence (PS3.3, C.11.8): one per window, with its frames if several."""
    found: list[tuple[Dataset, list[int]]] = []
    for frame in frames:
        window = Dataset()
        copy_elements(group_of(header, frame, "FrameVOILUTSequence") or header, window, WINDOW)
        _keep_first(window)
        of_window = next((numbers for known, numbers in found if known == window), None)
        if of_window is None:
            found.append((window, [frame]))
        else:
            of_window.append(frame)
    stated = [(window, numbers) for window, numbers in found if len(window)]
    if len(found) > 1:
        for window, numbers in stated:
            window.ReferencedImageSequence = [frames_of(header, numbers)]
    return [window for window, _ in stated]


def _keep_first(window: Dataset) -> None:
    """Leave the first of alternative windows or look-up tables: a presentation state has one (C.11.8)."""
    if tables := window.get("VOILUTSequence"):
        window.VOILUTSequence = [tables[0]]
        for keyword in WINDOW[:-1]:
            window.pop(keyword, None)
    for element in window:
        if isinstance(element.value, MultiValue):
            element.value = element.value[0]


def frames_of(header: Dataset, frames: Sequence[int]) -> Dataset:
    """A reference to frames of the image, counted from 0."""
    found = reference_to(header)
    found.ReferencedFrameNumber = [frame + 1 for frame in frames]
    return found


def activate_overlays(header: Dataset, made: Dataset, layer: str) -> bool:
    """Show the image's overlays (PS3.3, C.9.2) in a layer of the state (C.11.7); whether it has any."""
    groups = [group for group in OVERLAYS if (group, OVERLAY_ROWS) in header]
    for group in groups:
        made.add_new((group, ACTIVATION_LAYER), "CS", layer)
    return bool(groups)


def displayed_area(header: Dataset, frame: int, spacing_mm: tuple[float, float] | None) -> Dataset:
    """The whole image, with pixels as high and wide as image and run say (PS3.3, C.10.4)."""
    found = Dataset()
    found.DisplayedAreaTopLeftHandCorner = [1, 1]
    found.DisplayedAreaBottomRightHandCorner = [int(header.Columns), int(header.Rows)]
    found.PresentationSizeMode = "SCALE TO FIT"
    if spacing := spacing_shown(header, frame, spacing_mm):
        found.PresentationPixelSpacing = list(map(format_number_as_ds, spacing))
    else:
        ratio = aspect_of(header)
        found.PresentationPixelAspectRatio = [str(ratio.numerator), str(ratio.denominator)]
    return found


def add_polarity_and_shutter(header: Dataset, made: Any, *, is_grey: bool) -> None:
    """Add the presentation LUT of grey images, and the shutter of those that have one."""
    if is_grey:
        inverse = (
            header.get("PhotometricInterpretation") == "MONOCHROME1"
            or header.get("PresentationLUTShape") == "INVERSE"
        )
        made.PresentationLUTShape = "INVERSE" if inverse else "IDENTITY"
    if header.get("ShutterShape"):
        copy_elements(header, made, SHUTTER)
        if "ShutterPresentationValue" not in made:
            made.ShutterPresentationValue = BLACK
