"""Parsed: a DICOM file's data set, read, hashed and parsed once for all of its frames."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TypeAlias

from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian

from pipeline.guards.reading import ANY_SIZE, open_file
from pipeline.loaders.dataset import THE_FILE
from pipeline.loaders.offsets import add_offsets, pixel_bytes
from pipeline.records import ImageSource

MOST_PIXEL_BYTES, MOST_OTHER_BYTES = 2**28, 2**23
"""Pixel data and other elements of a file that is kept; larger ones are read again for each frame.

A worker keeps a file while it finishes images of others, which must not lack memory. Elements take some 30
times as much memory as in the file.
"""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file that is as it was listed."""

    dataset: Dataset
    """All elements, for reading only: other frames get the same data set."""
    sha256: str
    """Of all bytes."""


Key: TypeAlias = tuple[object, ...]
"""What identifies a file and its state: path, member, listing, inode, size and times."""
_latest: dict[Key, Parsed] = {}
"""The content of at most one file: the frames of a file follow each other."""


def kept(source: ImageSource) -> Parsed | None:
    """The content of the image's file, if it was kept; else the content of another file is let go.

    Raises CaseError as `open_file` does.
    """
    found = _latest.get(_key(source)) if source.frames > 1 and _latest else None
    if found is None:
        _latest.clear()  # before the next file is read, so that two are never in memory
    return found


def keep(source: ImageSource, parsed: Parsed) -> None:
    """Keep the content of a file of several frames for the next one, if it is small."""
    if source.frames > 1 and _is_small(parsed.dataset, source.size_bytes):
        add_offsets(parsed.dataset, source.frames)
        _latest[_key(source)] = parsed


def _key(source: ImageSource) -> Key:
    """The ctime changes with every change of the file, even if size and mtime are put back."""
    with open_file(source.path, most_bytes=ANY_SIZE, what=THE_FILE) as file:
        status = os.fstat(file.fileno())
    state = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return (source.path, source.member, source.fingerprint, source.modified_ns, source.changed_ns, *state)


def _is_small(dataset: Dataset, size: int) -> bool:
    """Whether the data set of a file of `size` bytes can be kept; that of a deflated one may be any size."""
    pixels = len(pixel_bytes(dataset))
    deflated = dataset.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian
    return not deflated and pixels <= MOST_PIXEL_BYTES and size - pixels <= MOST_OTHER_BYTES
