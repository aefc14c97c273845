"""DICOM files: headers of annotation files, read within bounds, and the images that they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_partial
from pydicom.multival import MultiValue

from pipeline.annotations.dicom_kinds import files_of_kind
from pipeline.annotations.shapes import Drawn, InPatient, Polygon
from pipeline.annotations.source_files import path_below
from pipeline.annotations.tool_files import Read, items_from
from pipeline.contracts import Executor
from pipeline.errors import CaseError, ConfigError
from pipeline.guards.deflate import refuse_decompression_bomb
from pipeline.guards.file_hashes import LARGEST_BYTES
from pipeline.guards.reading import guarded, open_file
from pipeline.records import AnnotationItem

UNREADABLE = "cannot be read as DICOM, or lacks elements that its kind has; export it again"
MOST_BYTES = 2**26
"""Coordinates in one file, which are kept until their image is read: some 5 million points."""
PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
MOST_OBJECTS = 2**17
"""Contours or graphics in one file."""


class Named(NamedTuple):
    """An image that a file refers to."""

    uid: str
    """SOP instance UID."""
    frame: int | None
    """Counted from 0; None: the file names no frame."""


def bounded(drawn: Iterable[Drawn]) -> Iterator[Drawn]:
    """The shapes of one file. Raises CaseError "too_large" if there are more than can be kept."""
    size = 0
    for count, one in enumerate(drawn, start=1):
        kept = one.geometry
        size += sum(map(len, kept.contours)) if isinstance(kept, InPatient) else 0
        size += sum(map(len, kept.parts)) if isinstance(kept, Polygon) else 0
        if count > MOST_OBJECTS or size > MOST_BYTES:
            raise CaseError(
                "too_large",
                f"has more than {MOST_OBJECTS:,} contours or {MOST_BYTES >> 20} MiB of coordinates; split it "
                "into several files",
            )
        yield one


def items_of_kind(
    name: str, path: Path, read: Read, *, folder: str, reader: str, executor: Executor | None
) -> Iterator[AnnotationItem]:
    """The items of the DICOM files of the format `name` below `folder`. Raises ConfigError without files."""
    root = path_below(path, folder) if folder else path
    files = files_of_kind(name, root) if root.exists() else []
    if not files:
        raise ConfigError(
            f"{root}: holds no {name} files; check `annotations.path` and the source's `folder`"
        )
    yield from items_from(name, path, read, files=files, reader=reader, executor=executor)


@contextmanager
def opened_header(file: Path) -> Iterator[Dataset]:
    """The data set without pixels; whatever is raised inside is CaseError "annotation_unreadable"."""
    with open_file(file, most_bytes=LARGEST_BYTES) as stream, guarded("annotation_unreadable", UNREADABLE):
        refuse_decompression_bomb(stream)
        stream.seek(0)
        yield read_partial(stream, stop_when=_InOrder())


def named_images(references: Sequence[Dataset]) -> list[Named]:
    """The images of a sequence of references, one entry per frame."""
    return [
        Named(str(image.ReferencedSOPInstanceUID), frame)
        for image in references
        for frame in _frames(image.get("ReferencedFrameNumber"))
    ]


def numbers_in(dataset: Dataset, keyword: str) -> NDArray[np.float64]:
    """The numbers of an element in text or in single precision; empty if it is absent or empty.

    pydicom would make an object of each number, a hundred bytes and more for millions of them.
    """
    if keyword not in dataset:
        return np.zeros(0)
    element = dataset.get_item(keyword)
    if not isinstance(element, RawDataElement):
        return np.atleast_1d(np.array(dataset[keyword].value, np.float64))
    content = element.value or b""
    if dictionary_VR(keyword) == "FL":
        numbers = np.frombuffer(content, "<f4" if element.is_little_endian else ">f4")
        return numbers.astype(np.float64)
    text = content.strip(b" \0")
    return np.array([float(part) for part in text.split(b"\\")] if text else [])


def text_in(dataset: Dataset, keyword: str) -> str:
    """The value of an element as text; empty if it is absent."""
    value = dataset.get(keyword)
    return "" if value is None else str(value).strip()


class _InOrder:
    """Ends the data set at its pixels, and refuses what is not in rising order, as zeros are (PS3.5, 7.1)."""

    def __init__(self) -> None:
        self._last = 0

    def __call__(self, tag: int, _kind: str | None, _length: int) -> bool:
        if tag in PIXELS:
            return True
        if tag <= self._last:
            raise ValueError("the elements are not in rising order")
        self._last = tag
        return False


def _frames(value: Any) -> list[int | None]:
    if value is None or value == "":
        return [None]
    several = value if isinstance(value, MultiValue) else [value]
    return [int(frame) - 1 for frame in several]
