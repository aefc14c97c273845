"""Parsed: a file's data set, read, hashed and parsed once for all of its frames."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TypeAlias

from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from pipeline.guards.reading import ANY_SIZE, open_file
from pipeline.loaders.dataset import LARGEST_FILE_BYTES, THE_FILE, parse_dataset
from pipeline.loaders.image_files import read_content, refuse_changed
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
    most = ANY_SIZE if source.member else LARGEST_FILE_BYTES
    with open_file(source.path, most_bytes=most, what=THE_FILE) as file:
        status = os.fstat(file.fileno())
    state = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    place = source.member.start if source.member else 0
    return (source.path, place, source.fingerprint, source.modified_ns, source.changed_ns, *state)


def _is_small(dataset: Dataset, size: int) -> bool:
    """Whether the data set of a file of `size` bytes can be kept; that of a deflated one may be any size."""
    pixels = len(pixel_bytes(dataset))
    deflated = dataset.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian
    return not deflated and pixels <= MOST_PIXEL_BYTES and size - pixels <= MOST_OTHER_BYTES


def _read(source: ImageSource) -> Content:
    data = read_content(source)
    refuse_changed(source, data)
    return Content(parse_dataset(data), hashlib.sha256(data).hexdigest())
