"""Parametric Map: the raw map of a finding by a method, in its unit, as 32-bit floats (PS3.3, A.75).

Built here, because highdicom's class makes none of images without a frame of reference, nor of some frames.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from pydicom.uid import ParametricMapStorage

from pipeline.contracts import Export
from pipeline.exports.codes import LONGEST_MEANING
from pipeline.exports.instances import LOSSY, copy_elements, new_instance, series_of
from pipeline.exports.map_groups import MapFrame, add_groups
from pipeline.exports.objects import ExportedObject, LeftOut, settled
from pipeline.exports.planes import plane_of, plane_of_grid, stand_in_plane
from pipeline.exports.study import ExportedFrame, ExportedImage, ExportedStudy
from pipeline.exports.uids import uid_of
from pipeline.geometry import resample_to_image
from pipeline.records import ImagePlane

IMAGE_GRID: Final = "image"
"""Of the option `map_grid`: maps on the image's pixels; else they are cell by cell as the run's."""
MOST_BYTES: Final = 2**31 - 2
"""Of the pixels of one object: programs that count in 32 bits with a sign read no more."""
STANDS_IN: Final = (
    "The image has no frame of reference, which maps must have (PS3.3, A.75): position and directions are "
    "those of its pixel grid, in a frame of reference of its own."
)
"""Comment on maps whose plane says nothing about the patient."""
FLAVORS: Final = {True: "VOLUME", False: "STATIC"}
"""Image flavor (PS3.3, C.8.16.1.3) by whether the frames have a place in the patient."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The maps of one object, not yet on their grid."""

    image: ExportedImage
    frames: tuple[MapFrame, ...]
    is_placed: bool
    """Whether the image says where it lies in the patient."""
    own_grid: bool

    @property
    def bytes(self) -> int:
        """Size of the pixels."""
        shapes = (one.heatmap.relevance.shape if self.own_grid else one.source.shape for one in self.frames)
        return sum(math.prod(shape) * np.float32().itemsize for shape in shapes)


def objects(
    study: ExportedStudy, _earlier: Mapping[str, Sequence[ExportedObject]]
) -> Iterator[ExportedObject | LeftOut]:
    """One Parametric Map per image, finding and method, with one frame per audited frame of the image.

    Frames whose maps have grids of other sizes are in further ones, unless all are on the image's grid.
    """
    number = 0
    for image in study.images:
        for frame in image.frames:
            if not any(finding.maps for finding in frame.findings):
                yield LeftOut(frame.case_id, PARAMETRIC_MAP.name, "no_map", "the run stores no map of it")
        for plan in _plans(study, image):
            if plan.bytes > MOST_BYTES:
                yield from _too_large(plan)
            else:
                number += 1
                yield _object(study, plan, number)


def _plans(study: ExportedStudy, image: ExportedImage) -> Iterator[Plan]:
    """Findings and methods in the order of tables."""
    planes = {frame.frame: plane_of(image.header, frame.frame) for frame in image.frames}
    is_placed = None not in planes.values()
    for finding in study.run.findings:
        for method in study.run.methods:
            frames = tuple(
                MapFrame(
                    frame,
                    found,
                    heatmap,
                    (is_placed and planes[frame.frame]) or _stand_in(study, image, frame),
                )
                for frame in image.frames
                for found in frame.findings
                for heatmap in found.maps
                if (heatmap.finding, heatmap.method) == (finding, method)
            )
            own_grid = study.options.get("map_grid") != IMAGE_GRID
            for of_grid in _by_grid(frames) if own_grid else filter(None, [frames]):
                yield Plan(image, of_grid, is_placed=is_placed, own_grid=own_grid)


def _by_grid(frames: Sequence[MapFrame]) -> Iterator[tuple[MapFrame, ...]]:
    """The frames whose maps have the same rows and columns: those of one object have."""
    shapes = dict.fromkeys(frame.heatmap.relevance.shape for frame in frames)
    for shape in shapes:
        yield tuple(frame for frame in frames if frame.heatmap.relevance.shape == shape)


def _stand_in(study: ExportedStudy, image: ExportedImage, frame: ExportedFrame) -> ImagePlane:
    """A plane in a frame of reference of the image's own, so that nothing seems to lie where it does."""
    name = uid_of("frame of reference", study.run.run_id, str(image.header.SOPInstanceUID))
    return stand_in_plane(image.header, frame.spacing_mm, frame_of_reference=name)


def _too_large(plan: Plan) -> Iterator[LeftOut]:
    message = f"its Parametric Map exceeds {MOST_BYTES:,} bytes; export with map_grid: own"
    for frame in plan.frames:
        yield LeftOut(frame.source.case_id, PARAMETRIC_MAP.name, "too_large", message)


def _object(study: ExportedStudy, plan: Plan, number: int) -> ExportedObject:
    run, header, frames = study.run, plan.image.header, [_on_grid(plan, frame) for frame in plan.frames]
    frame_of_reference, shown = frames[0].plane.frame_of_reference, frames[0].heatmap
    made = new_instance(
        header,
        run,
        PARAMETRIC_MAP,
        sop_class=ParametricMapStorage,
        modality="OT",
        number=number,
        frame_of_reference=frame_of_reference,
    )
    made.FrameOfReferenceUID = frame_of_reference
    made.PositionReferenceIndicator = header.get("PositionReferenceIndicator") if plan.is_placed else None
    if not plan.is_placed:
        made.ImageComments = STANDS_IN
    made.ImageType = ["DERIVED", "PRIMARY", FLAVORS[plan.is_placed], "QUANTITY"]
    made.ContentQualification = "RESEARCH"
    made.ContentLabel = "HEATMAP"
    made.ContentDescription = f"{shown.finding} by {shown.method}"[:LONGEST_MEANING]
    made.ContentCreatorName = None
    made.BurnedInAnnotation = "NO"
    made.RecognizableVisualFeatures = "NO"
    made.LossyImageCompression = "00"
    copy_elements(header, made, LOSSY)
    made.AcquisitionContextSequence = []
    made.ReferencedSeriesSequence = [series_of(header, "ReferencedInstanceSequence")]
    _add_pixels(made, frames)
    add_groups(made, header, frames, keeps_pixels=not plan.own_grid)
    case_ids = tuple(frame.source.case_id for frame in frames)
    return settled(made, run, kind=PARAMETRIC_MAP.name, case_ids=case_ids)


def _on_grid(plan: Plan, frame: MapFrame) -> MapFrame:
    """The map with its values on the grid on which it is exported."""
    heatmap = frame.heatmap
    if plan.own_grid:
        plane = plane_of_grid(frame.plane, heatmap.placement)
        return replace(frame, values=heatmap.relevance, plane=plane)
    return replace(frame, values=resample_to_image(heatmap.relevance, heatmap.placement))


def _add_pixels(made: Any, frames: Sequence[MapFrame]) -> None:
    made.SamplesPerPixel = 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.PresentationLUTShape = "IDENTITY"
    made.PixelPresentation = "MONOCHROME"
    made.BitsAllocated = 32
    made.NumberOfFrames = len(frames)
    made.Rows, made.Columns = frames[0].values.shape
    made.FloatPixelData = b"".join(np.ascontiguousarray(frame.values, "<f4").tobytes() for frame in frames)


PARAMETRIC_MAP = Export(
    name="parametric_map", title="Heatmaps", series_number=9702, objects=objects, is_kept=False
)
