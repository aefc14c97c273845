"""Parsed: a file's data set, read, hashed and parsed once for all of its frames."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from pipeline.errors import CaseError
from pipeline.guards.reading import open_file
from pipeline.loaders.dataset import (
    LARGEST_FILE_BYTES,
    THE_FILE,
    fingerprint,
    is_fully_hashed,
    parse_dataset,
    read_bytes,
    refusing,
)
from pipeline.loaders.offsets import add_offsets, pixel_bytes
from pipeline.records import ImageSource

MOST_PIXEL_BYTES, MOST_OTHER_BYTES = 2**28, 2**23
"""Pixel data and other elements of a file that is kept; larger ones are read again for each frame.

A worker keeps a file while it finishes images of others, which must not lack memory. Elements take some 30
times as much memory as in the file.
"""


@dataclass(frozen=True, slots=True)
class Content:
    """A file that is as it was listed."""

    dataset: Dataset
    """All elements, for reading only: other frames get the same data set."""
    sha256: str
    """Of all bytes."""


Key: TypeAlias = tuple[str | int, ...]
"""What identifies a file and its state: path, listing, inode, size and times."""
_latest: dict[Key, Content] = {}
"""The content of at most one file: the frames of a file follow each other."""


def content_of(source: ImageSource) -> Content:
    """The content of the image's file; that of a file with several frames is kept for the next one.

    Raises CaseError: "file_changed", "unreadable", "not_a_file", "not_dicom", "too_large".
    """
    if source.frames == 1:
        _latest.clear()
        return _read(source)
    key = _key(source)
    if key not in _latest:
        _latest.clear()  # before the next file is read, so that two are never in memory
        found = _read(source)
        if not _is_small(found.dataset, source.size_bytes):
            return found
        add_offsets(found.dataset, source.frames)
        _latest[key] = found
    return _latest[key]


def _key(source: ImageSource) -> Key:
    """The ctime changes with every change of the file, even if size and mtime are put back."""
    with open_file(source.path, most_bytes=LARGEST_FILE_BYTES, what=THE_FILE) as file:
        status = os.fstat(file.fileno())
    state = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return (source.path, source.fingerprint, source.modified_ns, source.changed_ns, *state)


def _is_small(dataset: Dataset, size: int) -> bool:
    """Whether the data set of a file of `size` bytes can be kept; that of a deflated one may be any size."""
    pixels = len(pixel_bytes(dataset))
    deflated = dataset.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian
    return not deflated and pixels <= MOST_PIXEL_BYTES and size - pixels <= MOST_OTHER_BYTES


def _read(source: ImageSource) -> Content:
    path = Path(source.path)
    data = read_bytes(path)
    if source.fingerprint and _has_changed(path, data, source):
        raise CaseError("file_changed", "the file changed after the folder was listed; start the run again")
    return Content(parse_dataset(data), hashlib.sha256(data).hexdigest())


def _has_changed(path: Path, data: bytes, source: ImageSource) -> bool:
    """Whether the file changed since it was listed.

    Files too large to be hashed completely are also compared by ctime, because mtime can be reset. Changed
    permissions or a new hard link therefore count as a change; the next run accepts the file.
    """
    with refusing("unreadable", "the file cannot be read"):
        status = path.stat()
    if status.st_mtime_ns != source.modified_ns or fingerprint(BytesIO(data)) != source.fingerprint:
        return True
    return not is_fully_hashed(len(data)) and status.st_ctime_ns != source.changed_ns
