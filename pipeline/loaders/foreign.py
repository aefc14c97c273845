"""Foreign: the format of a file that is not DICOM, from its first bytes, and what to do if it is not read."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.errors import CaseError
from pipeline.guards.reading import ANY_SIZE, open_file

DICOM: Final = slice(128, 132)
"""Where "DICM" is, PS3.10, 7.1. The preamble before it may be the beginning of another format."""
HEAD_BYTES: Final = 512
"""Number of first bytes that tell the format."""
_PICTURE_REMEDY: Final = "save them as PNG, which keeps every value"
_SLICE_REMEDY: Final = "save each image as a file of its own: DICOM, PNG, or NIfTI of one slice"
_TABLE_REMEDY: Final = "give the folder with the images"
_UNPACK: Final = "unpack them"
_GZIP: Final = b"\x1f\x8b"
_INFLATE_GZIP: Final = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Foreign:
    """A format."""

    name: str
    """As in "the file is PNG" and "8 PNG files"."""
    remedy: str
    """What to do if it is not read, as a clause with "them" for the files; empty if `formats` reads it."""


# (offset, bytes there, format); the first that fits counts
_MAGIC: Final[tuple[tuple[int, bytes, Foreign], ...]] = (
    (0, b"\x89PNG\r\n\x1a\n", Foreign("PNG", "")),
    (0, b"\xff\xd8\xff", Foreign("JPEG", "")),
    (0, b"BM", Foreign("BMP", _PICTURE_REMEDY)),
    (0, b"II*\0", Foreign("TIFF", "")),
    (0, b"MM\0*", Foreign("TIFF", "")),
    (0, b"II+\0", Foreign("BigTIFF", _PICTURE_REMEDY)),
    (0, b"GIF8", Foreign("GIF", _PICTURE_REMEDY)),
    (8, b"WEBP", Foreign("WebP", _PICTURE_REMEDY)),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", Foreign("JPEG 2000", _PICTURE_REMEDY)),
    (0, b"\xff\x4f\xff\x51", Foreign("JPEG 2000", _PICTURE_REMEDY)),
    (0, b"P5", Foreign("PGM", _PICTURE_REMEDY)),
    (0, b"P6", Foreign("PPM", _PICTURE_REMEDY)),
    (344, b"n+1\0", Foreign("NIfTI", "")),
    (344, b"ni1\0", Foreign("NIfTI", "")),
    (4, b"n+2\0", Foreign("NIfTI", "")),
    (0, b"NRRD", Foreign("NRRD", "")),
    (0, b"ObjectType =", Foreign("MetaImage", "")),
    (0, b"\x93NUMPY", Foreign("NumPy", _SLICE_REMEDY)),
    (0, b"\x89HDF\r\n", Foreign("HDF5", _SLICE_REMEDY)),
    (0, b"PK\3\4", Foreign("ZIP", "")),
    (0, b"PK\5\6", Foreign("ZIP", "")),
    (0, b"7z\xbc\xaf\x27\x1c", Foreign("7z", f"{_UNPACK}: 7z x FILE.7z")),
    (0, b"Rar!", Foreign("RAR", f"{_UNPACK}: unrar x FILE.rar")),
    (0, b"BZh", Foreign("bzip2", f"{_UNPACK}: bunzip2 FILE")),
    (0, b"\xfd7zXZ", Foreign("xz", f"{_UNPACK}: unxz FILE")),
    (0, b"\x28\xb5\x2f\xfd", Foreign("zstd", f"{_UNPACK}: unzstd FILE")),
    (257, b"ustar", Foreign("tar", "")),
    (0, b"%PDF", Foreign("PDF", _TABLE_REMEDY)),
)  # fmt: skip
_GZIPPED: Final = {
    "NIfTI": Foreign("NIfTI", ""),
    "tar": Foreign("tar", ""),
}
_GZIP_FORMAT: Final = Foreign("gzip", f"{_UNPACK}: gunzip FILE.gz")
_TEXT: Final = Foreign("text", _TABLE_REMEDY)


def format_of_file(path: Path) -> Foreign | None:
    """The format of a file; None if it is unknown, DICOM or unreadable."""
    try:
        with open_file(path, most_bytes=ANY_SIZE) as file:
            return foreign_format(file.read(HEAD_BYTES))
    except CaseError:
        return None


def foreign_format(head: bytes) -> Foreign | None:
    """The format of a file with these first bytes; None if it is unknown, or DICOM after any preamble."""
    if head[DICOM] == b"DICM":
        return None
    if head.startswith(_GZIP):
        inner = _by_magic(_inflated(head))
        return _GZIPPED.get(inner.name, _GZIP_FORMAT) if inner else _GZIP_FORMAT
    return _by_magic(head) or (_TEXT if _is_text(head) else None)


def _by_magic(head: bytes) -> Foreign | None:
    return next((known for offset, magic, known in _MAGIC if head.startswith(magic, offset)), None)


def _inflated(head: bytes) -> bytes:
    """The first bytes of the content of a gzip file."""
    try:
        return zlib.decompressobj(_INFLATE_GZIP).decompress(head, HEAD_BYTES)
    except zlib.error:
        return b""


def _is_text(head: bytes) -> bool:
    """Whether these are the first bytes of a text file, in UTF-8 or Latin-1."""
    return bool(head) and not any(byte < 0x20 and byte not in b"\t\n\r\f" for byte in head)  # noqa: PLR2004
