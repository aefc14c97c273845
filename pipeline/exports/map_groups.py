"""Map groups: what each frame of a Parametric Map shows, where it lies and what it was made of.

Functional groups (PS3.3, C.7.6.16). Finding, method and probability stand in the quantity definition in full,
so that maps can be scored from their files alone; labels of look-up tables are too short for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from highdicom.pm import RealWorldValueMapping
from highdicom.sr import CodedConcept
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.valuerep import format_number_as_ds

from pipeline.exports import private_elements
from pipeline.exports.anatomy import anatomy_of
from pipeline.exports.codes import LONGEST_MEANING
from pipeline.exports.instances import reference_to
from pipeline.exports.objects import PENDING
from pipeline.exports.planes import group_of
from pipeline.exports.quantities import NO_UNITS, quantity_of, unit_of
from pipeline.exports.study import ExportedFinding, ExportedFrame
from pipeline.records import Heatmap, ImagePlane, Intensity

LONGEST_LABEL: Final = 16
"""Characters of an SH."""
FINDING: Final = Code("121071", "DCM", "Finding")
METHOD: Final = Code("370129005", "SCT", "Measurement Method")
CERTAINTY: Final = Code("111012", "DCM", "Certainty of Finding")
EMPTY: Final = np.zeros((0, 0), np.float32)


@dataclass(frozen=True, slots=True)
class MapFrame:
    """One map and the frame that it explains."""

    source: ExportedFrame
    finding: ExportedFinding
    heatmap: Heatmap
    plane: ImagePlane
    """Of the image; of the map's own grid if it is exported on that."""
    values: Intensity = field(default_factory=lambda: EMPTY)
    """On that grid; empty until it is placed on it."""


def add_groups(made: Any, header: Dataset, frames: Sequence[MapFrame], *, keeps_pixels: bool) -> None:
    """Add dimensions and functional groups; `keeps_pixels`: the grid is the image's."""
    _add_dimensions(made)
    shared = Dataset()
    shared.FrameAnatomySequence = [anatomy_of(header)]
    identity, kind = Dataset(), Dataset()
    identity.RescaleIntercept, identity.RescaleSlope, identity.RescaleType = "0", "1", "US"
    kind.FrameType = made.ImageType
    shared.PixelValueTransformationSequence = [identity]
    shared.ParametricMapFrameTypeSequence = [kind]
    shared.FrameVOILUTSequence = [_window(frames)]
    own = [Dataset() for _ in frames]
    _add_everywhere(shared, own, "PixelMeasuresSequence", [_measures(header, frame) for frame in frames])
    _add_everywhere(shared, own, "PlaneOrientationSequence", [_orientation(frame.plane) for frame in frames])
    for number, (groups, frame) in enumerate(zip(own, frames, strict=True), start=1):
        content = Dataset()
        content.StackID, content.InStackPositionNumber = "1", number
        content.DimensionIndexValues = [1, number]
        groups.FrameContentSequence = [content]
        position = Dataset()
        position.ImagePositionPatient = list(map(format_number_as_ds, frame.plane.position or ()))
        groups.PlanePositionSequence = [position]
        groups.DerivationImageSequence = [_derivation(header, frame, keeps_pixels=keeps_pixels)]
        groups.RealWorldValueMappingSequence = [_mapping(frame)]
        _add_private(groups, frame, keeps_pixels=keeps_pixels)
    made.SharedFunctionalGroupsSequence = [shared]
    made.PerFrameFunctionalGroupsSequence = own


def _add_dimensions(made: Any) -> None:
    """Frames are told apart by their number in one stack, as those of a loop have the same place."""
    organization = Dataset()
    organization.DimensionOrganizationUID = PENDING
    made.DimensionOrganizationSequence = [organization]
    made.DimensionIndexSequence = []
    for keyword in ("StackID", "InStackPositionNumber"):
        index = Dataset()
        index.DimensionOrganizationUID = PENDING
        index.DimensionIndexPointer = tag_for_keyword(keyword)
        index.FunctionalGroupPointer = tag_for_keyword("FrameContentSequence")
        made.DimensionIndexSequence.append(index)


def _add_everywhere(shared: Dataset, own: Sequence[Dataset], keyword: str, items: Sequence[Dataset]) -> None:
    """Add a group once if it is that of all frames, as most readers expect it, else to each frame."""
    if all(item == items[0] for item in items):
        setattr(shared, keyword, [items[0]])
        return
    for groups, item in zip(own, items, strict=True):
        setattr(groups, keyword, [item])


def _measures(header: Dataset, frame: MapFrame) -> Dataset:
    found = Dataset()
    found.PixelSpacing = list(map(format_number_as_ds, frame.plane.spacing_mm or ()))
    stated = group_of(header, frame.source.frame, "PixelMeasuresSequence") or header
    for keyword in ("SliceThickness", "SpacingBetweenSlices"):
        if keyword in stated:
            found[keyword] = stated[keyword]
    return found


def _orientation(plane: ImagePlane) -> Dataset:
    found = Dataset()
    found.ImageOrientationPatient = list(map(format_number_as_ds, (*plane.along, *plane.down)))
    return found


def _window(frames: Sequence[MapFrame]) -> Dataset:
    """From the lowest to the highest value of all frames; LINEAR would want 1 or more (PS3.3, C.11.2.1.3)."""
    low = min(float(frame.values.min()) for frame in frames)
    high = max(float(frame.values.max()) for frame in frames)
    found = Dataset()
    found.WindowCenter = format_number_as_ds((low + high) / 2)
    found.WindowWidth = format_number_as_ds(high - low or 1.0)
    found.VOILUTFunction = "LINEAR_EXACT"
    return found


def _mapping(frame: MapFrame) -> Dataset:
    """Stored values are the real values."""
    heatmap = frame.heatmap
    found = RealWorldValueMapping(
        lut_label=heatmap.method[:LONGEST_LABEL],
        lut_explanation=heatmap.finding[:LONGEST_MEANING],
        unit=unit_of(heatmap.unit),
        value_range=(float(frame.values.min()), float(frame.values.max())),
        slope=1.0,
        intercept=0.0,
        quantity_definition=quantity_of(heatmap.method),
    )
    definition: Any = found.QuantityDefinitionSequence
    definition += [_text(FINDING, heatmap.finding), _text(METHOD, heatmap.method)]
    if frame.finding.probability is not None:
        definition.append(_probability(frame.finding.probability))
    return found


def _add_private(groups: Dataset, frame: MapFrame, *, keeps_pixels: bool) -> None:
    """Add the operating point, and where a map on its own grid lies on the image, to the last bit."""
    block = groups.private_block(private_elements.GROUP, private_elements.CREATOR, create=True)
    if frame.finding.threshold is not None:
        block.add_new(private_elements.OPERATING_POINT, "FD", frame.finding.threshold)
    if not keeps_pixels:
        grid = frame.heatmap.placement
        block.add_new(private_elements.SHAPES, "FD", [*grid.model_shape, *grid.image_shape])
        block.add_new(private_elements.SCALE, "FD", list(grid.scale))
        block.add_new(private_elements.OFFSET, "FD", list(grid.offset))
        block.add_new(private_elements.OVERHANG, "FD", [*grid.overhang[0], *grid.overhang[1]])


def _text(name: Code, value: str) -> Dataset:
    found = Dataset()
    found.ValueType = "TEXT"
    found.ConceptNameCodeSequence = [CodedConcept.from_code(name)]
    found.TextValue = value
    return found


def _probability(value: float) -> Dataset:
    """The probability 0 … 1 that the network gave the finding, to 14 digits."""
    found = Dataset()
    found.ValueType = "NUMERIC"
    found.ConceptNameCodeSequence = [CodedConcept.from_code(CERTAINTY)]
    found.NumericValue = format_number_as_ds(value)
    found.MeasurementUnitsCodeSequence = [CodedConcept.from_code(NO_UNITS)]
    return found


def _derivation(header: Dataset, frame: MapFrame, *, keeps_pixels: bool) -> Dataset:
    source = reference_to(header, frame.source.frame)
    source.PurposeOfReferenceCodeSequence = [
        CodedConcept.from_code(codes.DCM.SourceImageForImageProcessingOperation)
    ]
    source.SpatialLocationsPreserved = "YES" if keeps_pixels else "NO"
    found = Dataset()
    found.DerivationCodeSequence = [CodedConcept.from_code(quantity_of(frame.heatmap.method))]
    found.SourceImageSequence = [source]
    return found
