"""Key objects: the worst and the disputed cases of a study (PS3.3, A.35.4; PS3.16, TID 2010)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from highdicom.ko import KeyObjectSelection, KeyObjectSelectionDocument
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import ExplicitVRLittleEndian

from pipeline.contracts import Export
from pipeline.exports.algorithm import equipment
from pipeline.exports.grids import frames_of
from pipeline.exports.objects import PENDING, ExportedObject, settled
from pipeline.exports.sr import observer
from pipeline.exports.study import ExportedFrame, ExportedImage, ExportedStudy
from pipeline.exports.uids import series_uid


@dataclass(frozen=True, slots=True)
class Selection:
    """Why cases are selected."""

    title: Code
    """Of CID 7010."""
    description: str


WORST: Final = Selection(
    codes.DCM.OfInterest, "Worst cases of the audit: where the maps agree least with the readers"
)
DISPUTED: Final = Selection(
    codes.DCM.ForPeerReview, "Disputed cases of the audit: reviewers answer differently about them"
)
REFERRED_TO: Final = ("seg", "sr", "secondary_capture")
"""Kinds that show a case by themselves, unlike presentation states and maps."""


def objects(
    study: ExportedStudy, earlier: Mapping[str, Sequence[ExportedObject]]
) -> Iterator[ExportedObject]:
    """A selection of the study's worst cases and one of its disputed cases, where there are any."""
    number = 0
    for selection in (WORST, DISPUTED):
        chosen = _chosen(study, selection)
        if chosen:
            number += 1
            yield _object(study, selection, chosen, earlier, number)


def _chosen(study: ExportedStudy, selection: Selection) -> list[tuple[ExportedImage, list[ExportedFrame]]]:
    """The images with a selected case, and these cases."""
    found = []
    for image in study.images:
        frames = [
            frame for frame in image.frames if (frame.is_worst if selection is WORST else frame.is_disputed)
        ]
        if frames:
            found.append((image, frames))
    return found


def _object(
    study: ExportedStudy,
    selection: Selection,
    chosen: Sequence[tuple[ExportedImage, list[ExportedFrame]]],
    earlier: Mapping[str, Sequence[ExportedObject]],
    number: int,
) -> ExportedObject:
    run = study.run
    case_ids = tuple(frame.case_id for _, frames in chosen for frame in frames)
    images = [image.header for image, _ in chosen]
    about = [
        one.dataset
        for kind in REFERRED_TO
        for one in earlier.get(kind, ())
        if not set(case_ids).isdisjoint(one.case_ids)
    ]
    content = KeyObjectSelection(
        document_title=selection.title,
        referenced_objects=[*images, *about],
        observer_device_context=observer(run),
        description=f"{selection.description} (run {run.run_id}).",
    )
    _name_frames(content, chosen)
    dataset = KeyObjectSelectionDocument(
        evidence=[*images, *about],
        content=content,
        series_instance_uid=series_uid(run.run_id, KEY_OBJECTS.name, images[0].StudyInstanceUID),
        series_number=KEY_OBJECTS.series_number,
        sop_instance_uid=PENDING,
        instance_number=number,
        series_description=KEY_OBJECTS.title,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        **equipment(run),
    )
    return settled(dataset, run, kind=KEY_OBJECTS.name, case_ids=case_ids)


def _name_frames(
    content: Sequence[Dataset], chosen: Sequence[tuple[ExportedImage, list[ExportedFrame]]]
) -> None:
    """State the frames of images of several, which highdicom refers to as wholes."""
    frames = {
        image.header.SOPInstanceUID: [frame.frame + 1 for frame in frames]
        for image, frames in chosen
        if frames_of(image.header) > 1
    }
    for item in content[0].ContentSequence:
        for reference in item.get("ReferencedSOPSequence") or ():
            numbers = frames.get(reference.ReferencedSOPInstanceUID)
            if numbers:
                reference.ReferencedFrameNumber = numbers if len(numbers) > 1 else numbers[0]


KEY_OBJECTS = Export(name="key_objects", title="Heatmap key cases", series_number=9706, objects=objects)
