"""Luminance: colour pixels → brightness 0 … 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut

from pipeline.errors import CaseError

LUMA_WEIGHTS = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue, ITU-R BT.601, as in the Y of all YBR models in DICOM PS3.3, C.7.6.3.1.2."""
FULL_RANGE = ("YBR_FULL", "YBR_FULL_422")
PARTIAL_RANGE = ("YBR_PARTIAL_420", "YBR_PARTIAL_422")
_BLACK, _WHITE = 16, 235
"""Y of black and of white in the 8-bit partial range."""


def luminance(samples: NDArray[np.integer], photometric: str, *, bits: int) -> NDArray[np.float32]:
    """Brightness (rows, columns) of (rows, columns, 3) samples of `bits` bits.

    Raises CaseError "unsupported_photometric" for retired colour models.
    """
    highest = 2.0**bits - 1
    if photometric == "RGB":
        bright = samples @ (LUMA_WEIGHTS / highest)
    elif photometric in FULL_RANGE:
        bright = samples[..., 0] / highest
    elif photometric in PARTIAL_RANGE:
        bright = (samples[..., 0] / 2.0 ** (bits - 8) - _BLACK) / (_WHITE - _BLACK)
    else:
        raise CaseError(
            "unsupported_photometric", "the colour model is not RGB, YBR or palette; export the image as RGB"
        )
    return np.clip(bright, 0.0, 1.0).astype(np.float32)


def palette_luminance(indices: NDArray[np.integer], dataset: Dataset) -> NDArray[np.float32]:
    """Brightness of indices into the palette, plain or segmented. PS3.3, C.7.6.3.1.5 and C.7.9.

    Raises CaseError "unsupported_photometric" for palettes that pydicom reads wrongly.
    """
    entries, _, bits = (int(value) for value in dataset.RedPaletteColorLookupTableDescriptor)
    wide_in_bytes = bits <= 8 and (entries == 0 or entries > 2**8)  # noqa: PLR2004 – pydicom indexes with the entries' type
    if wide_in_bytes or not dataset.file_meta.TransferSyntaxUID.is_little_endian:
        raise CaseError(
            "unsupported_photometric",
            "the palette is big endian, or has more than 256 entries of one byte; export the image as RGB",
        )
    colours = apply_color_lut(indices, dataset)[..., :3]
    return luminance(colours, "RGB", bits=bits if int(colours.max()) < 2**bits else 8 * colours.itemsize)
