"""Pictures: PNG, JPEG, TIFF and volume files with known pixels, and archives."""

from __future__ import annotations

import struct
import tarfile
import zipfile
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray
from PIL import Image as Pillow

GREY = np.arange(0, 240, 20, dtype=np.uint8).reshape(3, 4)
"""12 values of 8 bits."""
WIDE = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000
"""12 values of 16 bits."""
COLOURS = np.stack([GREY, GREY // 2, 255 - GREY], axis=-1)


def write_picture(path: Path, pixels: NDArray[Any], *, mode: str | None = None, **options: Any) -> Path:
    """A picture in the format of the path's suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Pillow.fromarray(pixels)
    (image if mode is None else image.convert(mode)).save(path, **options)
    return path


def write_volume(path: Path, values: NDArray[Any], **header: Any) -> Path:
    """A volume file; `header`: spacing, origin, direction of SimpleITK."""
    image = sitk.GetImageFromArray(values)
    for name, value in header.items():
        getattr(image, f"Set{name.title()}")(value)
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(image, str(path))
    return path


def with_orientation(path: Path, pixels: NDArray[Any], orientation: int, **options: Any) -> Path:
    """A picture whose EXIF data say how it is to be turned."""
    exif = Pillow.Exif()
    exif[274] = orientation
    return write_picture(path, pixels, exif=exif.tobytes(), **options)


def png(samples: NDArray[Any], *, colour: int, more: bytes = b"") -> bytes:
    """A PNG of any colour type, written chunk by chunk; `more`: chunks before the pixels."""
    rows, columns = samples.shape[:2]
    bits = 8 * samples.itemsize
    head = struct.pack(">IIBBBBB", columns, rows, bits, colour, 0, 0, 0)
    lines = b"".join(b"\0" + row.astype(row.dtype.newbyteorder(">")).tobytes() for row in samples)
    chunks = chunk(b"IHDR", head) + more + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def tiff(samples: NDArray[Any], **tags: int) -> bytes:
    """An uncompressed TIFF of (rows, columns[, samples]), tag by tag; `tags`: more of them, as t338=1."""
    rows, columns, *several = samples.shape
    count = several[0] if several else 1
    bits = struct.pack(f"<{count}H", *[8 * samples.itemsize] * count)
    stated = {256: columns, 257: rows, 259: 1, 262: 2 if several else 1, 273: 8, 277: count, 278: rows}
    stated |= {279: samples.nbytes} | {int(name[1:]): value for name, value in tags.items()}
    end = 8 + samples.nbytes
    entries = {tag: struct.pack("<HHII", tag, 4, 1, value) for tag, value in stated.items()}
    place = bits.ljust(4, b"\0") if len(bits) <= 4 else struct.pack("<I", end)
    entries[258] = struct.pack("<HHI", 258, 3, count) + place
    directory = struct.pack("<H", len(entries)) + b"".join(entries[tag] for tag in sorted(entries))
    stored = samples.astype(samples.dtype.newbyteorder("<")).tobytes()
    start = end + len(bits) + len(bits) % 2
    head = b"II*\0" + struct.pack("<I", start)
    return head + stored + bits.ljust(start - end, b"\0") + directory + bytes(4)


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk with its length and checksum."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def saved(pixels: NDArray[Any], kind: str, **options: Any) -> bytes:
    """The bytes of a picture."""
    stream = BytesIO()
    Pillow.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def zipped(path: Path, files: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """A ZIP archive of these files."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: dict[str, bytes], *, mode: str = "w") -> Path:
    """A tar archive of these files."""
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, BytesIO(content))
    return path
