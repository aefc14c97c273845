"""NIfTI: every field of the headers of versions 1 and 2, and of the gzip stream around them."""

from __future__ import annotations

import gzip
import struct
import zlib
from functools import cache
from random import Random

import numpy as np

from tests.damage.blunt import BLUNT, named

Field = tuple[int, str]
FIRST: dict[str, Field] = {
    "sizeof_hdr": (0, "i"), "extents": (32, "i"), "dim_info": (39, "b"),
    **{f"dim[{n}]": (40 + 2 * n, "h") for n in range(8)},
    "intent_code": (68, "h"), "datatype": (70, "h"), "bitpix": (72, "h"), "slice_start": (74, "h"),
    **{f"pixdim[{n}]": (76 + 4 * n, "f") for n in range(8)},
    "vox_offset": (108, "f"), "scl_slope": (112, "f"), "scl_inter": (116, "f"), "slice_end": (120, "h"),
    "slice_code": (122, "b"), "xyzt_units": (123, "b"), "cal_max": (124, "f"), "glmax": (140, "i"),
    "qform_code": (252, "h"), "sform_code": (254, "h"), **{f"quatern[{n}]": (256 + 4 * n,
    "f") for n in range(6)},
    **{f"srow[{n}]": (280 + 4 * n, "f") for n in range(12)},
    **{f"magic[{n}]": (344 + n, "b") for n in range(4)}, "extension": (348, "b"), "extension_size": (352,
    "i"),
}  # fmt: skip
"""nifti1.h."""
SECOND: dict[str, Field] = {
    "sizeof_hdr": (0, "i"), **{f"magic[{n}]": (4 + n, "b") for n in range(8)}, "datatype": (12, "h"),
    "bitpix": (14, "h"), **{f"dim[{n}]": (16 + 8 * n, "q") for n in range(8)}, "intent_p1": (80, "d"),
    **{f"pixdim[{n}]": (104 + 8 * n, "d") for n in range(8)}, "vox_offset": (168, "q"), "scl_slope": (176,
    "d"),
    "scl_inter": (184, "d"), "slice_start": (224, "q"), "qform_code": (344, "i"), "sform_code": (348, "i"),
    **{f"quatern[{n}]": (352 + 8 * n, "d") for n in range(6)}, **{f"srow[{n}]": (400 + 8 * n,
    "d") for n in range(12)},
    "slice_code": (496, "i"), "xyzt_units": (500, "i"), "intent_code": (504, "i"), "extension": (540, "b"),
}  # fmt: skip
"""nifti2.h."""
TYPES = (
    0,
    1,
    2,
    4,
    8,
    16,
    32,
    64,
    128,
    255,
    256,
    511,
    512,
    768,
    1024,
    1280,
    1536,
    1792,
    2048,
    2304,
    3,
    9999,
    -1,
)
EXTREME = {
    "f": (0.0, -1.0, 1e-45, 3.4e38, -3.4e38, float("inf"), float("-inf"), float("nan"), 352.5, 1e6, 2.0**31),
    "d": (0.0, -1.0, 5e-324, 1.7e308, float("inf"), float("-inf"), float("nan"), 2.0**63),
}


@cache
def sound_nifti(version: int = 1, kind: str = "f4") -> bytes:
    """One slice of 5 × 6 (x × y) voxels."""
    code, bits = {"f4": (16, 32), "u1": (2, 8)}[kind]
    array = np.linspace(0, 1, 30).reshape(6, 5) ** 2 if kind == "f4" else _mask()
    fields = FIRST if version == 1 else SECOND
    start = 352 if version == 1 else 544
    head = bytearray(start)
    given: dict[str, float] = {"sizeof_hdr": 348 if version == 1 else 540, "datatype": code, "bitpix": bits}
    given |= {"dim[0]": 3, "dim[1]": 5, "dim[2]": 6} | {f"dim[{n}]": 1 for n in range(3, 8)}
    given |= {f"pixdim[{n}]": 1 for n in range(8)} | {"vox_offset": start, "scl_slope": 1, "qform_code": 1}
    for name, value in given.items():
        offset, form = fields[name]
        struct.pack_into(f"<{form}", head, offset, value)
    magic = b"n+1\0" if version == 1 else b"n+2\0\r\n\x1a\n"
    place = fields["magic[0]"][0]
    head[place : place + len(magic)] = magic
    return bytes(head) + array.astype(f"<{kind}").tobytes()


def _mask() -> np.ndarray:
    values = np.zeros((6, 5))
    values[1:4, 1:4] = 1
    return values


@cache
def zipped(data: bytes) -> bytes:
    """The file in a gzip stream without time and name."""
    return gzip.compress(data, mtime=0)


def header_field(random: Random, data: bytes) -> bytes:
    """One field, or three, with extreme values."""
    fields = SECOND if data.startswith(struct.pack("<i", 540)) else FIRST
    changed = bytearray(data)
    for name in random.sample(list(fields), random.choice((1, 1, 3))):
        _extreme(random, changed, name, fields[name])
    return bytes(changed)


def dimension_or_type(random: Random, data: bytes) -> bytes:
    """The fields that say how much there is to read."""
    fields = SECOND if data.startswith(struct.pack("<i", 540)) else FIRST
    changed = bytearray(data)
    names = [
        n for n in fields if n.startswith("dim[") or n in {"datatype", "bitpix", "vox_offset", "scl_slope"}
    ]
    for name in random.sample(names, random.choice((1, 2, 4))):
        _extreme(random, changed, name, fields[name])
    return bytes(changed)


def _extreme(random: Random, changed: bytearray, name: str, field: Field) -> None:
    offset, form = field
    bits = 8 * struct.calcsize(form)
    whole = (0, -1, 1, 2, 3, 4, 7, 8, 2 ** (bits - 1) - 1, -(2 ** (bits - 1)), random.getrandbits(bits - 1))
    choices = TYPES if name == "datatype" else EXTREME.get(form, whole)
    if offset + bits // 8 <= len(changed):
        struct.pack_into(f"<{form}", changed, offset, random.choice(choices))


def other_order(random: Random, data: bytes) -> bytes:
    """Some fields in big endian, so that sizes are exchanged."""
    changed = bytearray(data)
    for offset, form in random.sample(list(FIRST.values()), random.choice((1, 5, 30))):
        size = struct.calcsize(form)
        changed[offset : offset + size] = changed[offset : offset + size][::-1]
    return bytes(changed)


def not_finite(random: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    struct.pack_into(
        "<f", changed, len(data) - 4 * random.randrange(1, 7), random.choice((float("nan"), float("inf")))
    )
    return bytes(changed)


def rotten_stream(random: Random, data: bytes) -> bytes:
    """The gzip header, the packed data, its checksum and length, cut or followed by others."""
    way = random.choice(("header", "body", "trailer", "cut", "more", "again"))
    changed = bytearray(data)
    if way in {"header", "body", "trailer"}:
        start, end = {"header": (0, 10), "body": (10, len(data) - 8), "trailer": (len(data) - 8, len(data))}[
            way
        ]
        changed[random.randrange(start, end)] = random.randrange(256)
        return bytes(changed)
    return {"cut": data[: random.randrange(20, len(data))], "more": data + b"more", "again": data * 2}[way]


def damaged_inside(random: Random, data: bytes) -> bytes:
    """A sound gzip stream around a damaged header."""
    inner = gzip.decompress(data)
    return gzip.compress(
        random.choice((header_field, dimension_or_type, other_order))(random, inner), mtime=0
    )


def gzip_bomb(random: Random, data: bytes) -> bytes:
    """A stream that goes on for hundreds of mebibytes, or whose header asks for them."""
    inner = bytearray(gzip.decompress(data))
    side = random.choice((0, 16000, 32767))
    if side and inner.startswith(struct.pack("<i", 348)):
        struct.pack_into("<hh", inner, 42, side, side)
    return _zeros(bytes(inner), random.choice((2**26, 2**29)))


@cache
def _zeros(start: bytes, size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [packer.compress(start), *(packer.compress(bytes(2**20)) for _ in range(size >> 20))]
    return b"".join(parts) + packer.flush()


PLAIN = {**BLUNT, **named(header_field, dimension_or_type, other_order, not_finite)}
ZIPPED = {**BLUNT, **named(rotten_stream, damaged_inside, gzip_bomb)}
