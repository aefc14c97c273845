"""Pixels: one frame of the pixel data → stored values, in any transfer syntax. DICOM PS3.5, 8 and annex A."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    JPEG2000,
    UID,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from pipeline.errors import CaseError
from pipeline.loaders import jpeg12
from pipeline.loaders.codestream import announced_extent
from pipeline.loaders.dataset import refusing
from pipeline.loaders.elements import integer

LARGEST_FRAME = 2**26
"""Pixels; the largest detectors have under 2**25. Beyond, a header may claim what fits no memory."""
PLUGINS = {
    JPEGBaseline8Bit: "pillow",
    JPEGLSLossless: "pyjpegls",
    JPEGLSNearLossless: "pyjpegls",
    JPEG2000: "pylibjpeg",
    JPEG2000Lossless: "pylibjpeg",
}
"""Instead of GDCM, pydicom's first choice, which ends the process over some damaged codestreams.

It stays where nothing else decodes: lossless JPEG and 12-bit JPEG."""

jpeg12.register()


def decodable(syntax: UID) -> bool:
    """Whether pixels of the transfer syntax can be decoded here."""
    try:
        return get_decoder(syntax).is_available
    except NotImplementedError:
        return False


def stored_values(dataset: Dataset, frame: int) -> tuple[NDArray[np.integer], str]:
    """Stored values (rows, columns[, samples]) and the photometric interpretation that they are decoded to.

    Raises CaseError: "too_large", "unknown_transfer_syntax", "pixel_data_mismatch", "decode_failed".
    """
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    if not decodable(syntax):
        raise CaseError("unknown_transfer_syntax", "there is no decoder for the file's transfer syntax")
    if integer(dataset, "Rows", default=0) * integer(dataset, "Columns", default=0) > LARGEST_FRAME:
        raise CaseError("too_large", f"the image has more than {LARGEST_FRAME >> 20} Mi pixels")
    _refuse_another_size(dataset, frame)
    reason = "decode_failed" if syntax.is_encapsulated else "pixel_data_mismatch"
    keeps_words = not syntax.is_encapsulated or syntax == RLELossless
    with refusing(reason, "the pixel data cannot be decoded as the header describes them"):
        values, found = get_decoder(syntax).as_array(
            dataset,
            index=frame,
            raw=True,
            decoding_plugin=_plugin(syntax, bits=integer(dataset, "BitsStored", default=0)),
            correct_unused_bits=not keeps_words,  # type: ignore[arg-type]  # pydicom annotates the options as one
        )
        if keeps_words:
            values = without_unused_bits(
                values,
                stored=integer(dataset, "BitsStored", default=0),
                high=integer(dataset, "HighBit", default=integer(dataset, "BitsStored", default=0) - 1),
            )
        return values, str(found["photometric_interpretation"])


def _plugin(syntax: UID, *, bits: int) -> str:
    """The name of the plug-in; empty for the only or best one that pydicom has."""
    if syntax == JPEGExtended12Bit:
        return "pillow" if bits <= 8 else jpeg12.PLUGIN  # noqa: PLR2004 – the bits of a byte
    return PLUGINS.get(syntax, "")


def _refuse_another_size(dataset: Dataset, frame: int) -> None:
    """A decoder given the wrong size shears the image or writes beyond its memory."""
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated or syntax == RLELossless:
        return
    with refusing("decode_failed", "the frame's codestream cannot be found or read"):
        frames = max(1, integer(dataset, "NumberOfFrames", default=1))
        offsets = dataset.get("ExtendedOffsetTable"), dataset.get("ExtendedOffsetTableLengths")
        announced = announced_extent(
            get_frame(
                dataset.PixelData,
                frame,
                number_of_frames=frames,
                extended_offsets=offsets if all(offsets) else None,
            )
        )
    if announced is None:
        raise CaseError("decode_failed", "the frame's codestream does not say its size")
    if announced != (dataset.Rows, dataset.Columns, dataset.SamplesPerPixel):
        raise CaseError(
            "pixel_data_mismatch",
            "the compressed frame has another size or number of samples than the header says",
        )


def without_unused_bits(words: NDArray[np.integer], *, stored: int, high: int) -> NDArray[np.integer]:
    """Values of `stored` bits up to bit `high` of each word, with their sign; the rest may hold overlays.

    PS3.5, 8.1.1.
    """
    allocated = 8 * words.itemsize
    if stored in (1, allocated):
        return words
    if not stored - 1 <= high < allocated:
        raise CaseError("pixel_data_mismatch", "High Bit lies outside of the allocated bits")
    return (words << (allocated - 1 - high)) >> (allocated - stored)
