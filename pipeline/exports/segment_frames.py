"""Segment frames: in which frame of a Segmentation the contours of a map are, for references."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pydicom.dataset import Dataset

from pipeline.exports.study import ExportedFrame, ExportedImage, ExportedRun
from pipeline.exports.uids import uid_of


@dataclass(frozen=True, slots=True)
class SegmentFrame:
    """The frame of a Segmentation that holds all contours of one map."""

    sop_class: str
    sop_instance: str
    frame: int
    """Counted from 1. It holds one segment, so that its number names the segment, too (PS3.3, table 10-3)."""


Address: TypeAlias = tuple[str, str, int]
"""Tracking UID of the segment; SOP instance UID and frame, from 0, of the image."""


def segment_uid(run: ExportedRun, owner: str, finding: str, method: str) -> str:
    """Tracking UID of the segment of a map in an image or series, whose UID is `owner`."""
    return uid_of("segment", run.run_id, owner, finding, method)


def segment_frames(segmentations: Sequence[Dataset]) -> dict[Address, SegmentFrame]:
    """The frames of all segments of the binary Segmentations.

    A frame of a label map holds several segments, and a reference names either a frame or a segment.
    """
    return {
        address: SegmentFrame(dataset.SOPClassUID, dataset.SOPInstanceUID, number)
        for dataset in segmentations
        if dataset.SegmentationType == "BINARY"
        for number, groups in enumerate(dataset.PerFrameFunctionalGroupsSequence, start=1)
        for address in _addresses(dataset, groups)
    }


def found_for(
    frames: Mapping[Address, SegmentFrame],
    run: ExportedRun,
    image: ExportedImage,
    frame: ExportedFrame,
    finding: str,
) -> dict[str, SegmentFrame]:
    """Method → the frame of its segment on one frame of an image."""
    header = image.header
    return {
        method: frames[address]
        for method in run.methods
        for owner in (header.SOPInstanceUID, header.SeriesInstanceUID)
        if (address := (segment_uid(run, owner, finding, method), header.SOPInstanceUID, frame.frame))
        in frames
    }


def _addresses(dataset: Dataset, groups: Dataset) -> Iterator[Address]:
    """What one frame is about."""
    shared = dataset.SharedFunctionalGroupsSequence[0]
    named = groups if "SegmentIdentificationSequence" in groups else shared  # of the only segment
    number = named.SegmentIdentificationSequence[0].ReferencedSegmentNumber
    (segment,) = (one for one in dataset.SegmentSequence if one.SegmentNumber == number)
    for derivation in groups.get("DerivationImageSequence") or ():
        for source in derivation.SourceImageSequence:
            frame = int(source.get("ReferencedFrameNumber") or 1) - 1
            yield str(segment.TrackingUID), str(source.ReferencedSOPInstanceUID), frame
