"""Pickle files: where a checkpoint's pickle and the numbers of its tensors lie, in each format of torch."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from io import BytesIO
from typing import Final

from pipeline.classifiers.pickle_machine import read_pickle
from pipeline.classifiers.pickle_records import Pickled, Record
from pipeline.classifiers.pickled_tensors import Numbers, key_of, width, wrapped

OLDER_MARK: Final = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""Start of torch's older format: pickles of this number, a version and byte order precede the content."""
ZIP_MARKS: Final = (b"PK\x03\x04", b"PK\x05\x06")
PICKLE_NAME: Final = "data.pkl"
COUNT_BYTES: Final = 8
"""Before each storage of the older format: how many numbers it has."""


def opened(content: bytes) -> tuple[Pickled, Numbers]:
    """The content of a checkpoint's pickle, and the numbers beside it. Raises anything for a damaged file."""
    if content.startswith(ZIP_MARKS):
        return _of_archive(content)
    if content.startswith(OLDER_MARK):
        return _of_older_format(content)
    return read_pickle(BytesIO(content)), _in_pickle


def _of_archive(content: bytes) -> tuple[Pickled, Numbers]:
    archive = zipfile.ZipFile(BytesIO(content))
    folder = _pickle_entry(archive).filename.removesuffix(PICKLE_NAME)
    order = f"{folder}byteorder"
    if order in archive.namelist() and _member(archive, archive.getinfo(order)) != b"little":
        raise ValueError("numbers in the byte order of other machines")

    def numbers(storage: Record) -> tuple[Record, bytes]:
        return storage, _member(archive, archive.getinfo(f"{folder}data/{key_of(storage)}"))

    return read_pickle(BytesIO(_member(archive, _pickle_entry(archive)))), numbers


def _pickle_entry(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    (entry,) = (entry for entry in archive.infolist() if entry.filename.rpartition("/")[2] == PICKLE_NAME)
    return entry


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """A member's bytes, no more than its entry declares; its checksum is compared unless left out."""
    if entry.CRC == 0:
        entry.CRC = None  # type: ignore[assignment]  # zipfile compares none then
    with archive.open(entry) as part:
        return part.read(entry.file_size)


def _of_older_format(content: bytes) -> tuple[Pickled, Numbers]:
    file = BytesIO(content)
    before = [read_pickle(file) for _ in range(3)]
    pickled, after = read_pickle(file), read_pickle(file)
    calls = (*(call for part in (*before, after) for call in part.calls), *pickled.calls)
    keys = [str(key) for key in after.value]
    start = file.tell()
    widths = [width(pickled.storages[key]) for key in keys]
    places: dict[str, tuple[int, int]] = {}
    for key, wide in zip(keys, widths, strict=True):
        count = int.from_bytes(content[start : start + COUNT_BYTES], "little")
        start += COUNT_BYTES
        places[key] = (start, start + count * wide)
        start += count * wide
    return replace(pickled, calls=calls), lambda storage: (storage, content[slice(*places[key_of(storage)])])


def _in_pickle(storage: Record) -> tuple[Record, bytes]:
    """The numbers of a storage that pickle wrote without torch.save, as a file of the older format."""
    content = wrapped(storage)
    pickled, numbers = _of_older_format(content.encode("latin-1") if isinstance(content, str) else content)
    if pickled.calls:
        raise ValueError("a storage that calls functions")
    return numbers(pickled.value)
