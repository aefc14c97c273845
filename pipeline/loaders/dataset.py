"""Dataset: bytes of a file → a DICOM data set with a known transfer syntax, or the reason for refusing it."""

from __future__ import annotations

import hashlib
import os
import struct
from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag, Tag
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pydicom.valuerep import VR

from pipeline.errors import CaseError
from pipeline.guards.deflate import refuse_decompression_bomb
from pipeline.guards.reading import guarded, read_file
from pipeline.loaders.foreign import HEAD_BYTES, foreign_format
from pipeline.loaders.truncation import AvailablePixels, PixelElement, available_pixels

LARGEST_FILE_BYTES = 2**31
"""Upper limit, because the files of several workers must fit into memory together."""
THE_FILE = "the file"
"""Subject of messages."""
NOT_DICOM = "the file is not DICOM, and of no other known format"
_PREFIX = slice(128, 132)
"""Position of "DICM", PS3.10, 7.1."""
_ENDS_BYTES = 2**21
_FIRST_GROUPS = (0x0002, 0x0008)
"""Groups with which a data set without preamble begins."""
_PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_EVIDENCE = ("SOPClassUID", "Modality", "Rows", "StudyInstanceUID", "MediaStorageSOPClassUID")
"""A file without the prefix "DICM" counts as DICOM if it has one of these elements."""
_VALUE_REPRESENTATIONS = frozenset(
    representation.value.encode() for representation in VR if len(representation.value) == len("VR")
)


def refusing(reason: str, message: str) -> AbstractContextManager[None]:
    """Turn any exception inside the block into `CaseError(reason)`; warnings are dropped."""
    return guarded(reason, f"{message}; export the file again")


def read_elements(file: BinaryIO, keywords: list[str]) -> tuple[Dataset, AvailablePixels | None]:
    """The named elements of a file before its pixels, and its pixel data, if there are any.

    Raises CaseError "unreadable", "not_dicom" or "too_large" (inflated).
    """
    file.seek(0)
    _refuse_non_dicom(file.read(HEAD_BYTES))
    dataset, pixels = _parsed(file, keywords=keywords)
    deflated = dataset.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian
    return dataset, None if pixels is None else available_pixels(file, pixels, deflated=deflated)


def fingerprint(file: BinaryIO) -> str:
    """A hash over a file's size, beginning and end, to detect that the file changed.

    Files of up to 4 MiB are hashed completely. Hashing larger files completely would double the reading time
    of a run; a change in their middle is detected by the file system's times, see `is_fully_hashed`.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    digest = hashlib.sha256(f"{size} ".encode() + file.read(_ENDS_BYTES))
    file.seek(max(_ENDS_BYTES, size - _ENDS_BYTES))
    digest.update(file.read(_ENDS_BYTES))
    return digest.hexdigest()


def is_fully_hashed(size: int) -> bool:
    """Whether the fingerprint of a file of `size` bytes covers all of them."""
    return size <= 2 * _ENDS_BYTES


def read_bytes(path: Path) -> bytes:
    """All bytes of the file. Raises CaseError "not_a_file", "unreadable" or "too_large"."""
    return read_file(path, most_bytes=LARGEST_FILE_BYTES, what=THE_FILE, remedy="export it as several files")


def parse_dataset(data: bytes) -> Dataset:
    """All elements of a file, from its bytes. Raises CaseError "not_dicom", "unreadable" or "too_large"."""
    _refuse_non_dicom(data[:HEAD_BYTES])
    return _parsed(BytesIO(data), keywords=None)[0]


def _refuse_non_dicom(head: bytes) -> None:
    if not head:
        raise CaseError("not_dicom", "the file is empty")
    if head[_PREFIX] != b"DICM" and not _begins_like_a_data_set(head):
        found = foreign_format(head)
        raise CaseError(
            "not_dicom", f"the file is {found.name}, which is not read as an image" if found else NOT_DICOM
        )


def _begins_like_a_data_set(head: bytes) -> bool:
    """Whether the first element has a plausible tag and a known value representation or a short value."""
    if len(head) < len("ggeeVVll"):
        return False
    little = struct.unpack("<HH", head[:4])
    if head[4:6] in _VALUE_REPRESENTATIONS:
        return little[0] in _FIRST_GROUPS or struct.unpack(">H", head[:2])[0] in _FIRST_GROUPS
    length = struct.unpack("<I", head[4:8])[0]
    return little[0] in _FIRST_GROUPS and little[1] <= 0x0100 and length <= 1024  # noqa: PLR2004 – a UID or code


def _parsed(file: BinaryIO, *, keywords: list[str] | None) -> tuple[Dataset, PixelElement | None]:
    found: list[PixelElement] = []

    def at_pixels(tag: BaseTag, _vr: str | None, length: int) -> bool:
        if tag not in _PIXEL_TAGS:
            return False
        if length != 0:
            found.append(PixelElement(int(tag), file.tell(), length))
        return keywords is not None

    tags: list[BaseTag | int] | None = None if keywords is None else [Tag(name) for name in keywords]
    with refusing("unreadable", "the file begins like DICOM but cannot be parsed"):
        file.seek(0)
        prefixed = file.read(132)[_PREFIX] == b"DICM"
        refuse_decompression_bomb(file)
        file.seek(0)
        dataset = read_partial(file, stop_when=at_pixels, force=True, specific_tags=tags)
        if not prefixed and not any(name in dataset or name in dataset.file_meta for name in _EVIDENCE):
            raise CaseError("not_dicom", NOT_DICOM)
        dataset.file_meta = _with_transfer_syntax(dataset)
    return dataset, found[0] if found else None


def _with_transfer_syntax(dataset: Dataset) -> FileMetaDataset:
    """The file meta group; a missing transfer syntax is filled in from the encoding that was detected."""
    meta = dataset.file_meta
    if not meta.get("TransferSyntaxUID"):
        implicit, little = dataset.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else explicit
    return meta
