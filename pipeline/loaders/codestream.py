"""Codestream: what a compressed frame says of itself, to be compared with the header before decoding."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

Extent: TypeAlias = tuple[int, int, int]
"""(rows, columns, samples per pixel)."""
Family: TypeAlias = Literal["JPEG", "lossless JPEG", "JPEG-LS", "JPEG 2000"]
Model: TypeAlias = Literal["RGB", "YBR"]

_JPEG_2000_START = b"\xff\x4f\xff\x51"
"""SOC and SIZ, ITU-T T.800, A.4.1 and A.5.1; also used by HTJ2K."""
_JP2_START = b"\x00\x00\x00\x0cjP"
"""Start of a complete JP2 file, which occurs in DICOM files although the standard does not allow it."""
_CODING_STYLE, _TILE, _SIGNED = 0x52, 0x90, 0x80
"""COD and SOT, T.800, A.6.1 and A.4.2, and the bit of Ssiz that states a sign, A.5.1."""
_JPEG_START = b"\xff\xd8"
_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
"""Start-of-frame markers of JPEG, ITU-T T.81, B.1.1.3, and of JPEG-LS, T.87, C.1.1."""
_LOSSLESS = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
_JPEG_LS = 0xF7
_SCAN = 0xDA
_MARKER = 0xFF
_WITHOUT_LENGTH = frozenset({0x00, 0x01, *range(0xD0, 0xDA)})
"""Restart, start and end markers, which cannot occur before the size."""
_JFIF, _ADOBE, _CHARLS = 0xE0, 0xEE, 0xE8
"""Application markers 0, 14 and 8."""
_ADOBE_TRANSFORMS: dict[int, Model] = {0: "RGB", 1: "YBR"}
"""Colour transform of three components, last byte of the Adobe marker (T.872, 6.5.3)."""
_RGB_IDS = (b"RGB", b"rgb")
_NO_TRANSFORM = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
"""An Adobe marker without colour transform."""


@dataclass(frozen=True, slots=True)
class Codestream:
    """What a compressed frame says of itself."""

    family: Family
    extent: Extent
    bits: int
    """Bits per sample; of JPEG 2000, of the first component."""
    model: Model | None = None
    """The colour model of its components, after decoding for JPEG 2000; None if it does not say."""
    by: str = ""
    """What says so, for a message: "the JFIF marker"."""
    numbered: bool = False
    """Whether the components have the numbers 1, 2, 3 of Y, Cb, Cr in JFIF (T.871, 6.1)."""
    subsampled: bool = False
    """Whether the second and third component have fewer samples than the first."""
    levels: int = 0
    """Of JPEG 2000: how often its resolution can be halved."""
    is_plain: bool = False
    """Of JPEG 2000: one component without sign, whose samples are the image's from its first pixel on."""


def read_codestream(frame: bytes) -> Codestream | None:
    """What a JPEG, JPEG-LS or JPEG 2000 frame says of itself; None if it does not state its size.

    Raises struct.error or IndexError if the frame is truncated.
    """
    if frame.startswith(_JPEG_START):
        return _jpeg(frame)
    start = frame.find(_JPEG_2000_START) if frame.startswith(_JP2_START) else 0
    return _jpeg_2000(frame, start) if frame.startswith(_JPEG_2000_START, start) else None


def without_colour_transform(frame: bytes) -> bytes:
    """The JPEG frame with markers by which every decoder leaves its components as they are."""
    kept = [_JPEG_START, _NO_TRANSFORM]
    end = len(_JPEG_START)
    for marker, offset, length in segments(frame, end):
        end = offset + 2 + length
        if marker == _SCAN:
            end = offset
            break
        if marker not in (_JFIF, _ADOBE):
            kept.append(frame[offset:end])
    return b"".join([*kept, frame[end:]])


def _jpeg_2000(frame: bytes, start: int) -> Codestream:
    right, bottom, left, top = struct.unpack_from(">4I", frame, start + 8)
    (samples,) = struct.unpack_from(">H", frame, start + 40)
    components = [frame[start + 42 + 3 * i : start + 45 + 3 * i] for i in range(samples)]
    transform, levels = _coding_style(frame, start)
    transformed = samples >= 3 and transform == 1  # noqa: PLR2004 – colours
    return Codestream(
        "JPEG 2000",
        (bottom - top, right - left, samples),
        bits=(components[0][0] & 0x7F) + 1,
        model="RGB" if transformed else None,
        by="the multiple component transform" if transformed else "",
        subsampled=any(component[1:] > components[0][1:] for component in components),
        levels=levels,
        is_plain=samples == 1
        and not components[0][0] & _SIGNED
        and components[0][1:] == b"\1\1"
        and (left, top) == (0, 0),
    )


def _coding_style(frame: bytes, start: int) -> tuple[int, int]:
    """The multiple component transform and the number of decomposition levels, T.800, A.6.1."""
    for marker, offset, _ in segments(frame, start + 2):
        if marker == _CODING_STYLE:
            return frame[offset + 8], frame[offset + 9]
        if marker == _TILE:
            break
    return 0, 0


def _jpeg(frame: bytes) -> Codestream | None:
    size: tuple[int, int] | None = None
    application: dict[int, bytes] = {}
    try:
        for marker, offset, length in segments(frame, len(_JPEG_START)):
            if marker in _SIZES:
                size = marker, offset
            elif marker in (_JFIF, _ADOBE, _CHARLS):
                application.setdefault(marker, frame[offset + 4 : offset + 2 + length])
            elif marker == _SCAN:
                break
    except struct.error:
        if size is None:
            raise
    if size is None:
        return None
    marker, offset = size
    bits, rows, columns, samples = struct.unpack_from(">BHHB", frame, offset + 4)
    if not rows:  # the number of lines follows the scan
        return None
    components = [frame[offset + 10 + 3 * i : offset + 13 + 3 * i] for i in range(samples)]
    family: Family = "JPEG-LS" if marker == _JPEG_LS else "lossless JPEG" if marker in _LOSSLESS else "JPEG"
    ids = b"".join(component[:1] for component in components)
    model, by = _stated(application, ids) if samples == 3 else (None, "")  # noqa: PLR2004 – colours
    return Codestream(
        family,
        (rows, columns, samples),
        bits=bits,
        model=model,
        by=by,
        numbered=ids == b"\1\2\3",
        subsampled=any(component[1:2] < components[0][1:2] for component in components),
    )


def _stated(application: dict[int, bytes], ids: bytes) -> tuple[Model | None, str]:
    """The colour model that the markers and component numbers of a JPEG frame state, and what states it."""
    adobe = application.get(_ADOBE, b"")
    if adobe.startswith(b"Adobe") and adobe[11:12]:
        model = _ADOBE_TRANSFORMS.get(adobe[11])
        if model:
            return model, f"the Adobe marker's colour transform {adobe[11]}"
    if application.get(_CHARLS, b"").startswith(b"mrfx") and application[_CHARLS][4:5] > b"\0":
        return "RGB", "the JPEG-LS colour transform"
    if application.get(_JFIF, b"").startswith(b"JFIF"):
        return "YBR", "the JFIF marker"
    return ("RGB", "the component numbers R, G, B") if ids in _RGB_IDS else (None, "")


def segments(frame: bytes, offset: int) -> Iterator[tuple[int, int, int]]:
    """(marker, offset, length) of the segments from `offset` on, up to what is no segment."""
    while True:
        prefix, marker = struct.unpack_from(">BB", frame, offset)
        if prefix != _MARKER or marker in _WITHOUT_LENGTH:
            return
        if marker == _MARKER:  # a fill byte
            offset += 1
            continue
        (length,) = struct.unpack_from(">H", frame, offset + 2)
        yield marker, offset, length
        offset += 2 + length
