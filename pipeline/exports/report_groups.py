"""Report groups: the measurement groups of one finding on one frame (PS3.16, TID 1501 and 1410).

The group of the whole frame states no Finding, which readers would take for present; it answers whether the
finding is present. Each contour has a group of its own with its outline. Where a Segmentation is exported,
too, one more group per map refers to its segment, which holds all contours of the map.

OHIF 3.13 opens no report with a tracked finding that has no coordinates. The group of the whole frame
therefore counts contours between the frame's corners, dots without a text in viewers, and those of segments
are tracked together with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from highdicom.sr import (
    AlgorithmIdentification,
    CodeContentItem,
    ContentSequence,
    GraphicTypeValues,
    ImageRegion,
    Measurement,
    MeasurementsAndQualitativeEvaluations,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    ReferencedSegmentationFrame,
    RelationshipTypeValues,
    ScoordContentItem,
    SourceImageForMeasurementGroup,
    SourceImageForRegion,
    SourceImageForSegmentation,
    TextContentItem,
    TrackingIdentifier,
)
from numpy.typing import NDArray
from pydicom.sr.coding import Code
from scipy.spatial import KDTree

from pipeline.exports import report_codes as said
from pipeline.exports.algorithm import parameters_of
from pipeline.exports.codes import ABNORMALITY, code_of
from pipeline.exports.segment_frames import SegmentFrame
from pipeline.exports.study import Agreement, ExportedFinding, ExportedFrame, ExportedImage, ExportedRun
from pipeline.exports.uids import uid_of
from pipeline.records import Outline, Region

PIXEL_CENTRE: Final = 0.5
"""From the image's corner, where SCOORD counts from (PS3.3, C.18.6.1.2), to the centre of its first pixel."""
PERCENT: Final = 100


@dataclass(frozen=True, slots=True)
class Subject:
    """What the groups are about."""

    run: ExportedRun
    image: ExportedImage
    frame: ExportedFrame
    finding: ExportedFinding

    @property
    def code(self) -> Code:
        """The finding's code."""
        return code_of(self.run.findings[self.finding.finding])

    @property
    def source(self) -> tuple[str, str, list[int] | None]:
        """SOP class, instance and frame number of the image, as arguments of references."""
        header = self.image.header
        several = int(header.get("NumberOfFrames") or 1) > 1
        return header.SOPClassUID, header.SOPInstanceUID, [self.frame.frame + 1] if several else None

    def tracking(self, *parts: str) -> TrackingIdentifier:
        """Identifiers that the same run gives again."""
        name = self.finding.finding
        return TrackingIdentifier(
            uid=uid_of("group", self.run.run_id, self.frame.case_id, name, *parts),
            identifier=" ".join([name, *parts, self.frame.case_id]),
        )


def groups_of(subject: Subject, segments: Mapping[str, SegmentFrame]) -> Iterator[Any]:
    """The groups of one finding on one frame; `segments`: method → where its contours are segmented."""
    yield _whole_frame(subject)
    for method in subject.run.methods:
        contours = [one for one in subject.finding.contours if one.method == method]
        for number, contour in enumerate(contours):
            yield _contour(subject, contour, number)
        if contours and method in segments:
            yield _segment(subject, method, contours, segments[method])


def closed_outline(outlines: Sequence[Outline]) -> NDArray[np.float32]:
    """The outline of a contour as a closed SCOORD polyline, (n, 2) from the image's corner.

    A hole is reached by a cut, a line there and back, because a polyline has no holes (as in RTSTRUCT, PS3.3,
    C.8.8.6.3): both lines coincide, so that the area inside is exact.
    """
    outer, *holes = [np.asarray(outline, np.float64) for outline in outlines]
    points = outer
    for hole in holes:
        gaps, nearest = KDTree(points).query(hole)
        start = int(np.argmin(gaps))
        near = int(nearest[start])
        turned = np.roll(hole, -start, axis=0)
        points = np.concatenate([points[: near + 1], turned, turned[:1], points[near:]])
    return np.concatenate([points, points[:1]]).astype(np.float32) + np.float32(PIXEL_CENTRE)


def _whole_frame(subject: Subject) -> Any:
    """Probability, threshold, answer and verdict, and how the contours of each map agree with each reader."""
    finding = subject.finding
    measurements, answers = [_count_in_frame(subject)], []
    if finding.probability is not None:
        measurements.append(_number(said.PROBABILITY, PERCENT * finding.probability, said.PERCENT))
    if finding.threshold is not None:
        measurements.append(_number(said.THRESHOLD, PERCENT * finding.threshold, said.PERCENT))
    if finding.probability is not None and finding.threshold is not None:
        answers.append((subject.code, _present(is_present=finding.probability >= finding.threshold)))
    if finding.label is not None:
        answers.append((said.ANNOTATED, _present(is_present=bool(finding.label))))
    verdict = subject.run.verdicts.get(finding.finding)
    answers.append((said.VERDICT, said.VERDICTS.get(verdict or "", said.VERDICTS["unknown"])))
    measurements += [_agreement(one, one.iou) for one in finding.agreements if one.iou is not None]
    group = MeasurementsAndQualitativeEvaluations(
        tracking_identifier=subject.tracking(),
        algorithm_id=_algorithm(subject.run),
        measurements=measurements,
        qualitative_evaluations=[QualitativeEvaluation(name, value) for name, value in answers],
        source_images=[SourceImageForMeasurementGroup(*subject.source)],
    )
    group[0].ContentSequence.extend(_undefined(one) for one in finding.agreements if one.iou is None)
    return group


def _contour(subject: Subject, contour: Region, number: int) -> Any:
    """One contour with its outline, area and highest relevance."""
    overlaps = [
        one
        for one in subject.finding.overlaps
        if (one.method, one.contour) == (contour.method, number) and one.ious
    ]
    return PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=subject.tracking(contour.method, f"contour {number + 1}"),
        referenced_region=ImageRegion(
            GraphicTypeValues.POLYLINE,
            closed_outline(contour.outlines),
            source_image=SourceImageForRegion(*subject.source),
        ),
        finding_type=subject.code,
        finding_category=ABNORMALITY,
        method=said.code_of_name(contour.method),
        algorithm_id=_algorithm(subject.run),
        measurements=[
            _area(subject.frame, contour.area_px),
            _number(said.PEAK, float(contour.peak), said.unit_of(_unit(subject.finding, contour.method))),
            *(_by_reader(_number(said.IOU_OF_CONTOUR, max(o.ious), said.RATIO), o.reader) for o in overlaps),
        ],
    )


def _segment(subject: Subject, method: str, contours: Sequence[Region], at: SegmentFrame) -> Any:
    """All contours of one map, by their segment."""
    segment = ReferencedSegmentationFrame(
        at.sop_class, at.sop_instance, at.frame, 1, SourceImageForSegmentation(*subject.source)
    )
    del segment[0].ReferencedSOPSequence[0].ReferencedSegmentNumber  # not beside a frame (PS3.3, table 10-3)
    return PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=subject.tracking(),
        referenced_segment=segment,
        finding_type=subject.code,
        finding_category=ABNORMALITY,
        method=said.code_of_name(method),
        algorithm_id=_algorithm(subject.run),
        measurements=[
            _area(subject.frame, sum(contour.area_px for contour in contours)),
            _number(said.CONTOURS, len(contours), said.NUMBER),
            *(
                _by_reader(_number(said.IOU_OF_MAP, one.iou, said.RATIO), one.reader)
                for one in subject.finding.agreements
                if one.method == method and one.iou is not None
            ),
        ],
    )


def _agreement(one: Agreement, iou: float) -> Measurement:
    """IoU of all contours of a map with a reader, with the map's method."""
    method = said.code_of_name(one.method)
    return _by_reader(Measurement(said.IOU_OF_MAP, iou, said.RATIO, method=method), one.reader)


def _undefined(one: Agreement) -> TextContentItem:
    return TextContentItem(
        said.NO_IOU,
        f"{one.method}, {one.reader}: {one.undefined_because or 'unknown'}",
        RelationshipTypeValues.CONTAINS,
    )


def _by_reader(measurement: Measurement, reader: str) -> Measurement:
    """The measurement with its reader as a modifier."""
    item = measurement[0]
    modifiers = [
        *item.get("ContentSequence", ()),
        CodeContentItem(said.READER, said.code_of_name(reader), RelationshipTypeValues.HAS_CONCEPT_MOD),
    ]
    item.ContentSequence = ContentSequence(modifiers)
    return measurement


def _count_in_frame(subject: Subject) -> Measurement:
    """The number of contours of all maps, inferred from the frame's corners (PS3.16, TID 320)."""
    rows, columns = subject.frame.shape
    corners = ScoordContentItem(
        said.SOURCE,
        GraphicTypeValues.MULTIPOINT,
        np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float32),
        relationship_type=RelationshipTypeValues.INFERRED_FROM,
    )
    corners.ContentSequence = ContentSequence([SourceImageForRegion(*subject.source)])
    measurement = _number(said.CONTOURS, len(subject.finding.contours), said.NUMBER)
    measurement[0].ContentSequence = ContentSequence([corners])
    return measurement


def _area(frame: ExportedFrame, pixels: int) -> Measurement:
    if frame.spacing_mm is None:
        return _number(said.AREA, pixels, said.PIXELS)
    rows, columns = frame.spacing_mm
    return _number(said.AREA, float(pixels * rows * columns), said.SQUARE_MM)


def _number(name: Code, value: float, unit: Code) -> Measurement:
    return Measurement(name, value, unit)


def _present(*, is_present: bool) -> Code:
    return said.PRESENT if is_present else said.ABSENT


def _unit(finding: ExportedFinding, method: str) -> str:
    """The unit of the method's map; of external contours, which have no map, none."""
    return next((one.unit for one in finding.maps if one.method == method), "relative")


def _algorithm(run: ExportedRun) -> AlgorithmIdentification:
    return AlgorithmIdentification(
        run.model, run.model_version, [f"{key}={value}" for key, value in parameters_of(run).items()]
    )
