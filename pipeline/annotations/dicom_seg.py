"""DICOM SEG: segments joined to images by referenced SOP instance UID and frame, never by order.

A segment's label is the finding; segments with the same label are instances of it. Frames that hold nothing
may be left out of a SEG: on an image that it refers to, a segment without a frame is "not there". Each frame
must name one source image, as highdicom wants it too: derived from several, it may lie on no grid of theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
from pydicom.pixels.utils import pixel_array

from pipeline.annotations.masks import check_size
from pipeline.annotations.seg_files import segmentations
from pipeline.annotations.seg_headers import Contents, Plane, Target
from pipeline.annotations.source_files import inside
from pipeline.contracts import AnnotationFormat, Executor, Loss
from pipeline.errors import CaseError, ConfigError
from pipeline.records import AnnotationItem, Mask, Reference, Shape, file_stem

BITS_A_BYTE = 8

UNREADABLE = "A segmentation's header cannot be read, or says nothing about its frames one by one."

LOST = "To read a segmentation's header took more time or memory than limits allows."


def find(
    path: Path, executor: Executor | None = None, *, folder: str = "", reader: str = "reader"
) -> Iterator[AnnotationItem]:
    """An item for each image and segment label of the SEG files below `folder`, whatever they are called.

    Each file is opened where `executor` works, so that one which takes too long or too much is set aside.
    Segments of several files with one label are instances side by side. ConfigError where there is no SEG.
    """
    files = segmentations(inside(path, folder) if folder else path)
    if not files:
        raise ConfigError(f"{path / folder}: holds no DICOM SEG file")
    said: dict[Target, list[tuple[Path, tuple[Plane, ...]]]] = {}
    problems: dict[Target, tuple[str, str]] = {}
    found = executor.stream(_contents, files, lost=_lost) if executor else map(_contents, files)
    for file, contents in zip(files, found, strict=True):
        problems |= contents.problems
        for target, planes in contents.planes.items():
            said.setdefault(target, []).append((file, tuple(planes)))
    for target, parts in said.items():
        payload = {
            "paths": tuple(str(file) for file, _ in parts),
            "planes": tuple(planes for _, planes in parts),  # of each path
            "problem": problems.get(target),
        }
        yield AnnotationItem("dicom_seg", target.image, target.finding, reader, payload, target.frame)


def read(item: AnnotationItem, *, case_id: str, finding: str, shape: Shape) -> Reference:
    """The segments, each an instance; without any the finding is not there.

    Raises CaseError: "mask_not_joined" (a frame of several source images, or not on their grid), "mask_size",
    "annotation_unreadable".
    """
    if item.payload["problem"]:
        raise CaseError(*cast("tuple[str, str]", item.payload["problem"]))
    paths = cast("tuple[str, ...]", item.payload["paths"])
    parts = cast("tuple[tuple[Plane, ...], ...]", item.payload["planes"])
    instances: dict[tuple[str, int], Mask] = {}
    for path, planes in zip(paths, parts, strict=True):
        for plane in planes:
            mask = _mask(path, plane, shape)
            instances[plane.segment] = mask | instances.get(plane.segment, mask)
    masks = tuple(mask for mask in instances.values() if mask.any())
    return Reference(case_id, finding, item.reader, kind="mask", masks=masks)


def _contents(file: Path) -> Contents:
    """What one file says, or that it cannot be read."""
    contents = Contents()
    try:
        contents.add(file)
    except MemoryError:
        return _unusable(file, "out_of_memory", LOST)
    except CaseError as error:
        return _unusable(file, error.reason, error.message)
    except Exception:  # noqa: BLE001  pydicom raises whatever it likes on a broken file, which is listed
        return _unusable(file, "annotation_unreadable", UNREADABLE)
    return contents


def _lost(file: Path, why: Loss) -> Contents:
    return _unusable(file, why, LOST)


def _unusable(file: Path, reason: str, message: str) -> Contents:
    """Nothing but why; the file stands for its image."""
    contents = Contents()
    contents.refuse(Target(file_stem(file.name), 0, None), reason, message)
    return contents


def _mask(path: str, plane: Plane, shape: Shape) -> Mask:
    """The pixels of one segment in one frame."""
    check_size(plane.shape, shape)
    rows, columns = shape
    try:
        # pydicom (3.0.2) mixes up the bits of frames that begin within a byte, unless it decodes all at once.
        if rows * columns % BITS_A_BYTE:
            values = pixel_array(path, raw=True).reshape(-1, rows, columns)[plane.index]
        else:
            values = pixel_array(path, index=plane.index, raw=True)
    except Exception as error:  # decoders are plug-ins and raise whatever they like
        raise CaseError("annotation_unreadable", "The segmentation's pixels cannot be decoded.") from error
    return np.asarray((values >= plane.low) & (values <= plane.high))


DICOM_SEG = AnnotationFormat(find=find, read=read, opens_files=True)
