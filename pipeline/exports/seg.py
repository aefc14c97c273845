"""SEG: the network's contours as DICOM Segmentations on the image's own grid (PS3.3, A.51).

Slices of one series on parallel planes share an object. An image that does not lie in the patient has one of
its own, and so has each frame of a loop.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from highdicom.seg import Segmentation, SegmentationTypeValues, SegmentDescription
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pydicom.valuerep import format_number_as_ds

from pipeline.contracts import Export
from pipeline.exports import private_elements
from pipeline.exports.algorithm import algorithm_of, equipment
from pipeline.exports.codes import ABNORMALITY, LONGEST_MEANING, code_of
from pipeline.exports.grids import SharedGrid, shared_grids
from pipeline.exports.objects import NO_CONTOUR, PENDING, ExportedObject, LeftOut, settled
from pipeline.exports.segment_frames import segment_uid
from pipeline.exports.study import ExportedFrame, ExportedRun, ExportedStudy
from pipeline.exports.uids import series_uid
from pipeline.records import Region

ASSUMED: Final = (1, 0, 0, 0, 1, 0)
"""Image Orientation (Patient) that viewers assume where there is none."""
Segment = tuple[str, str]
"""Finding and method."""
LABELMAP: Final = "labelmap"
"""Value of the option `segmentation`."""
MOST_BYTES: Final = 2**32
"""Of the masks of one object in memory, one byte for each pixel and segment."""
TOO_LARGE: Final = (
    f"the masks of its Segmentation exceed {MOST_BYTES:,} bytes in memory; audit fewer methods or findings "
    "in one run"
)
BARE: Final = "the run drew no contour on the image, so that no Segmentation refers to it"
OVERLAP: Final = (
    "segments overlap, which a label map cannot hold; the object is a binary segmentation, in which they may"
)


def objects(
    study: ExportedStudy, _earlier: Mapping[str, Sequence[ExportedObject]]
) -> Iterator[ExportedObject | LeftOut]:
    """One Segmentation per grid that has contours: one segment per finding and method, in tables' order."""
    is_labelmap = study.options.get("segmentation") == LABELMAP
    number = 0
    for grid in shared_grids(study):
        segments = _segments(study.run, grid)
        if not segments:
            yield from (LeftOut(one.case_id, SEG.name, NO_CONTOUR, BARE) for one in grid.frames)
            continue
        if grid.planes * math.prod(grid.frames[0].shape) * len(segments) > MOST_BYTES:
            yield from (LeftOut(one.case_id, SEG.name, "too_large", TOO_LARGE) for one in grid.frames)
            continue
        number += 1
        stack = _stack(grid, segments)
        if is_labelmap and stack.sum(axis=3).max() > 1:
            yield from (LeftOut(one.case_id, SEG.name, "segments_overlap", OVERLAP) for one in grid.frames)
        labelled = is_labelmap and stack.sum(axis=3).max() <= 1
        yield _object(study, grid, segments, stack, number=number, is_labelmap=labelled)


def _segments(run: ExportedRun, grid: SharedGrid) -> list[Segment]:
    """The findings and methods with a contour on any frame."""
    found = {
        (contour.finding, contour.method)
        for frame in grid.frames
        for finding in frame.findings
        for contour in finding.contours
    }
    return [(f, m) for f in run.findings for m in run.methods if (f, m) in found]


def _object(
    study: ExportedStudy,
    grid: SharedGrid,
    segments: Sequence[Segment],
    stack: NDArray[np.uint8],
    *,
    number: int,
    is_labelmap: bool,
) -> ExportedObject:
    run, kinds = study.run, SegmentationTypeValues
    dataset = Segmentation(
        source_images=list(grid.headers),
        pixel_array=stack,
        segmentation_type=kinds.LABELMAP if is_labelmap else kinds.BINARY,
        segment_descriptions=[
            _description(run, segment, label, n, grid.owner)
            for n, (segment, label) in enumerate(zip(segments, _labels(segments), strict=True), start=1)
        ],
        series_instance_uid=series_uid(run.run_id, SEG.name, grid.headers[0].StudyInstanceUID),
        series_number=SEG.series_number,
        sop_instance_uid=PENDING,
        instance_number=number,
        series_description=SEG.title,
        content_label="CONTOURS",
        content_description=f"Contours of heatmaps, run {run.run_id}"[:64],
        transfer_syntax_uid=ExplicitVRLittleEndian,
        **equipment(run),
    )
    grid.restore_references(dataset)
    state_grid(dataset, grid.frames[0].spacing_mm)
    frames = [frame for frame in grid.frames if any(finding.contours for finding in frame.findings)]
    return settled(dataset, run, kind=SEG.name, case_ids=tuple(frame.case_id for frame in frames))


def state_grid(dataset: Dataset, spacing_mm: tuple[float, float] | None) -> None:
    """Add the functional groups that viewers read first, where an image has no frame of reference.

    OHIF 3.13 shows no segmentation without spacing and orientation. Without a spacing it is empty, because
    viewers would measure with any. The orientation is the one that OHIF assumes of such images; without a
    frame of reference it places nothing.
    """
    groups = dataset.SharedFunctionalGroupsSequence[0]
    if "PlaneOrientationSequence" in groups or "FrameOfReferenceUID" in dataset:
        return
    measures = Dataset()
    if spacing_mm:
        measures.PixelSpacing = list(map(format_number_as_ds, spacing_mm))
    groups.PixelMeasuresSequence = [measures]
    orientation = Dataset()
    orientation.ImageOrientationPatient = list(ASSUMED)
    groups.PlaneOrientationSequence = [orientation]


def _stack(grid: SharedGrid, segments: Sequence[Segment]) -> NDArray[np.uint8]:
    """(planes of the grid, rows, columns, segments): 1 inside."""
    rows, columns = grid.frames[0].shape
    stack = np.zeros((grid.planes, rows, columns, len(segments)), np.uint8)
    for plane, frame in zip(grid.plane_of, grid.frames, strict=True):
        for index, segment in enumerate(segments):
            for contour in _contours(frame, segment):
                row, column = contour.corner
                height, width = contour.mask.shape
                stack[plane, row : row + height, column : column + width, index] |= contour.mask
    return stack


def _contours(frame: ExportedFrame, segment: Segment) -> Iterator[Region]:
    for finding in frame.findings:
        for contour in finding.contours:
            if (contour.finding, contour.method) == segment:
                yield contour


def _labels(segments: Sequence[Segment]) -> list[str]:
    """Finding and method of each segment, no two alike: readers take one label for one finding."""
    labels: list[str] = []
    for number, (finding, method) in enumerate(segments, start=1):
        end = f" ({method})"
        label = f"{finding[: max(LONGEST_MEANING - len(end), 0)]}{end}"[:LONGEST_MEANING]
        if label in labels:
            label = f"{number} {label}"[:LONGEST_MEANING]
        labels.append(label)
    return labels


def _description(run: ExportedRun, segment: Segment, label: str, number: int, owner: str) -> Any:
    finding, method = segment
    made = SegmentDescription(
        segment_number=number,
        segment_label=label,
        segmented_property_category=ABNORMALITY,
        segmented_property_type=code_of(run.findings[finding]),
        algorithm_type="AUTOMATIC",
        algorithm_identification=algorithm_of(run),
        tracking_uid=segment_uid(run, owner, finding, method),
        tracking_id=f"{finding} by {method}, run {run.run_id}"[:64],
    )
    names = made.private_block(private_elements.GROUP, private_elements.CREATOR, create=True)
    names.add_new(private_elements.FINDING, "UT", finding)
    names.add_new(private_elements.METHOD, "UT", method)
    return made


SEG = Export(name="seg", title="Heatmap contours", series_number=9701, objects=objects)
