"""SEG headers: match the segments and frames of a DICOM SEG to images.

PS3.3 A.51 (the object), C.7.6.16.2 (functional groups), C.8.20 (segments).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.multival import MultiValue

from pipeline.errors import CaseError
from pipeline.guards.deflate import refuse_decompression_bomb
from pipeline.guards.file_hashes import LARGEST_BYTES
from pipeline.guards.reading import guarded, open_file
from pipeline.records import ImagePlane, Shape, file_stem, image_plane

NOT_ON_THE_SOURCE_GRID = frozenset({"NO", "REORIENTED_ONLY"})
"""Values of SpatialLocationsPreserved. If it is absent, the frame is assumed to lie on its image's grid."""

MOST_PLANES = 2**18
"""Largest number of planes, and of targets, in one file; all are kept in memory."""
HALF = 0.5
"""Share of the maximum of a fractional segment from which a pixel counts as inside."""


UNREADABLE = "The segmentation's header cannot be read or lacks per-frame functional groups; export it again."
OTHER_NUMBER = "The segmentation's number of frames is not that of its functional groups; export it again."
OFF_GRID = (
    "The segmentation does not lie on its image's grid (SpatialLocationsPreserved), and the planes of both "
    "do not show where else; resample it to the grid."
)
EMPTY = "The segmentation has no frame and names no image; export it again, or remove it."
NOWHERE = (
    "A frame of the segmentation names no source image, and lacks the frame of reference or the plane by "
    "which its image could be found; export it with one source image per frame."
)


@dataclass(frozen=True, slots=True)
class Target:
    """The image, frame and finding that an annotation refers to."""

    image: str
    """SOP instance UID; the file's stem if no image is named."""
    frame: int
    """Frame number, counted from 0."""
    finding: str | None
    """Segment label; None if the file cannot be used."""
    place: ImagePlane | None = None
    """The plane of the image if no image is named."""


@dataclass(frozen=True, slots=True)
class Plane:
    """One segment in one frame of a SEG."""

    index: int
    """Frame of the SEG, counted from 0."""
    shape: Shape
    """Rows and columns of the SEG."""
    low: float
    """Smallest stored value that is inside the segment."""
    high: float
    """Largest stored value that is inside the segment."""
    segment: tuple[str, int]
    """SOP instance UID of the SEG and segment number; planes of one segment form one instance."""
    place: ImagePlane | None = None
    """Where the frame lies in the patient; None: the file does not say."""
    off_grid: bool = False
    """Whether the file says that the frame does not lie on the grid of the image that it names."""


@dataclass
class Contents:
    """The planes in a SEG file by target, and the targets that cannot be used."""

    planes: dict[Target, list[Plane]] = field(default_factory=dict)
    """An empty list means that the finding is absent."""
    problems: dict[Target, tuple[str, str]] = field(default_factory=dict)
    """Reason and message for each target that cannot be used."""
    _count: int = 0

    def refuse(self, target: Target, reason: str, message: str) -> None:
        """Record that a target cannot be used."""
        self._add_planes(target)
        self.problems[target] = reason, message

    def add(self, file: Path) -> None:
        """Add the planes of a file.

        Raises CaseError "annotation_unreadable", "annotation_empty", "too_large", "not_a_file", "unreadable".
        """
        with (
            open_file(
                file,
                most_bytes=LARGEST_BYTES,
                what="The segmentation",
                remedy="split it into several files",
            ) as stream,
            guarded("annotation_unreadable", UNREADABLE),
        ):
            refuse_decompression_bomb(stream)
            stream.seek(0)
            self._add(dcmread(stream, stop_before_pixels=True), file_stem(file.name))
        if not self.planes:
            raise CaseError("annotation_empty", EMPTY)

    def _add(self, header: Dataset, stem: str) -> None:
        findings = _findings(header)
        sources: dict[str, set[int]] = {uid: set() for uid in _referenced(header)}
        joined_by_place = False
        frames = header.PerFrameFunctionalGroupsSequence
        if frames and len(frames) != int(header.get("NumberOfFrames") or len(frames)):
            raise CaseError("annotation_unreadable", OTHER_NUMBER)
        for index, groups in enumerate(frames):
            place, images = _place(header, groups), _images(header, groups)
            planes = list(_planes(header, index, groups, findings, place))
            if not _addresses(images) and _can_be_joined(place):
                joined_by_place = True
                for number, plane in planes:
                    self._add_planes(Target(stem, 0, findings[number], place), plane)
            elif not images and not sources:
                self.refuse(Target(stem, index, None), "mask_not_joined", NOWHERE)
            else:
                self._add_frame(images, sources, [(findings[number], plane) for number, plane in planes])
        for uid, frames in sources.items():
            # Which images have no frame is unknown where frames are joined by their place.
            for frame in frames or (() if joined_by_place else (0,)):
                for finding in findings.values():
                    self._add_planes(Target(uid, frame, finding))

    def _add_frame(
        self, images: list[Dataset], sources: dict[str, set[int]], planes: list[tuple[str, Plane]]
    ) -> None:
        """Add the planes of a frame to its source images, or to all `sources` if it names none."""
        off_grid = any(image.get("SpatialLocationsPreserved") in NOT_ON_THE_SOURCE_GRID for image in images)
        placed = all(_can_be_joined(plane.place) for _, plane in planes)
        problem = _problem(images) or (OFF_GRID if off_grid and not placed else "")
        for uid, frame in _addresses(images) or [(uid, 0) for uid in sources]:
            sources.setdefault(uid, set()).add(frame)
            for finding, plane in planes:
                target = Target(uid, frame, finding)
                self._add_planes(target, replace(plane, off_grid=off_grid))
                if problem:
                    self.refuse(target, "mask_not_joined", problem)

    def _add_planes(self, target: Target, *planes: Plane) -> None:
        self.planes.setdefault(target, []).extend(planes)
        self._count += len(planes)
        if max(self._count, len(self.planes)) > MOST_PLANES:
            raise CaseError(
                "too_large",
                f"The segmentation has more than {MOST_PLANES} segments in all frames together; split it "
                "into several files.",
            )


def _findings(header: Dataset) -> dict[int, str]:
    """Segment number → segment label, without the background of a label map."""
    findings = {int(s.SegmentNumber): str(s.get("SegmentLabel", "")).strip() for s in header.SegmentSequence}
    if header.SegmentationType == "LABELMAP":
        findings.pop(int(header.get("PixelPaddingValue", 0)), None)
        findings.pop(0, None)
    return findings


def _referenced(header: Dataset) -> Iterator[str]:
    """SOP instance UIDs of all images that the SEG references, segmented or not."""
    for series in header.get("ReferencedSeriesSequence", []):
        for image in series.get("ReferencedInstanceSequence", []):
            yield str(image.ReferencedSOPInstanceUID)


def _planes(
    header: Dataset, index: int, groups: Dataset, numbers: Iterable[int], place: ImagePlane | None
) -> Iterator[tuple[int, Plane]]:
    """Segment number and plane of each segment that a frame may contain."""
    uid, shape = str(header.SOPInstanceUID), (int(header.Rows), int(header.Columns))
    if header.SegmentationType == "LABELMAP":
        for number in numbers:
            yield number, Plane(index, shape, number, number, (uid, number), place)
        return
    number = int(_group(header, groups, "SegmentIdentificationSequence")[0].ReferencedSegmentNumber)
    fractional = header.SegmentationType == "FRACTIONAL"
    low = HALF * int(header.MaximumFractionalValue) if fractional else 1
    yield number, Plane(index, shape, low, math.inf, (uid, number), place)


def _place(header: Dataset, groups: Dataset) -> ImagePlane | None:
    """The plane of a frame (PS3.3, C.7.6.16.2.1, .3 and .4); None if it has no orientation."""
    orientation, position, spacing = (
        _floats(_group(header, groups, group), keyword)
        for group, keyword in (
            ("PlaneOrientationSequence", "ImageOrientationPatient"),
            ("PlanePositionSequence", "ImagePositionPatient"),
            ("PixelMeasuresSequence", "PixelSpacing"),
        )
    )
    return image_plane(orientation, position, spacing, str(header.get("FrameOfReferenceUID") or ""))


def _floats(items: Any, keyword: str) -> list[float]:
    return [float(number) for number in items[0].get(keyword) or []] if items else []


def _can_be_joined(place: ImagePlane | None) -> bool:
    return place is not None and place.position is not None and bool(place.frame_of_reference)


def _images(header: Dataset, groups: Dataset) -> list[Dataset]:
    """The source images named by a frame."""
    return [
        image
        for derivation in _group(header, groups, "DerivationImageSequence")
        for image in derivation.get("SourceImageSequence", [])
    ]


def _group(header: Dataset, groups: Dataset, keyword: str) -> Any:
    """A functional group of a frame, from its own or from the shared groups."""
    if keyword in groups:
        return groups[keyword].value
    shared = header.get("SharedFunctionalGroupsSequence")
    return shared[0].get(keyword, []) if shared else []


def _addresses(images: list[Dataset]) -> list[tuple[str, int]]:
    """SOP instance UID and frame, counted from 0, of each source image."""
    return [
        (str(image.ReferencedSOPInstanceUID), int(frame) - 1)
        for image in images
        for frame in _numbers(image.get("ReferencedFrameNumber"))
    ]


def _numbers(value: Any) -> list[int]:
    if value is None:
        return [1]
    return list(value) if isinstance(value, MultiValue) else [value]


def _problem(images: list[Dataset]) -> str:
    """Why a frame cannot be placed on an image; empty if it can."""
    addresses = _addresses(images)
    if len(addresses) != 1:
        return (
            f"A frame of the segmentation names {len(addresses)} source images; export it with exactly one "
            "source image per frame."
        )
    return ""
