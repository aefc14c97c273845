"""SEG headers: which segment in which frame of a DICOM SEG lies on which image.

PS3.3 A.51 (the object), C.7.6.16.2 (functional groups), C.8.20 (segments).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.multival import MultiValue

from pipeline.contents import LARGEST_BYTES
from pipeline.errors import CaseError
from pipeline.inflation import refuse_inflation
from pipeline.records import Shape

NOT_ON_THE_SOURCE_GRID = frozenset({"NO", "REORIENTED_ONLY"})
"""Values of SpatialLocationsPreserved. Where it is absent the frame is taken to lie on its image's grid."""

MOST_PLANES = 2**18
"""Of segments in frames, or of findings on images, that a file may say something of; each is kept."""
HALF = 0.5
"""Of the maximum of a fractional segment: from here up a pixel is inside."""


@dataclass(frozen=True, slots=True)
class Target:
    """What an annotation is about."""

    image: str
    """SOP instance UID."""
    frame: int
    """Counted from 0."""
    finding: str | None


@dataclass(frozen=True, slots=True)
class Plane:
    """One segment in one frame of a SEG: stored values from `low` to `high`, both included, are inside."""

    index: int
    shape: Shape
    low: float
    high: float
    segment: tuple[str, int]
    """SOP instance UID of the SEG and segment number: planes of one segment are one instance."""


@dataclass
class Contents:
    """What a SEG file says."""

    planes: dict[Target, list[Plane]] = field(default_factory=dict)
    """An empty list: the finding is not there."""
    problems: dict[Target, tuple[str, str]] = field(default_factory=dict)
    """Why the planes of a target cannot be used: a reason and a sentence."""
    _count: int = 0

    def refuse(self, target: Target, reason: str, message: str) -> None:
        """Note that what is said of a target cannot be used."""
        self._say(target)
        self.problems[target] = reason, message

    def add(self, file: Path) -> None:
        """Gather what the file says; pydicom may raise anything where it is broken.

        What it warns of holds values of elements, and is not for a log. Raises CaseError: "too_large",
        "unreadable".
        """
        if file.stat().st_size > LARGEST_BYTES:
            raise CaseError("too_large", f"The segmentation is larger than {LARGEST_BYTES >> 20} MiB.")
        with file.open("rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            refuse_inflation(stream)
            stream.seek(0)
            self._add(dcmread(stream, stop_before_pixels=True))

    def _add(self, header: Dataset) -> None:
        findings = _findings(header)
        sources: dict[str, set[int]] = {uid: set() for uid in _referenced(header)}
        for index, groups in enumerate(header.PerFrameFunctionalGroupsSequence):
            planes = list(_planes(header, index, groups, findings))
            images = _images(header, groups)
            problem = _problem(images)
            for uid, frame in _addresses(images) or [(uid, 0) for uid in sources]:
                sources.setdefault(uid, set()).add(frame)
                for number, plane in planes:
                    target = Target(uid, frame, findings[number])
                    self._say(target, plane)
                    if problem:
                        self.refuse(target, "mask_not_joined", problem)
        for uid, frames in sources.items():
            for frame in frames or {0}:
                for finding in findings.values():
                    self._say(Target(uid, frame, finding))

    def _say(self, target: Target, *planes: Plane) -> None:
        self.planes.setdefault(target, []).extend(planes)
        self._count += len(planes)
        if max(self._count, len(self.planes)) > MOST_PLANES:
            message = f"The segmentation has more than {MOST_PLANES} segments in frames; write several files."
            raise CaseError("too_large", message)


def _findings(header: Dataset) -> dict[int, str]:
    """Segment number → label, without the background of a label map."""
    findings = {int(s.SegmentNumber): str(s.get("SegmentLabel", "")).strip() for s in header.SegmentSequence}
    if header.SegmentationType == "LABELMAP":
        findings.pop(int(header.get("PixelPaddingValue", 0)), None)
        findings.pop(0, None)
    return findings


def _referenced(header: Dataset) -> Iterator[str]:
    """SOP instance UIDs of all images that were looked at, segmented or not."""
    for series in header.get("ReferencedSeriesSequence", []):
        for image in series.get("ReferencedInstanceSequence", []):
            yield str(image.ReferencedSOPInstanceUID)


def _planes(
    header: Dataset, index: int, groups: Dataset, numbers: Iterable[int]
) -> Iterator[tuple[int, Plane]]:
    """Segment number and plane of each segment that a frame may hold."""
    uid, shape = str(header.SOPInstanceUID), (int(header.Rows), int(header.Columns))
    if header.SegmentationType == "LABELMAP":
        for number in numbers:
            yield number, Plane(index, shape, number, number, (uid, number))
        return
    number = int(_group(header, groups, "SegmentIdentificationSequence")[0].ReferencedSegmentNumber)
    fractional = header.SegmentationType == "FRACTIONAL"
    low = HALF * int(header.MaximumFractionalValue) if fractional else 1
    yield number, Plane(index, shape, low, math.inf, (uid, number))


def _images(header: Dataset, groups: Dataset) -> list[Dataset]:
    """The source images that a frame names."""
    return [
        image
        for derivation in _group(header, groups, "DerivationImageSequence")
        for image in derivation.get("SourceImageSequence", [])
    ]


def _group(header: Dataset, groups: Dataset, keyword: str) -> Any:
    """A functional group of a frame, which may stand with the shared ones."""
    if keyword in groups:
        return groups[keyword].value
    return header.SharedFunctionalGroupsSequence[0].get(keyword, [])


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
    """Why a frame cannot be put on an image, empty where it can."""
    addresses = _addresses(images)
    if len(addresses) != 1:
        return f"A frame of the segmentation names {len(addresses)} source images, wanted exactly one."
    if images[0].get("SpatialLocationsPreserved") in NOT_ON_THE_SOURCE_GRID:
        return "The segmentation does not lie on its image's grid (SpatialLocationsPreserved)."
    return ""
