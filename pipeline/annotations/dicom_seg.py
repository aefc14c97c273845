"""DICOM SEG: segments matched to images by referenced SOP instance UID and frame, never by order.

A segment's label is the finding; segments with the same label are its instances. A SEG may omit empty frames,
so on an image that it references, a segment without a frame means that the finding is absent. A frame that
names several source images may not lie on the grid of any, and is refused. One that names none lies on the
image with its frame of reference and plane (PS3.3, A.51.5). A frame that covers a part of its image, or more
than it, is placed by the planes of both; one with pixels of another size only with `resample: nearest`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import numpy as np
from pydicom.pixels.utils import pixel_array

from pipeline.annotations.placing import LARGER, Placed, placed_by_planes
from pipeline.annotations.resampling import Resample, check_fit, on_grid
from pipeline.annotations.seg_files import segmentations
from pipeline.annotations.seg_headers import OFF_GRID, Contents, Plane, Target
from pipeline.annotations.source_files import path_below
from pipeline.contracts import AnnotationFormat, Executor
from pipeline.errors import CaseError, ConfigError
from pipeline.guards.file_hashes import LARGEST_BYTES
from pipeline.guards.reading import guarded, open_file
from pipeline.orientation import (
    AS_STORED,
    SAME_PIXEL,
    SAME_PLANE_MM,
    Turn,
    distance_px,
    height_mm,
    turn_between,
)
from pipeline.records import AnnotationItem, ImagePlane, Mask, Notice, Reference, Shape, file_stem

BITS_PER_BYTE = 8

OTHER_FRAME_OF_REFERENCE = (
    "Segmentations state another frame of reference than the images that they name; they are read as lying "
    "on the grids of these images."
)
OBLIQUE = (
    "The segmentation's plane orientation is not parallel to the rows and columns of its image; resample it "
    "to the grid of the image."
)
ELSEWHERE = (
    "The segmentation's plane position or pixel spacing differs from that of its image by more than half a "
    "pixel or half a millimetre; resample it to the grid of the image, or correct the image that it names."
)
OTHER_PIXELS = (
    "The mask has pixels that do not lie upon those of its image; set the source's key resample to nearest, "
    "or resample the segmentation to the grid of its image."
)


def find(
    path: Path,
    executor: Executor | None = None,
    *,
    folder: str = "",
    reader: str = "reader",
    resample: Resample = "refuse",
) -> Iterator[AnnotationItem]:
    """One item per image and segment label of the SEG files below `folder`, whatever their names.

    `executor` opens the files, so that one that exceeds a limit of time or memory is skipped. Segments with
    the same label in several files are instances of one finding. `resample`: what becomes of a frame with
    pixels of another size than its image. Raises ConfigError if there is no SEG.
    """
    files = segmentations(path_below(path, folder) if folder else path)
    if not files:
        raise ConfigError(
            f"{path / folder}: holds no DICOM SEG file; check `annotations.path` and the source's `folder`"
        )
    found: dict[Target, list[tuple[Path, tuple[Plane, ...]]]] = {}
    problems: dict[Target, tuple[str, str]] = {}
    for file, contents in zip(files, _headers(files, executor), strict=True):
        problems |= contents.problems
        for target, planes in contents.planes.items():
            found.setdefault(target, []).append((file, tuple(planes)))
    for target, parts in found.items():
        payload = {
            "paths": tuple(str(file) for file, _ in parts),
            "planes": tuple(planes for _, planes in parts),  # one tuple per path
            "problem": problems.get(target),
            "resample": resample,
        }
        yield AnnotationItem(
            "dicom_seg", target.image, target.finding, reader, payload, target.frame, place=target.place
        )


def read(item: AnnotationItem, *, case_id: str, finding: str, shape: Shape) -> Reference:
    """The segments, one instance each; without any, the finding is absent.

    Raises CaseError: "mask_not_joined" (not exactly one source image, or not on its grid), "mask_size",
    "annotation_unreadable".
    """
    if item.payload["problem"]:
        raise CaseError(*cast("tuple[str, str]", item.payload["problem"]))
    paths = cast("tuple[str, ...]", item.payload["paths"])
    parts = cast("tuple[tuple[Plane, ...], ...]", item.payload["planes"])
    resample = cast("Resample", item.payload.get("resample", "refuse"))
    instances: dict[tuple[str, int], Mask] = {}
    notices: dict[str, None] = {}
    for path, planes in zip(paths, parts, strict=True):
        for plane in planes:
            turn, warnings = _turn(plane, item.plane, shape, resample)
            notices |= dict.fromkeys(warnings)
            (mask,) = on_grid((turn.of(_mask(path, plane)),), shape)
            instances[plane.segment] = mask | instances.get(plane.segment, mask)
    masks = tuple(mask for mask in instances.values() if mask.any())
    said = tuple(Notice("warning", "annotations.sources", message) for message in notices)
    return Reference(case_id, finding, item.reader, "mask", masks, notices=said)


def _headers(files: Sequence[Path], executor: Executor | None) -> Iterator[Contents]:
    """The contents of each file, or the reason why it cannot be used."""
    if executor:
        yield from executor.stream(_contents, files, on_failure=_unusable)
        return
    for file in files:
        try:
            yield _contents(file)
        except CaseError as error:
            yield _unusable(file, error)


def _contents(file: Path) -> Contents:
    """The contents of one file. Raises CaseError."""
    contents = Contents()
    contents.add(file)
    return contents


def _unusable(file: Path, error: CaseError) -> Contents:
    """Contents with only the reason, under the file's name because its images are unknown."""
    contents = Contents()
    contents.refuse(Target(file_stem(file.name), 0, None), error.reason, error.message)
    return contents


def _turn(
    plane: Plane, image: ImagePlane | None, shape: Shape, resample: Resample
) -> tuple[Turn | Placed, tuple[str, ...]]:
    """How a frame comes to lie as its image of `shape`, and warnings.

    Raises CaseError "mask_size", or "mask_not_joined" if the frame lies elsewhere.
    """
    place = plane.place
    if plane.off_grid and not _comparable(place, image):
        raise CaseError("mask_not_joined", OFF_GRID)
    if place is None or image is None:
        check_fit(plane.shape, shape, resample)
        return AS_STORED, ()
    if place.frame_of_reference != image.frame_of_reference:
        check_fit(plane.shape, shape, resample)
        return AS_STORED, (OTHER_FRAME_OF_REFERENCE,)
    turn = turn_between(place, image)
    if turn is None:
        raise CaseError("mask_not_joined", OBLIQUE)
    has_size = turn.shape(plane.shape) == shape
    shift, height = distance_px(place, image, shape=plane.shape, turn=turn), height_mm(place, image)
    if has_size and not (shift > SAME_PIXEL or height > SAME_PLANE_MM):
        return turn, ()
    part = placed_by_planes(place, image, shape=plane.shape, on=shape, turn=turn)
    if part and (resample == "nearest" or (part.is_exact and not has_size)):
        return part, () if part.is_inside else (LARGER,)
    if has_size or (part is None and _comparable(place, image)):
        raise CaseError("mask_not_joined", ELSEWHERE)
    if part:
        raise CaseError("mask_size", OTHER_PIXELS)
    check_fit(turn.shape(plane.shape), shape, resample)
    return turn, ()


def _comparable(place: ImagePlane | None, image: ImagePlane | None) -> bool:
    """Whether two planes show how their grids lie to each other."""
    if place is None or image is None or place.frame_of_reference != image.frame_of_reference:
        return False
    known = (place.position, image.position, place.spacing_mm, image.spacing_mm)
    return place.frame_of_reference != "" and None not in known


def _mask(path: str, plane: Plane) -> Mask:
    """The pixels of one segment in one frame, as stored."""
    rows, columns = plane.shape
    message = "The segmentation's pixels cannot be decoded; export it again without compression."
    with (
        open_file(path, most_bytes=LARGEST_BYTES, what="The segmentation") as stream,
        guarded("annotation_unreadable", message),
    ):
        # pydicom 3.0.2 misreads single frames that start within a byte, so all frames are decoded at once.
        if rows * columns % BITS_PER_BYTE:
            values = pixel_array(stream, raw=True).reshape(-1, rows, columns)[plane.index]
        else:
            values = pixel_array(stream, index=plane.index, raw=True)
    return np.asarray((values >= plane.low) & (values <= plane.high))


DICOM_SEG = AnnotationFormat(find=find, read=read, kind="mask", opens_files=True)
