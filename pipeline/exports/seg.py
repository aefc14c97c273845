"""SEG: the network's contours as DICOM Segmentations on the image's own grid (PS3.3, A.51)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from highdicom.seg import Segmentation, SegmentationTypeValues, SegmentDescription
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from pipeline.contracts import Export
from pipeline.exports.algorithm import algorithm_of, equipment
from pipeline.exports.codes import ABNORMALITY, code_of
from pipeline.exports.objects import PENDING, ExportedObject, settled
from pipeline.exports.study import ExportedFrame, ExportedImage, ExportedRun, ExportedStudy
from pipeline.exports.uids import series_uid, uid_of
from pipeline.records import Region

ASSUMED: Final = (1, 0, 0, 0, 1, 0)
"""Image Orientation (Patient) that viewers assume where there is none."""
Segment = tuple[str, str]
"""Finding and method."""


def objects(
    study: ExportedStudy, _earlier: Mapping[str, Sequence[ExportedObject]]
) -> Iterator[ExportedObject]:
    """One Segmentation per image that has contours: one segment per finding and method, in tables' order."""
    for number, image in enumerate(study.images, start=1):
        segments = _segments(study.run, image)
        if segments:
            yield _object(study, image, segments, number)


def _segments(run: ExportedRun, image: ExportedImage) -> list[Segment]:
    """The findings and methods with a contour on any frame."""
    found = {
        (contour.finding, contour.method)
        for frame in image.frames
        for finding in frame.findings
        for contour in finding.contours
    }
    return [(f, m) for f in run.findings for m in run.methods if (f, m) in found]


def _object(
    study: ExportedStudy, image: ExportedImage, segments: Sequence[Segment], number: int
) -> ExportedObject:
    run, header = study.run, image.header
    frames = [frame for frame in image.frames if any(finding.contours for finding in frame.findings)]
    dataset = Segmentation(
        source_images=[header],
        pixel_array=_stack(image, segments),
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[_description(study, segment, n) for n, segment in enumerate(segments, start=1)],
        series_instance_uid=series_uid(run.run_id, SEG.name, header.StudyInstanceUID),
        series_number=SEG.series_number,
        sop_instance_uid=PENDING,
        instance_number=number,
        series_description=SEG.title,
        content_label="CONTOURS",
        content_description=f"Contours of heatmaps, run {run.run_id}"[:64],
        transfer_syntax_uid=ExplicitVRLittleEndian,
        **equipment(run),
    )
    _state_grid(dataset, header)
    return settled(dataset, run, kind=SEG.name, case_ids=tuple(frame.case_id for frame in frames))


def _state_grid(dataset: Dataset, header: Dataset) -> None:
    """Add the functional groups that viewers read first, where an image has no frame of reference.

    OHIF 3.13 shows no segmentation without spacing and orientation. The spacing is what the image states, in
    the patient or at the detector; without one it is empty, because viewers would measure with any. The
    orientation is the one that OHIF assumes of such images; without a frame of reference it places nothing.
    """
    groups = dataset.SharedFunctionalGroupsSequence[0]
    if "PixelMeasuresSequence" in groups:
        return
    measures = Dataset()
    spacing = header.get("PixelSpacing") or header.get("ImagerPixelSpacing")
    if spacing:
        measures.PixelSpacing = spacing
    groups.PixelMeasuresSequence = [measures]
    orientation = Dataset()
    orientation.ImageOrientationPatient = list(ASSUMED)
    groups.PlaneOrientationSequence = [orientation]


def _stack(image: ExportedImage, segments: Sequence[Segment]) -> NDArray[np.uint8]:
    """(frames of the source image, rows, columns, segments): 1 inside."""
    count = int(image.header.get("NumberOfFrames") or 1)
    rows, columns = image.frames[0].shape
    stack = np.zeros((count, rows, columns, len(segments)), np.uint8)
    for frame in image.frames:
        for index, segment in enumerate(segments):
            for contour in _contours(frame, segment):
                row, column = contour.corner
                height, width = contour.mask.shape
                stack[frame.frame, row : row + height, column : column + width, index] |= contour.mask
    return stack


def _contours(frame: ExportedFrame, segment: Segment) -> Iterator[Region]:
    for finding in frame.findings:
        for contour in finding.contours:
            if (contour.finding, contour.method) == segment:
                yield contour


def _description(study: ExportedStudy, segment: Segment, number: int) -> Any:
    finding, method = segment
    run = study.run
    return SegmentDescription(
        segment_number=number,
        segment_label=f"{finding} ({method})"[:64],
        segmented_property_category=ABNORMALITY,
        segmented_property_type=code_of(run.findings[finding]),
        algorithm_type="AUTOMATIC",
        algorithm_identification=algorithm_of(run),
        tracking_uid=uid_of("segment", run.run_id, finding, method),
        tracking_id=f"{finding} by {method}, run {run.run_id}"[:64],
    )


SEG = Export(name="seg", title="Heatmap contours", series_number=9701, objects=objects)
