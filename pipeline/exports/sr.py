"""SR: a measurement report of each study (PS3.16, TID 1500), as Comprehensive SR (PS3.3, A.35.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from highdicom.sr import (
    CodedConcept,
    ComprehensiveSR,
    ContainerContentItem,
    ContentSequence,
    DeviceObserverIdentifyingAttributes,
    ImageContentItem,
    MeasurementReport,
    ObservationContext,
    ObserverContext,
    RelationshipTypeValues,
)
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from pipeline.contracts import Export
from pipeline.exports.algorithm import MANUFACTURER, equipment
from pipeline.exports.objects import PENDING, ExportedObject, settled
from pipeline.exports.report_groups import Subject, groups_of
from pipeline.exports.segment_frames import found_for, segment_frames
from pipeline.exports.study import ExportedRun, ExportedStudy
from pipeline.exports.uids import series_uid, uid_of

SOURCE: Final = Code("260753009", "SCT", "Source")
LONGEST_OUTLINE: Final = 8191
"""Points whose coordinates fit the 16-bit length that an FL has with explicit value representations."""


def objects(
    study: ExportedStudy, earlier: Mapping[str, Sequence[ExportedObject]]
) -> Iterator[ExportedObject]:
    """One report per study, which refers to the Segmentations among `earlier`."""
    run = study.run
    segmentations = [one.dataset for one in earlier.get("seg", ())]
    segments = segment_frames(segmentations)
    images = [image.header for image in study.images]
    groups = [
        group
        for image in study.images
        for frame in image.frames
        for finding in frame.findings
        for group in groups_of(
            Subject(run, image, frame, finding), found_for(segments, run, image, frame, finding.finding)
        )
    ]
    report = MeasurementReport(
        observation_context=ObservationContext(observer_device_context=observer(run)),
        procedure_reported=codes.SCT.ImagingProcedure,
        imaging_measurements=groups,
        title=codes.DCM.ImagingMeasurementReport,
    )
    _add_library(report, images)
    dataset = ComprehensiveSR(
        evidence=[*images, *segmentations],
        content=report[0],
        series_instance_uid=series_uid(run.run_id, SR.name, images[0].StudyInstanceUID),
        series_number=SR.series_number,
        sop_instance_uid=PENDING,
        instance_number=1,
        series_description=SR.title,
        is_complete=True,
        is_final=False,
        is_verified=False,
        transfer_syntax_uid=_syntax(study),
        **equipment(run),
    )
    case_ids = tuple(frame.case_id for image in study.images for frame in image.frames)
    yield settled(dataset, run, kind=SR.name, case_ids=case_ids)


def observer(run: ExportedRun) -> Any:
    """The network as the device that observed."""
    return ObserverContext(
        CodedConcept.from_code(codes.DCM.Device),
        DeviceObserverIdentifyingAttributes(
            uid=uid_of("device", run.run_id),
            name=run.model,
            manufacturer_name=MANUFACTURER,
            model_name=f"{run.model} {run.model_version}",
            serial_number=run.run_id,
        ),
    )


def _add_library(report: MeasurementReport, images: Sequence[Dataset]) -> None:
    """List the images (TID 1600), by which viewers find them.

    highdicom's own list wants elements that many images lack, such as the thickness of slices.
    """
    group = ContainerContentItem(
        codes.DCM.ImageLibraryGroup, relationship_type=RelationshipTypeValues.CONTAINS
    )
    group.ContentSequence = ContentSequence(
        [
            ImageContentItem(
                SOURCE,
                referenced_sop_class_uid=image.SOPClassUID,
                referenced_sop_instance_uid=image.SOPInstanceUID,
                relationship_type=RelationshipTypeValues.CONTAINS,
            )
            for image in images
        ]
    )
    library = ContainerContentItem(codes.DCM.ImageLibrary, relationship_type=RelationshipTypeValues.CONTAINS)
    library.ContentSequence = ContentSequence([group])
    content = report[0].ContentSequence
    content.insert(len(content) - 1, library)  # before the measurements, as TID 1500 orders them


def _syntax(study: ExportedStudy) -> str:
    """The transfer syntax: with explicit value representations, unless an outline is too long for them."""
    longest = max(
        (
            sum(len(outline) + 2 for outline in contour.outlines)
            for image in study.images
            for frame in image.frames
            for finding in frame.findings
            for contour in finding.contours
        ),
        default=0,
    )
    return str(ExplicitVRLittleEndian if longest <= LONGEST_OUTLINE else ImplicitVRLittleEndian)


SR = Export(name="sr", title="Heatmap measurements", series_number=9703, objects=objects)
