"""Dataset: bytes of a file → a DICOM data set with a known transfer syntax, or the reason for refusing it."""

from __future__ import annotations

import hashlib
import os
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO, FileIO
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
from pipeline.loaders.foreign import HEAD_BYTES, foreign_format
from pipeline.loaders.truncation import AvailablePixels, PixelElement, available_pixels

LARGEST_FILE_BYTES = 2**31
"""Upper limit, because the files of several workers must fit into memory together."""
_PREFIX = slice(128, 132)
"""Position of "DICM", PS3.10, 7.1."""
_LARGE_READ = 2**20
_ENDS_BYTES = 2**21
_FIRST_GROUPS = (0x0002, 0x0008)
"""Groups with which a data set without preamble begins."""
_PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_EVIDENCE = ("SOPClassUID", "Modality", "Rows", "StudyInstanceUID", "MediaStorageSOPClassUID")
"""A file without the prefix "DICM" counts as DICOM if it has one of these elements."""
_VALUE_REPRESENTATIONS = frozenset(
    representation.value.encode() for representation in VR if len(representation.value) == len("VR")
)


@contextmanager
def refusing(reason: str, message: str) -> Iterator[None]:
    """Turn any exception inside the block into `CaseError(reason)`; warnings are dropped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except (CaseError, KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except MemoryError as error:
            message = f"{message} (not enough memory); raise limits.memory_mb, or leave the file out"
            raise CaseError("out_of_memory", message) from error
        except BaseException as error:  # a panic of a decoder in Rust is not an Exception
            raise CaseError(reason, f"{message}; export the file again") from error


def open_header(path: Path, keywords: list[str]) -> tuple[Dataset, AvailablePixels | None, str]:
    """The named elements before the pixels, the available pixel data (None: none), and the fingerprint."""
    with reading(), _Bounded(FileIO(path)) as file:
        _refuse_non_dicom(file.read(HEAD_BYTES))
        dataset, pixels = _parsed(file, keywords=keywords)
        deflated = dataset.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian
        available = None if pixels is None else available_pixels(file, pixels, deflated=deflated)
        return dataset, available, fingerprint(file)


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
    """All bytes of the file. Raises CaseError "unreadable" or "too_large"."""
    with reading():
        if path.stat().st_size > LARGEST_FILE_BYTES:
            message = f"the file is larger than {LARGEST_FILE_BYTES >> 20} MiB; export it as several files"
            raise CaseError("too_large", message)
        return path.read_bytes()


def parse_dataset(data: bytes) -> Dataset:
    """All elements of a file, from its bytes. Raises CaseError "not_dicom", "unreadable" or "too_large"."""
    _refuse_non_dicom(data[:HEAD_BYTES])
    return _parsed(BytesIO(data), keywords=None)[0]


class _Bounded(BufferedReader):
    """A file whose reads are limited to its size, because a length in a header may claim gigabytes."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes, never more than the file has left."""
        if size is not None and size > _LARGE_READ:
            size = min(size, max(0, os.fstat(self.fileno()).st_size - self.tell()))
        return super().read(size)


@contextmanager
def reading() -> Iterator[None]:
    """Turn an OSError inside the block into `CaseError("unreadable")`."""
    try:
        yield
    except OSError as error:
        message = f"the file cannot be read ({error.strerror}); check its permissions"
        raise CaseError("unreadable", message) from error


def _refuse_non_dicom(head: bytes) -> None:
    if not head:
        raise CaseError("not_dicom", "the file is empty")
    if head[_PREFIX] != b"DICM" and not _begins_like_a_data_set(head):
        found = foreign_format(head)
        raise CaseError(
            "not_dicom", f"the file is {found.name}, not DICOM" if found else "the file is not DICOM"
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
        if tag in _PIXEL_TAGS and length != 0:
            found.append(PixelElement(int(tag), file.tell(), length))
        return tag in _PIXEL_TAGS and keywords is not None

    tags: list[BaseTag | int] | None = None if keywords is None else [Tag(name) for name in keywords]
    with refusing("unreadable", "the file begins like DICOM but cannot be parsed"):
        file.seek(0)
        prefixed = file.read(132)[_PREFIX] == b"DICM"
        refuse_decompression_bomb(file)
        file.seek(0)
        dataset = read_partial(file, stop_when=at_pixels, force=True, specific_tags=tags)
        if not prefixed and not any(name in dataset or name in dataset.file_meta for name in _EVIDENCE):
            raise CaseError("not_dicom", "the file is not DICOM")
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
