"""Bitmaps: small masks as PNG with their place in the image, as Supervisely and LabelMe store them."""

from __future__ import annotations

import binascii
from base64 import b64decode
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from pipeline.annotations.segment_masks import check_extent
from pipeline.errors import CaseError
from pipeline.guards.deflate import inflated
from pipeline.guards.png_files import png_in
from pipeline.records import Mask, Shape

LARGEST_PNG = 2**26
"""Bytes of an inflated PNG file."""
NOT_BITMAP = "A bitmap is not a PNG in base64; export it again."


class Bitmap(NamedTuple):
    """One mask as it is kept until it is read."""

    data: bytes
    """The PNG file."""
    x: int
    """Column of its first pixel."""
    y: int
    """Row of its first pixel."""
    is_deflated: bool = False
    """Whether the PNG file is inside a zlib stream."""


def bitmap_of(text: Any, x: Any, y: Any, *, is_deflated: bool = False) -> Bitmap:
    """The bitmap in base64 at that column and row. Raises CaseError "not_a_mask"."""
    try:
        data = b64decode(text, validate=True)
        return Bitmap(data, round(float(x)), round(float(y)), is_deflated)
    except (TypeError, ValueError, OverflowError, binascii.Error) as error:
        raise CaseError("not_a_mask", NOT_BITMAP) from error


def png_of(mask: Mask, x: int, y: int) -> Bitmap:
    """The mask (rows, columns) with its first pixel at that column and row."""
    data = BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(data, "PNG")
    return Bitmap(data.getvalue(), x, y)


def mask_of(bitmap: Bitmap, shape: Shape) -> Mask:
    """The bitmap on an image of `shape`: inside where it is neither 0 nor transparent.

    Raises CaseError "mask_size" if it leaves the image, "not_a_mask".
    """
    data = (
        inflated(bitmap.data, most_bytes=LARGEST_PNG, what="A bitmap") if bitmap.is_deflated else bitmap.data
    )
    with png_in(data, what="A bitmap", reason="not_a_mask") as picture:
        size = picture.height, picture.width
        check_extent((bitmap.x, bitmap.y), size, shape)
        has_alpha = "A" in picture.getbands() or "transparency" in picture.info
        values = np.asarray(picture.convert("RGBA").getchannel("A") if has_alpha else picture.convert("L"))
    mask = np.zeros(shape, np.bool_)
    mask[bitmap.y : bitmap.y + size[0], bitmap.x : bitmap.x + size[1]] = values != 0
    return mask
