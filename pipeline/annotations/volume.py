"""Volume: masks in NIfTI, NRRD and MetaImage files of one slice, read by SimpleITK.

Orientation: voxel indices are taken as stored. The first (fastest) axis is x, to the right along the image's
row, the second y, down its column, as ITK-based tools (ITK-SNAP, 3D Slicer, SimpleITK) write the mask of a
DICOM image. The affine is not applied: a radiograph has none to compare it with. A file written from a (rows,
columns) array by nibabel or pynrrd has y first; say `first_axis: y`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

import numpy as np
import SimpleITK as sitk  # noqa: N813  the name its manual gives it
from numpy.typing import NDArray

from pipeline.annotations.masks import Instances, check_size, split
from pipeline.annotations.patterns import find_files
from pipeline.contracts import AnnotationFormat
from pipeline.errors import CaseError, ConfigError
from pipeline.records import AnnotationItem, Reference, Shape

Axis: TypeAlias = Literal["x", "y"]

READERS = {".gz": "NiftiImageIO", ".nii": "NiftiImageIO", ".nrrd": "NrrdImageIO", ".mha": "MetaImageIO"}

HEADER_BYTES = 65536
LINE = rb"[\t\x20-\x7e\x80-\xff]"
"""Of a header: no control character, in particular no carriage return alone, which ends a line for some."""
PLAIN_HEADERS = {
    ".nrrd": re.compile(rb"(NRRD\d{4}\r?\n(?:" + LINE + rb"+\r?\n)*?)\r?\n"),
    ".mha": re.compile(rb"((?:[\w |-]{1,80}=" + LINE + rb"{0,400}\r?\n)*?)ElementDataFile = LOCAL\r?\n"),
}
"""Suffix → a whole header; its first group must hold nothing of `ELSEWHERE`. MetaIO cuts lines at 500."""
ELSEWHERE = re.compile(rb"data[^:\n]{0,9}file", re.IGNORECASE)
"""What names the file of the values: "data file" in NRRD, "ElementDataFile" in MetaImage."""


def find(
    path: Path,
    *,
    pattern: str | tuple[str, ...] = ("{image}.nii.gz", "{image}.nii", "{image}.nrrd", "{image}.mha"),
    finding: str | None = None,
    reader: str = "reader",
    instances: Instances = "values",
    first_axis: Axis = "x",
) -> Iterator[AnnotationItem]:
    """Masks named by `pattern`, as for PNG; `first_axis` is that of the stored array."""
    for name in (pattern,) if isinstance(pattern, str) else pattern:
        if Path(name).suffix.lower() not in READERS:
            raise ConfigError(f"pattern: '{name}': is none of .nii.gz, .nii, .nrrd, .mha")
    payload = {"instances": instances, "first_axis": first_axis}
    return find_files(path, pattern, format="volume", finding=finding, reader=reader, payload=payload)


def read(item: AnnotationItem, *, case_id: str, finding: str, shape: Shape) -> Reference:
    """The mask's instances; a mask that is 0 everywhere says that the finding is not there.

    Raises CaseError: "annotation_unreadable", "mask_size", "not_a_mask".
    """
    file, transposed = Path(str(item.payload["path"])), item.payload["first_axis"] == "y"
    values = _slice(file, shape[::-1] if transposed else shape)
    masks = split(values.T if transposed else values, cast("Instances", item.payload["instances"]))
    return Reference(case_id, finding, item.reader, kind="mask", masks=masks)


def _slice(file: Path, shape: Shape) -> NDArray[np.generic]:
    """Values (y, x) of the only slice; the size is checked before decoding."""
    try:
        _refuse_other_files(file)
        reader: Any = sitk.ImageFileReader()  # type: ignore[no-untyped-call]  # its methods have no types
        reader.SetImageIO(READERS[file.suffix.lower()])
        reader.SetFileName(str(file))
        reader.ReadImageInformation()
        _check(reader, shape)
        values: NDArray[np.generic] = sitk.GetArrayFromImage(reader.Execute())
    except (OSError, RuntimeError) as error:
        raise CaseError(
            "annotation_unreadable", "The mask is not a readable NIfTI, NRRD or MetaImage file."
        ) from error
    if values.dtype.kind not in "biuf":
        raise CaseError("not_a_mask", "The mask holds values that are not plain numbers.")
    return values.reshape(shape)


def _check(reader: Any, shape: Shape) -> None:
    """Refuse anything but one slice of `shape` with one value a voxel."""
    columns, rows, *others = reader.GetSize()
    if any(length != 1 for length in others):
        raise CaseError("mask_size", "The mask has more than one slice, its image is flat.")
    check_size((rows, columns), shape)
    if reader.GetNumberOfComponents() != 1:
        raise CaseError("not_a_mask", "The mask holds several values a voxel; save one for each instance.")


def _refuse_other_files(file: Path) -> None:
    """Refuse a header that sends the reader to another file, which may lie anywhere on the disk.

    The readers end a line, skip one and cut one that is too long by rules of their own, so that only a header
    which leaves nothing to any such rule is let through.
    """
    plain = PLAIN_HEADERS.get(file.suffix.lower())
    if plain is None:
        return
    with file.open("rb") as stream:
        head = stream.read(HEADER_BYTES)
    header = plain.match(head)
    if header is None or ELSEWHERE.search(header[1]):
        raise CaseError(
            "annotation_unreadable",
            "The mask's header keeps its values in another file, or is not plain text of one entry a line; "
            "save the mask anew as one file.",
        )


VOLUME = AnnotationFormat(find=find, read=read)
