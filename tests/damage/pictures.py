"""Pictures: damaged PNG, JPEG, TIFF, NIfTI, NRRD and MetaImage files, and archives, among the studies."""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from tests.damage.blunt import BLUNT, Damage, named
from tests.damage.formats import archives, nifti, png, volumes
from tests.damage.sound import PLAIN, jpeg, pixels, sound_files
from tests.loaders.lossless import lossless_jpeg

TIFF_TYPES = (0, 1, 2, 3, 4, 5, 7, 11, 12, 13, 16, 255)
"""TIFF 6.0, section 2, and numbers that are none."""
NUMBERS = (0, 1, 2, 3, 5, 8, 12, 16, 24, 255, 4096, 65535, 2**31 - 1, 2**31, 2**32 - 1)
TAGS = (254, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 317, 320, 322, 324, 338, 339, 34675)


@cache
def sound_tiff() -> bytes:
    """A picture of 16 bits."""
    stream = io.BytesIO()
    Image.fromarray(pixels()).save(stream, "TIFF", compression="tiff_lzw")
    return stream.getvalue()


@cache
def sound_jpeg() -> bytes:
    """A picture with an orientation in its EXIF data."""
    stream, exif = io.BytesIO(), Image.Exif()
    exif[274] = 6
    Image.open(io.BytesIO(jpeg(40, 36))).save(stream, "JPEG", exif=exif.tobytes())
    return stream.getvalue()


@cache
def sound_deep_jpeg() -> bytes:
    """A picture of 12 bits without loss."""
    return lossless_jpeg(pixels(), bits=12)


@cache
def _files() -> dict[str, bytes]:
    return {
        "a/1.dcm": sound_files()[PLAIN],
        "b/2.png": png.sound_png(),
        "c.jpg": sound_jpeg(),
        "d.nrrd": volumes.sound_volume(".nrrd"),
    }


@cache
def sound_zip() -> bytes:
    """Images of four formats."""
    return archives.archive([*_files().items()], zipfile.ZIP_DEFLATED)


@cache
def sound_tar() -> bytes:
    """The same images."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in _files().items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


@cache
def sound_tar_gz() -> bytes:
    """The same images, packed."""
    return gzip.compress(sound_tar(), mtime=0)


def tiff_entry(random: Random, data: bytes) -> bytes:
    """Tag, type, count or value of entries of the directory (TIFF 6.0, section 2)."""
    changed = bytearray(data)
    (place,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, place)
    for _ in range(random.choice((1, 1, 3))):
        entry = place + 2 + 12 * random.randrange(count)
        offset, code, values = random.choice(
            ((0, "H", TAGS), (2, "H", TIFF_TYPES), (4, "I", NUMBERS), (8, "I", NUMBERS))
        )
        struct.pack_into(f"<{code}", changed, entry + offset, random.choice(values))
    return bytes(changed)


def tiff_loop(random: Random, data: bytes) -> bytes:
    """A next directory that is the first one, elsewhere or beyond the file."""
    (place,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, place)
    changed = bytearray(data)
    target = random.choice((place, place + 2, 4, len(data), 2**32 - 1))
    struct.pack_into("<I", changed, place + 2 + 12 * count, target)
    return bytes(changed)


def jpeg_length(random: Random, data: bytes) -> bytes:
    """The length of a segment, the size, the components or the tables that they name."""
    changed = bytearray(data)
    markers = [place for place in range(2, len(data) - 12) if data[place] == 255 and data[place + 1] >= 0xC0]
    place = random.choice(markers)
    where = random.choice((2, 3, 5, 6, 7, 8, 9, 10, 11))
    changed[place + where] = random.choice((0, 1, 3, 4, 17, 127, 255))
    return bytes(changed)


def tar_field(random: Random, data: bytes) -> bytes:
    """Name, size, type or checksum of a header (POSIX ustar), with a checksum that fits or not."""
    changed = bytearray(data)
    headers = [place for place in range(0, len(data), 512) if data[place + 257 : place + 262] == b"ustar"]
    place = random.choice(headers)
    offset, size, values = random.choice(
        (
            (0, 100, (b"../../x", b"/etc/x", b"\xff\xfe", b"", b"a" * 100)),
            (124, 12, (b"77777777777", b"-1", b"\x80" + b"\xff" * 11, b"", b"00000000000")),
            (156, 1, (b"1", b"2", b"3", b"5", b"6", b"L", b"K", b"x", b"g", b"S", b"\xff")),
            (157, 100, (b"/etc/passwd", b"../x")),
            (345, 155, (b"..", b"/")),
        )
    )
    changed[place + offset : place + offset + size] = random.choice(values).ljust(size, b"\0")
    if random.random() < 0.8:
        changed[place + 148 : place + 156] = b" " * 8
        changed[place + 148 : place + 156] = f"{sum(changed[place : place + 512]):06o}\0 ".encode()
    return bytes(changed)


def zip_bomb(random: Random, _: bytes) -> bytes:
    """Members that unpack to far more than they take, one of which says that it does not."""
    return _zeros(random.choice((2**26, 2**29, 2**29 + 1)), random.random() < 0.5)


@cache
def _zeros(size: int, lies: bool) -> bytes:  # noqa: FBT001  a cache takes no keywords
    content = bytearray(archives.archive([("a", np.zeros(size, np.uint8).tobytes())], zipfile.ZIP_DEFLATED))
    if lies:
        struct.pack_into("<I", content, content.rfind(b"PK\1\2") + 24, 4000)
    return bytes(content)


def tar_bomb(random: Random, _: bytes) -> bytes:
    """A gzip stream of zeros behind a header that fits."""
    return _packed_zeros(random.choice((2**26, 2**29)))


@cache
def _packed_zeros(size: int) -> bytes:
    entry = tarfile.TarInfo("a")
    entry.size = size
    return gzip.compress(entry.tobuf() + bytes(size), mtime=0)


FAMILIES: Mapping[str, tuple[Callable[[], bytes], Mapping[str, Damage]]] = {
    ".png": (png.sound_png, png.PNG),
    ".jpg": (sound_jpeg, {**BLUNT, **named(jpeg_length)}),
    ".jpeg": (sound_deep_jpeg, {**BLUNT, **named(jpeg_length)}),
    ".tiff": (sound_tiff, {**BLUNT, **named(tiff_entry, tiff_loop)}),
    ".nii": (nifti.sound_nifti, nifti.PLAIN),
    ".nii.gz": (lambda: nifti.zipped(nifti.sound_nifti()), nifti.ZIPPED),
    ".nrrd": (lambda: volumes.sound_volume(".nrrd"), volumes.VOLUME),
    ".mha": (lambda: volumes.sound_volume(".mha"), volumes.VOLUME),
    ".zip": (sound_zip, {**BLUNT, **archives.ARCHIVE, **named(zip_bomb)}),
    ".tar": (sound_tar, {**BLUNT, **named(tar_field)}),
    ".tar.gz": (sound_tar_gz, {**nifti.ZIPPED, **named(tar_bomb)}),
}
"""End of the name → the intact file, and what damages it."""


def _written(suffix: str) -> Callable[[Random, Path], None]:
    sound, damages = FAMILIES[suffix]

    def write(random: Random, path: Path) -> None:
        path.write_bytes(random.choice([*damages.values()])(random, sound()))

    return write


KINDS: Mapping[str, Callable[[Random, Path], None]] = {f"damaged{s}": _written(s) for s in FAMILIES}
