"""GSPS: contours as graphics on the original image, shown as it shows itself (PS3.3, A.33).

Points are in PIXEL units, in which the top left corner of the first pixel is 0, 0 (C.10.5): its centre, where
outlines begin to count, is 0.5, 0.5. Holes are outlines of their own, as graphics know none.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import cv2
import numpy as np
from highdicom.color import CIELabColor
from highdicom.pr import GraphicLayer
from pydicom.dataset import Dataset
from pydicom.uid import ColorSoftcopyPresentationStateStorage, GrayscaleSoftcopyPresentationStateStorage

from pipeline.contracts import Export
from pipeline.exports.anatomy import add_body_part
from pipeline.exports.codes import LONGEST_MEANING
from pipeline.exports.instances import copy_elements, new_instance, reference_to, series_of
from pipeline.exports.objects import ExportedObject, settled
from pipeline.exports.palette import colour_of
from pipeline.exports.presentation import (
    activate_overlays,
    add_polarity_and_shutter,
    displayed_area,
    frames_of,
    modality_lut,
    windows,
)
from pipeline.exports.study import ExportedFinding, ExportedFrame, ExportedImage, ExportedStudy
from pipeline.records import Outline, Region

CENTRE: Final = 0.5
"""Of the first pixel, from its corner."""
MOST_POINTS: Final = 0xFFFF // 8
"""Of a graphic: 16 bits count the bytes of its coordinates (PS3.5, 7.1.2)."""
FIRST_TOLERANCE_PX: Final = 0.1
"""By which outlines with more points may leave their place; doubled until they have few enough."""
NOT_IN_LAYERS: Final = re.compile("[^A-Z0-9_ ]")
LONGEST_LAYER: Final = 16
"""Characters of a CS."""
OF_IMAGE: Final = "IMAGE OVERLAYS"
"""Layer of the image's own overlays."""
GREY: Final = "MONOCHROME"
LayerKey = tuple[str, str]
"""Finding and method."""


def objects(
    study: ExportedStudy, _earlier: Mapping[str, Sequence[ExportedObject]]
) -> Iterator[ExportedObject]:
    """One presentation state per image with contours; several if its frames have different modality LUTs."""
    number = 0
    for image in study.images:
        frames = [frame for frame in image.frames if any(finding.contours for finding in frame.findings)]
        for shown, referenced in _by_modality_lut(image, frames):
            number += 1
            yield _object(study, image, shown, referenced, number)


def _by_modality_lut(
    image: ExportedImage, frames: Sequence[ExportedFrame]
) -> Iterator[tuple[list[ExportedFrame], list[int]]]:
    """The frames with contours and all frames of each presentation state, which has one modality LUT."""
    groups: list[tuple[Dataset, list[int]]] = []
    for frame in range(int(image.header.get("NumberOfFrames") or 1)):
        lut = modality_lut(image.header, frame)
        of_lut = next((numbers for known, numbers in groups if known == lut), None)
        if of_lut is None:
            groups.append((lut, [frame]))
        else:
            of_lut.append(frame)
    for _, numbers in groups:
        if shown := [frame for frame in frames if frame.frame in numbers]:
            yield shown, numbers


def _object(
    study: ExportedStudy,
    image: ExportedImage,
    frames: Sequence[ExportedFrame],
    referenced: Sequence[int],
    number: int,
) -> ExportedObject:
    run, header = study.run, image.header
    is_grey = str(header.get("PhotometricInterpretation", GREY)).startswith(GREY)
    made = new_instance(
        header,
        run,
        GSPS,
        sop_class=(
            GrayscaleSoftcopyPresentationStateStorage if is_grey else ColorSoftcopyPresentationStateStorage
        ),
        modality="PR",
        number=number,
    )
    add_body_part(made, (one.header for one in study.images))
    made.ContentLabel = "CONTOURS"
    made.ContentDescription = f"Contours of heatmaps, run {run.run_id}"[:LONGEST_MEANING]
    made.ContentCreatorName = None
    made.PresentationCreationDate, made.PresentationCreationTime = "", ""  # those of the run, by settled
    series = series_of(header, "ReferencedImageSequence")
    if len(referenced) < int(header.get("NumberOfFrames") or 1):
        series.ReferencedImageSequence = [frames_of(header, referenced)]
    made.ReferencedSeriesSequence = [series]
    made.DisplayedAreaSelectionSequence = [displayed_area(header, frames[0].frame, frames[0].spacing_mm)]
    if is_grey:
        made.update(modality_lut(header, frames[0].frame))
        if voi := windows(header, referenced):
            made.SoftcopyVOILUTSequence = voi
    elif "ICCProfile" in header:
        copy_elements(header, made, ("ICCProfile", "ColorSpace"))
    else:
        made.ICCProfile = pkgutil.get_data("highdicom", "_icc_profiles/sRGB_v4_ICC_preference.icc")
    add_polarity_and_shutter(header, made, is_grey=is_grey)
    _add_graphics(made, study, header, frames)
    return settled(made, run, kind=GSPS.name, case_ids=tuple(frame.case_id for frame in frames))


def _add_graphics(made: Any, study: ExportedStudy, header: Dataset, frames: Sequence[ExportedFrame]) -> None:
    """Add one layer per finding and method, and one annotation per frame and layer."""
    layers = _layers(study, frames)
    below = []
    if activate_overlays(header, made, OF_IMAGE):
        below = [GraphicLayer(layer_name=OF_IMAGE, order=1, description="Overlays of the image")]
    made.GraphicLayerSequence = below + [
        GraphicLayer(
            layer_name=name,
            order=order,
            description=f"{finding} by {method}"[:LONGEST_MEANING],
            display_color=CIELabColor.from_rgb(*colour_of(study.run.methods.index(method))),
        )
        for order, ((finding, method), name) in enumerate(layers.items(), start=len(below) + 1)
    ]
    made.GraphicAnnotationSequence = [
        _annotation(header, frame, found, method, layers[finding, method])
        for frame in frames
        for finding, method in layers
        for found in frame.findings
        if found.finding == finding and any(contour.method == method for contour in found.contours)
    ]


def _layers(study: ExportedStudy, frames: Sequence[ExportedFrame]) -> dict[LayerKey, str]:
    """Names of layers in the order of tables, with a number where a name is cut or taken."""
    drawn = {(c.finding, c.method) for frame in frames for f in frame.findings for c in f.contours}
    found: dict[LayerKey, str] = {}
    for finding in study.run.findings:
        for method in study.run.methods:
            if (finding, method) in drawn:
                text = f"{finding} {method}" if len(study.run.methods) > 1 else finding
                name = NOT_IN_LAYERS.sub("_", text.upper())
                cut = name[:LONGEST_LAYER].strip()
                suffix = f"_{len(found) + 1}"
                found[finding, method] = (
                    cut
                    if cut == name and cut not in {OF_IMAGE, *found.values()}
                    else name[: LONGEST_LAYER - len(suffix)].strip() + suffix
                )
    return found


def _annotation(
    header: Dataset, frame: ExportedFrame, found: ExportedFinding, method: str, layer: str
) -> Dataset:
    contours = [contour for contour in found.contours if contour.method == method]
    made = Dataset()
    made.ReferencedImageSequence = [reference_to(header, frame.frame)]
    made.GraphicLayer = layer
    made.TextObjectSequence = [_text(found, contour) for contour in contours]
    made.GraphicObjectSequence = [_graphic(line) for contour in contours for line in contour.outlines]
    return made


def _graphic(outline: Outline) -> Dataset:
    tolerance = FIRST_TOLERANCE_PX
    while len(outline) >= MOST_POINTS:
        outline = np.asarray(cv2.approxPolyDP(outline, tolerance, closed=True), np.float32).reshape(-1, 2)
        tolerance *= 2
    closed = np.concatenate([outline, outline[:1]]) + np.float32(CENTRE)
    made = Dataset()
    made.GraphicAnnotationUnits = "PIXEL"
    made.GraphicDimensions = 2
    made.NumberOfGraphicPoints = len(closed)
    made.GraphicData = closed.ravel().tolist()
    made.GraphicType = "POLYLINE"
    made.GraphicFilled = "N"
    return made


def _text(found: ExportedFinding, contour: Region) -> Dataset:
    """Finding, probability and method, at the rightmost point of the contour."""
    right = contour.outlines[0][np.argmax(contour.outlines[0][:, 0])] + np.float32(CENTRE)
    probability = "" if found.probability is None else f" {found.probability:.2f}"
    made = Dataset()
    made.UnformattedTextValue = f"{found.finding}{probability} ({contour.method})"
    made.AnchorPoint = right.tolist()
    made.AnchorPointAnnotationUnits = "PIXEL"
    made.AnchorPointVisibility = "N"
    return made


GSPS = Export(name="gsps", title="Heatmap contours (graphics)", series_number=9705, objects=objects)
