"""Archives: the files in ZIP and tar archives, read into memory one by one, within bounds; none is written.

A member is found again by its offset, so that neither the list of members nor those before it are read twice.
"""

from __future__ import annotations

import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from isal import igzip

from pipeline.errors import CaseError
from pipeline.guards.reading import ANY_SIZE, guarded, open_file
from pipeline.records import Member

MOST_MEMBERS: Final = 100_000
LARGEST_MEMBER_BYTES: Final = 2**29
LARGEST_GZIP_BYTES: Final = 2**31
"""Upper limit for what a gzip stream unpacks to: a member is reached by unpacking all before it."""
MOST_RATIO: Final = 250
"""Most unpacked bytes per packed one of members larger than `FREE_BYTES`; images pack to a hundredth."""
FREE_BYTES: Final = 2**26
LONGEST_NAME: Final = 1024
PIECE_BYTES: Final = 2**20
GZIP: Final = b"\x1f\x8b"
LOCAL_HEADER: Final = struct.Struct("<4s22x2H")
"""Signature, and the lengths of the name and the extra field, of a local file header (APPNOTE 4.3.7)."""
ENCRYPTED: Final = 0x1
UNIX: Final = 3
LINK: Final = 0o120000
KIND: Final = 0o170000
METHODS: Final = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflate"}
THE_ARCHIVE: Final = "the archive"
UNPACK: Final = "unpack the archive"
PROBLEMS: Final = {
    "encrypted": "the file is encrypted in its archive; unpack the archive with its password",
    "link_in_archive": "the file is a link in an archive, which is not followed; unpack the archive",
    "not_a_file": "the archive holds a device or pipe in its place, wanted a file; leave it out",
    "unsafe_name": "the file's name in its archive leads out of it, or is no plain text; rename it",
    "repeated_name": "the archive holds another file of this name before it; rename one of the two",
    "unknown_compression": f"the file is compressed in a way that is not read; {UNPACK}",
    "too_large": f"the file is larger than {LARGEST_MEMBER_BYTES >> 20} MiB unpacked; {UNPACK}",
    "inflates_too_far": f"the file unpacks to more than {MOST_RATIO} times its bytes; {UNPACK}, if you "
    "trust it",
}
"""Reason → message."""
DAMAGED: Final = "is damaged: its list of files or their bytes are incomplete; pack it again"


@dataclass(frozen=True, slots=True)
class Packed:
    """A file in an archive."""

    archive: Path
    member: Member


def members(archive: Path) -> tuple[Packed, ...]:
    """The files in a ZIP or tar archive, in their order; those that cannot be read have a `problem`.

    Raises CaseError "unreadable", "not_a_file", "archive_damaged" or "too_large".
    """
    with (
        open_file(archive, most_bytes=ANY_SIZE, what=THE_ARCHIVE) as file,
        guarded("archive_damaged", f"{THE_ARCHIVE} {DAMAGED}"),
    ):
        head = file.read(len(GZIP))
        file.seek(0)
        if head == b"PK":
            found = list(_of_zip(file))
        elif head == GZIP:
            unpacked = _Unpacked(file)
            found = list(_of_tar(unpacked, mode="r|", packing="gzip"))
            while unpacked.read(PIECE_BYTES):  # up to the checksum at the end
                pass
        else:
            found = list(_of_tar(file, mode="r:", packing="stored"))
    return tuple(Packed(archive, member) for member in _checked(found))


def read_member(archive: BinaryIO, member: Member) -> bytes:
    """The bytes of a member. Raises CaseError: its problem, or "archive_damaged"."""
    if member.problem:
        raise CaseError(member.problem, PROBLEMS[member.problem])
    with guarded("archive_damaged", f"the file's archive {DAMAGED}"):
        if member.packing == "gzip":
            content = _from_gzip(archive, member)
        elif member.packing == "deflate" or member.checksum is not None:
            content = _from_zip(archive, member)
        else:
            archive.seek(member.start)
            content = archive.read(member.size_bytes)
        if len(content) != member.size_bytes or member.checksum not in {None, zlib.crc32(content)}:
            raise ValueError("incomplete, or changed")
    return content


def _of_zip(file: BinaryIO) -> Iterator[Member]:
    with zipfile.ZipFile(file) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    _refuse_overlap(entries, file)
    for entry in entries:
        kind = (entry.external_attr >> 16) & KIND if entry.create_system == UNIX else 0
        problem = "encrypted" if entry.flag_bits & ENCRYPTED else ""
        problem = problem or ("link_in_archive" if kind == LINK else "")
        packing = METHODS.get(entry.compress_type)
        yield Member(
            entry.filename,
            "deflate" if packing == "deflate" else "stored",
            entry.header_offset,
            entry.compress_size,
            entry.file_size,
            entry.CRC,
            problem or ("" if packing else "unknown_compression"),
        )


def _refuse_overlap(entries: Iterable[zipfile.ZipInfo], file: BinaryIO) -> None:
    """Refuse members that share bytes, of which a small archive may have any number (Fifield 2019)."""
    if sum(entry.compress_size for entry in entries) > file.seek(0, 2):
        raise CaseError(
            "archive_damaged", "the files of the archive overlap, as in a decompression bomb; pack it again"
        )


def _of_tar(file: Any, *, mode: str, packing: str) -> Iterator[Member]:
    with tarfile.open(fileobj=file, mode=cast("Any", mode)) as archive:
        for number, entry in enumerate(archive):
            if number > MOST_MEMBERS:
                raise _too_many()
            if entry.isdir():
                continue
            problem = "" if entry.isreg() else "not_a_file"
            problem = "link_in_archive" if entry.issym() or entry.islnk() else problem
            problem = "unknown_compression" if entry.issparse() else problem
            yield Member(
                entry.name,
                "gzip" if packing == "gzip" else "stored",
                entry.offset_data,
                entry.size,
                entry.size,
                problem=problem,
            )


class _Unpacked:
    """What a gzip stream unpacks to, up to a limit, read from its beginning to its end."""

    def __init__(self, file: BinaryIO) -> None:
        self._stream: Any = igzip.GzipFile(fileobj=file)  # type: ignore[no-untyped-call]
        self._left = LARGEST_GZIP_BYTES

    def read(self, size: int) -> bytes:
        content = bytes(self._stream.read(size))
        self._left -= len(content)
        if self._left < 0:
            raise CaseError(
                "too_large",
                f"the archive unpacks to more than {LARGEST_GZIP_BYTES >> 30} GiB; {UNPACK}, or split it",
            )
        return content


def _checked(found: list[Member]) -> Iterator[Member]:
    """The members, with the problems of their names and sizes."""
    if len(found) > MOST_MEMBERS:
        raise _too_many()
    names: set[str] = set()
    for member in found:
        problem = member.problem or _problem_of_size(member)
        if _is_unsafe(member.name):
            problem = "unsafe_name"
        elif member.name in names:
            problem = "repeated_name"
        names.add(member.name)
        yield replace(member, problem=problem, name=_safe(member.name, len(names)))


def _too_many() -> CaseError:
    return CaseError(
        "too_large", f"the archive holds more than {MOST_MEMBERS:,} files; {UNPACK}, or split it"
    )


def _problem_of_size(member: Member) -> str:
    if member.size_bytes > LARGEST_MEMBER_BYTES:
        return "too_large"
    far = member.size_bytes > FREE_BYTES and member.size_bytes > MOST_RATIO * member.packed_bytes
    return "inflates_too_far" if far else ""


def _is_unsafe(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    leads_out = name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]
    return leads_out or not name.isprintable() or len(name) > LONGEST_NAME


def _safe(name: str, number: int) -> str:
    """The name, or a number in the place of one that is unsafe."""
    return f"unsafe-{number}" if _is_unsafe(name) else name.removeprefix("./")


def _from_zip(archive: BinaryIO, member: Member) -> bytes:
    archive.seek(member.start)
    signature, name_bytes, extra_bytes = LOCAL_HEADER.unpack(archive.read(LOCAL_HEADER.size))
    if signature != b"PK\x03\x04":
        raise ValueError("no local header")
    archive.seek(name_bytes + extra_bytes, 1)
    packed = archive.read(member.packed_bytes)
    if member.packing == "stored":
        return packed
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    return inflater.decompress(packed, member.size_bytes + 1)


def _from_gzip(archive: BinaryIO, member: Member) -> bytes:
    with igzip.GzipFile(fileobj=archive) as stream:  # type: ignore[no-untyped-call]
        left = member.start
        while left:
            piece = stream.read(min(left, PIECE_BYTES))
            if not piece:
                raise ValueError("incomplete")
            left -= len(piece)
        return bytes(stream.read(member.size_bytes))
