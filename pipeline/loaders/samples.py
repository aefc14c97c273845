"""Samples: the values of a picture as stored, without palette and transparency, grey where it is grey."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL.TiffImagePlugin import TiffImageFile

from pipeline.loaders.elements import Warn
from pipeline.records import Caution

TRANSPARENT: Final = "transparency"
"""Reason of a caution: parts of the picture are transparent."""
OVER_BLACK: Final = Caution(
    TRANSPARENT, "parts of the picture are transparent; they are shown over black, as in most viewers"
)
WITH_ALPHA: Final = (2, 4)
"""Numbers of samples per pixel of which the last one is alpha."""
BYTE: Final = 8
PNG_DEPTH: Final = 24
"""Position of the bits per sample in a PNG file."""
WIDENED: Final = {2: 85, 4: 17}
"""Bits per sample of a grey PNG → the factor by which Pillow widens its values, not the clear one."""
EXTRA_SAMPLES: Final = 338
PREMULTIPLIED, ALPHA = 1, 2
"""What a sample beside the colours of a TIFF is: alpha by which they are already multiplied, or not."""

Samples = NDArray[np.integer]


def samples_of(picture: Pillow.Image, data: bytes, *, bits: int, warn: Warn) -> tuple[Samples, int]:
    """Values (rows, columns) of a grey picture, (rows, columns, 3) of a colour one, and their bits.

    `data`: the bytes of the file, `bits`: those per sample in it.
    """
    picture.load()
    clear = picture.info.get("transparency")
    if isinstance(clear, int) and picture.format == "PNG":
        clear *= WIDENED.get(data[PNG_DEPTH], 1)
    if bits > BYTE and picture.mode not in {"I;16", "I;16B"}:
        found = _wide_colours(data)
        if isinstance(picture, TiffImageFile):
            found = _without_extra(found, picture.tag_v2.get(EXTRA_SAMPLES, (0,))[0], warn)
    elif picture.mode in {"P", "PA"} or (clear is not None and picture.mode == "RGB"):
        found = np.asarray(picture.convert("RGBA"))
    elif picture.mode == "RGBX":
        found = np.asarray(picture)[..., :3]
    else:
        found = np.asarray(picture)
        found = found.astype(found.dtype.newbyteorder("="))
    depth = max(BYTE, bits if found.ndim == len(("row", "column")) else BYTE * found.itemsize)
    if found.ndim == len(("row", "column")) and isinstance(clear, int) and (found == clear).any():
        warn(OVER_BLACK)
        found = np.where(found == clear, 0, found)
    return grey_if_equal(_over_black(found, warn)), depth


def _wide_colours(data: bytes) -> Samples:
    """Colours of more than 8 bits, of which Pillow keeps 8: red, green, blue[, alpha]."""
    import cv2  # noqa: PLC0415  few pictures need it, and it takes as long to load as all loaders

    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None or found.ndim != len(("row", "column", "sample")) or found.dtype.kind != "u":
        raise ValueError("the colours cannot be decoded")
    order = [2, 1, 0, *range(3, found.shape[2])]
    return np.asarray(found[..., order])


def _without_extra(found: Samples, extra: int, warn: Warn) -> Samples:
    """The colours of a TIFF without a sample that is no alpha, or by which they are multiplied already."""
    if extra == PREMULTIPLIED and (found[..., -1] != np.iinfo(found.dtype).max).any():
        warn(OVER_BLACK)
    return found if extra == ALPHA else found[..., :3]


def _over_black(found: Samples, warn: Warn) -> Samples:
    """The samples without alpha, multiplied by it where the picture is transparent."""
    if found.ndim == len(("row", "column")) or found.shape[2] not in WITH_ALPHA:
        return found
    highest = np.iinfo(found.dtype).max
    alpha, colours = found[..., -1:], found[..., :-1]
    if (alpha == highest).all():
        return colours
    warn(OVER_BLACK)
    return np.asarray(np.rint(colours * (alpha / highest)).astype(found.dtype))


def grey_if_equal(found: Samples) -> Samples:
    """One value per pixel where red, green and blue are equal in all of them."""
    if found.ndim == len(("row", "column")):
        return found
    first = found[..., :1]
    return np.ascontiguousarray(found[..., 0]) if (found == first).all() else found
