"""Grids: the images of a study whose planes one Segmentation can share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import SecondaryCaptureImageStorage

from pipeline.exports.study import ExportedFrame, ExportedImage, ExportedStudy

PLANE: Final = ("FrameOfReferenceUID", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
"""What places a slice in the patient (PS3.3, C.7.6.2)."""
SHARED: Final = ("PlaneOrientationSequence", "PixelMeasuresSequence")
"""The same in the functional groups of an enhanced image, if its planes are parallel (C.7.6.16.2)."""


DIGITS: Final = 4
"""Of places in mm: planes that are nearer to each other lie at one."""


@dataclass(frozen=True, slots=True)
class SharedGrid:
    """Planes on which one object lies: those of a series, of an image with several frames, or one."""

    headers: tuple[Dataset, ...]
    frames: tuple[ExportedFrame, ...]
    plane_of: tuple[int, ...]
    """The plane of each frame."""
    planes: int
    owner: str
    """UID of the series or of the image."""
    numbers: tuple[int, ...] = ()
    """Frame numbers, from 1, in the image of the header's frames, if it was cut down to some; else empty."""
    stands_for: tuple[str, int | None] | None = None
    """SOP class and frame number, from 1, of the image whose header was cut down to a capture; else None."""

    def restore_references(self, dataset: Dataset) -> None:
        """Make references to a header that was cut down those to the frames that it stands for."""
        if self.numbers:
            for source in _sources(dataset):
                source.ReferencedFrameNumber = self.numbers[int(source.get("ReferencedFrameNumber") or 1) - 1]
        if self.stands_for is None:
            return
        sop_class, number = self.stands_for
        for series in dataset.ReferencedSeriesSequence:
            for instance in series.ReferencedInstanceSequence:
                instance.ReferencedSOPClassUID = sop_class
        for source in dataset.get("SourceImageSequence") or ():
            source.ReferencedSOPClassUID = sop_class
        for source in _sources(dataset):
            source.ReferencedSOPClassUID = sop_class
            if number is not None:
                source.ReferencedFrameNumber = number


def shared_grids(study: ExportedStudy) -> Iterator[SharedGrid]:
    """The grids of a study, in the order of their first images."""
    series: dict[tuple[object, ...], list[ExportedImage]] = {}
    for image in study.images:
        header = image.header
        is_slice = all(header.get(name) for name in PLANE) and frames_of(header) == 1
        key = _plane_key(header) if is_slice else (str(header.SOPInstanceUID),)
        series.setdefault(key, []).append(image)
    for together in series.values():
        places = [_place(one.header, one.header) for one in together] if len(together) > 1 else [0.0]
        for numbers in _passes(places):
            images = [together[number] for number in numbers]
            if len(images) > 1:
                yield _of_series(images)
            else:
                yield from _of_image(images[0])


def grid_of_image(header: Dataset) -> SharedGrid:
    """The grid of an image with one frame, of no case."""
    owner = str(header.SOPInstanceUID)
    if _has_planes(header):
        return SharedGrid((_with_thickness(header),), (), (0,), planes=1, owner=owner)
    single, of = _without_place(header), (str(header.SOPClassUID), None)
    return SharedGrid((single,), (), (0,), planes=1, owner=owner, stands_for=of)


def frames_of(header: Dataset) -> int:
    """Number of frames of an image."""
    return int(header.get("NumberOfFrames") or 1)


def _plane_key(header: Dataset) -> tuple[object, ...]:
    """What slices have in common that one object can hold."""
    orientation, spacing = tuple(header.ImageOrientationPatient), tuple(header.PixelSpacing)
    size = header.Rows, header.Columns, header.SOPClassUID
    return (header.SeriesInstanceUID, header.FrameOfReferenceUID, orientation, spacing, size)


def _of_series(images: list[ExportedImage]) -> SharedGrid:
    return SharedGrid(
        headers=tuple(_with_thickness(image.header) for image in images),
        frames=tuple(image.frames[0] for image in images),
        plane_of=tuple(range(len(images))),
        planes=len(images),
        owner=str(images[0].header.SeriesInstanceUID),
    )


def _of_image(image: ExportedImage) -> Iterator[SharedGrid]:
    """The grid of one image; of a loop, whose frames do not lie in the patient, one per frame."""
    header, owner = image.header, str(image.header.SOPInstanceUID)
    count = frames_of(header)
    if _has_planes(header):
        yield from _of_planes(image)
        return
    single = _without_place(header)
    for frame in image.frames:
        of = str(header.SOPClassUID), frame.frame + 1 if count > 1 else None
        yield SharedGrid((single,), (frame,), (0,), planes=1, owner=owner, stands_for=of)


def _of_planes(image: ExportedImage) -> Iterator[SharedGrid]:
    """The grids of an image whose frames lie in the patient: one, or one for each pass over its planes."""
    header, owner = image.header, str(image.header.SOPInstanceUID)
    groups = header.get("PerFrameFunctionalGroupsSequence") or ()
    passes = [[0]]
    if frames_of(header) > 1:
        orientation = header.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0]
        passes = _passes([_place(orientation, one.PlanePositionSequence[0]) for one in groups])
    for numbers in passes:
        frames = tuple(frame for frame in image.frames if frame.frame in numbers)
        if not frames:
            continue
        cut = _with_thickness(header)
        if len(passes) > 1:
            cut = deepcopy(header)
            cut.NumberOfFrames = len(numbers)
            cut.PerFrameFunctionalGroupsSequence = [
                cut.PerFrameFunctionalGroupsSequence[number] for number in numbers
            ]
        yield SharedGrid(
            headers=(cut,),
            frames=frames,
            plane_of=tuple(numbers.index(frame.frame) for frame in frames),
            planes=len(numbers),
            owner=owner,
            numbers=tuple(number + 1 for number in numbers) if len(passes) > 1 else (),
        )


def _passes(places: Sequence[float]) -> list[list[int]]:
    """Indices of planes, so that no two of a pass lie at the same place: the first at each, then the second.

    Echoes, phases and weightings repeat places, and planes of one Segmentation lie apart.
    """
    seen: Counter[float] = Counter()
    found: list[list[int]] = []
    for index, place in enumerate(places):
        if seen[place] == len(found):
            found.append([])
        found[seen[place]].append(index)
        seen[place] += 1
    return found


def _place(orientation: Dataset, position: Dataset) -> float:
    """Where a plane lies along its normal, in mm."""
    directions = np.asarray(orientation.ImageOrientationPatient, np.float64)
    normal = np.cross(directions[:3], directions[3:])
    return round(float(normal @ np.asarray(position.ImagePositionPatient, np.float64)), DIGITS)


def _sources(dataset: Dataset) -> Iterable[Dataset]:
    """The references of frames to what they were made of, once: segments share them."""
    return {
        id(source): source
        for groups in dataset.PerFrameFunctionalGroupsSequence
        for derivation in groups.get("DerivationImageSequence") or ()
        for source in derivation.SourceImageSequence
    }.values()


def _has_planes(header: Dataset) -> bool:
    """Whether every frame states where it lies in the patient, on planes that are parallel."""
    if not header.get("FrameOfReferenceUID"):
        return False
    if frames_of(header) == 1 and all(header.get(name) for name in PLANE):
        return True
    shared = (header.get("SharedFunctionalGroupsSequence") or [Dataset()])[0]
    frames = header.get("PerFrameFunctionalGroupsSequence") or ()
    return (
        len(frames) == frames_of(header)
        and all(name in shared for name in SHARED)
        and all("PlanePositionSequence" in groups for groups in frames)
    )


def _with_thickness(header: Dataset) -> Dataset:
    """The header with the thickness of its slice, if only as unknown."""
    if "SliceThickness" in header or frames_of(header) > 1:
        return header
    header = deepcopy(header)
    header.SliceThickness = None
    return header


def _without_place(header: Dataset) -> Dataset:
    """A copy as a capture: of other classes highdicom wants a place in the patient, or several frames."""
    header = deepcopy(header)
    header.SOPClassUID = SecondaryCaptureImageStorage
    for name in ("FrameOfReferenceUID", "NumberOfFrames"):
        header.pop(name, None)
    return header
