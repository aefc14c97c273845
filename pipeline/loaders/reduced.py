"""Reduced: a JPEG 2000 frame at ½, ¼, ⅛ … of its resolution, without decoding its finer wavelets.

Value (i, j) of a frame reduced by a step of 4 lies at (4 i, 4 j) of the image: the low-pass filters of T.800,
annex F, are centred at even samples.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset

from pipeline.loaders.codestream import Codestream
from pipeline.loaders.description import Description
from pipeline.loaders.elements import is_empty

END = b"\xff\xd9"
"""EOC, T.800, A.4.4; a frame that is cut short has none."""
BYTE_BITS, WORD_BITS = 8, 16


def step_of(
    dataset: Dataset, stream: Codestream | None, described: Description, frame: bytes, *, coarsest: int
) -> int:
    """The step by which the frame is reduced: a power of 2, at most `coarsest`; 1 where it is not possible.

    It is possible for grey values without sign and padding: an average of indices or of padding is no value.
    """
    if coarsest == 1 or stream is None or stream.family != "JPEG 2000":
        return 1
    plain = (
        stream.is_plain
        and not described.signed
        and stream.bits == described.bits_stored
        and BYTE_BITS <= stream.bits <= WORD_BITS
        and described.photometric in {"MONOCHROME1", "MONOCHROME2"}
        and is_empty(dataset, "PixelPaddingValue")
        and frame.rstrip(b"\0").endswith(END)
    )
    return min(coarsest, 2**stream.levels) if plain else 1


def reduced_values(frame: bytes, *, step: int, bits: int) -> NDArray[np.integer] | None:
    """The low-pass filtered values of every `step`-th row and column; None if they cannot be decoded."""
    try:
        with Image.open(BytesIO(frame), formats=("JPEG2000",)) as image:
            rows, columns = reduced_shape(image.size[::-1], step)
            # Pillow divides sizes to the nearest number, T.800 to the next larger one.
            image._size = columns * step, rows * step  # noqa: SLF001
            # In Pillow, a method of every image, and a number of JPEG 2000.
            image.reduce = step.bit_length() - 1  # type: ignore[method-assign, assignment]
            values = np.asarray(image)
    except (OSError, ValueError):
        return None
    if values.shape != (rows, columns):
        return None
    # Pillow scales values of more than 8 bits to 16.
    return values if bits == BYTE_BITS else values >> (WORD_BITS - bits)


def reduced_shape(shape: tuple[int, int], step: int) -> tuple[int, int]:
    """Rows and columns of a frame reduced by a step."""
    return -(-shape[0] // step), -(-shape[1] // step)
