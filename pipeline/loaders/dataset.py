"""Dataset: bytes of a file → a DICOM data set whose encoding is known, or the reason why not."""

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
from pipeline.inflation import refuse_inflation
from pipeline.loaders.wholeness import HeldPixels, PixelElement, held_pixels

LARGEST_FILE_BYTES = 2**31
"""More would not fit beside its neighbours in memory."""
_PREFIX = slice(128, 132)
"""Where "DICM" stands, PS3.10, 7.1."""
_LARGE_READ = 2**20
_ENDS_BYTES = 2**21
_FIRST_GROUPS = (0x0002, 0x0008)
"""With which a data set without preamble begins."""
_PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
_EVIDENCE = ("SOPClassUID", "Modality", "Rows", "StudyInstanceUID", "MediaStorageSOPClassUID")
"""One of these shows that bytes without the prefix "DICM" are DICOM after all."""
_VALUE_REPRESENTATIONS = frozenset(
    representation.value.encode() for representation in VR if len(representation.value) == len("VR")
)


@contextmanager
def refusing(reason: str, message: str) -> Iterator[None]:
    """Whatever a library raises over malformed bytes becomes `CaseError(reason)`; warnings are dropped."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except (CaseError, KeyboardInterrupt, SystemExit, GeneratorExit):
            raise
        except MemoryError as error:
            raise CaseError("out_of_memory", f"{message}: it asks for too much memory") from error
        except BaseException as error:  # a decoder in Rust panics with what is no Exception
            raise CaseError(reason, f"{message} ({type(error).__name__})") from error


def open_header(path: Path, keywords: list[str]) -> tuple[Dataset, HeldPixels | None, str]:
    """The named elements before the pixels, what there is of the pixels (None: nothing), the fingerprint."""
    with reading(), _Bounded(FileIO(path)) as file:
        _refuse_foreign(file.read(132))
        dataset, pixels = _parsed(file, keywords=keywords)
        deflated = dataset.file_meta.TransferSyntaxUID == DeflatedExplicitVRLittleEndian
        held = None if pixels is None else held_pixels(file, pixels, deflated=deflated)
        return dataset, held, fingerprint(file)


def fingerprint(file: BinaryIO) -> str:
    """A hash over a file's size, its beginning and its end, which tells whether it is still the same file.

    Files of up to 4 MiB are hashed whole. To read larger ones twice would take a run's time twice: there, a
    change in the middle shows in the times that the file system keeps, see `is_hashed_whole`.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    digest = hashlib.sha256(f"{size} ".encode() + file.read(_ENDS_BYTES))
    file.seek(max(_ENDS_BYTES, size - _ENDS_BYTES))
    digest.update(file.read(_ENDS_BYTES))
    return digest.hexdigest()


def is_hashed_whole(size: int) -> bool:
    """Whether the fingerprint of a file of that many bytes is of all of them."""
    return size <= 2 * _ENDS_BYTES


def read_bytes(path: Path) -> bytes:
    """All bytes of the file; raises CaseError "unreadable" or "too_large"."""
    with reading():
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise CaseError("too_large", f"the file is larger than {LARGEST_FILE_BYTES >> 20} MiB")
        return path.read_bytes()


def whole(data: bytes) -> Dataset:
    """All elements of a file's bytes."""
    _refuse_foreign(data[:132])
    return _parsed(BytesIO(data), keywords=None)[0]


class _Bounded(BufferedReader):
    """A file of which no more is asked than there is: a length in a header may claim gigabytes."""

    def read(self, size: int | None = -1, /) -> bytes:
        """As of any file."""
        if size is not None and size > _LARGE_READ:
            size = min(size, max(0, os.fstat(self.fileno()).st_size - self.tell()))
        return super().read(size)


@contextmanager
def reading() -> Iterator[None]:
    """What the system says against a file becomes `CaseError("unreadable")`."""
    try:
        yield
    except OSError as error:
        raise CaseError("unreadable", f"the file cannot be read ({error.strerror})") from error


def _refuse_foreign(head: bytes) -> None:
    if not head:
        raise CaseError("not_dicom", "the file is empty")
    if head[_PREFIX] != b"DICM" and not _begins_like_a_data_set(head):
        raise CaseError("not_dicom", "the file is not DICOM")


def _begins_like_a_data_set(head: bytes) -> bool:
    """Whether the first element has a plausible tag, and a known value representation or a short value."""
    if len(head) < len("ggeeVVll"):
        return False
    little = struct.unpack("<HH", head[:4])
    if head[4:6] in _VALUE_REPRESENTATIONS:
        return little[0] in _FIRST_GROUPS or struct.unpack(">H", head[:2])[0] in _FIRST_GROUPS
    length = struct.unpack("<I", head[4:8])[0]
    return little[0] in _FIRST_GROUPS and little[1] <= 0x0100 and length <= 1024  # noqa: PLR2004 – of a UID or code


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
        refuse_inflation(file)
        file.seek(0)
        dataset = read_partial(file, stop_when=at_pixels, force=True, specific_tags=tags)
        if not prefixed and not any(name in dataset or name in dataset.file_meta for name in _EVIDENCE):
            raise CaseError("not_dicom", "the file is not DICOM")
        dataset.file_meta = _with_transfer_syntax(dataset)
    return dataset, found[0] if found else None


def _with_transfer_syntax(dataset: Dataset) -> FileMetaDataset:
    """The file meta group; where it names no transfer syntax, the plain one in which the file was found."""
    meta = dataset.file_meta
    if not meta.get("TransferSyntaxUID"):
        implicit, little = dataset.original_encoding
        plain = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else plain
    return meta
