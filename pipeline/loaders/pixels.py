"""Pixels: one frame of pixel data → stored values, for all transfer syntaxes. DICOM PS3.5, 8 and annex A."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from pipeline.errors import CaseError
from pipeline.loaders import jpeg8, jpeg12
from pipeline.loaders.codestream import Codestream, read_codestream
from pipeline.loaders.colours import colour_model
from pipeline.loaders.dataset import refusing
from pipeline.loaders.description import Description, description, matching_length
from pipeline.loaders.elements import Warn, integer, nobody
from pipeline.loaders.reduced import reduced_values, step_of
from pipeline.records import Shape

LARGEST_FRAME = 2**26
"""Pixels; the largest detectors have fewer than 2**25. A wrong header may claim more than memory holds."""
PLUGINS: Mapping[UID, tuple[str, ...]] = {
    JPEGBaseline8Bit: (jpeg8.PLUGIN,),
    JPEGLSNearLossless: ("pyjpegls",),
    JPEG2000: ("pylibjpeg",),
}
"""The decoder of a transfer syntax that loses information; their pixels differ from one to the next."""
LOSSLESS: Mapping[UID, tuple[str, ...]] = {
    RLELossless: ("pylibjpeg", "pydicom"),
    JPEGLossless: ("gdcm", "pylibjpeg"),
    JPEGLosslessSV1: ("gdcm", "pylibjpeg"),
    JPEGLSLossless: ("pyjpegls", "gdcm"),
    JPEG2000Lossless: ("pylibjpeg", "gdcm"),
}
"""Decoders of a lossless transfer syntax, the fastest that refuses what is cut short first: the first that is
installed is used, and the next one checks it on a run's first images. `make bench ARGS="--part syntaxes"`
measures them.

GDCM, pydicom's default, crashes on some damaged codestreams: it comes first for lossless JPEG alone, which
takes pylibjpeg twice as long."""
UNKNOWN_TRANSFER_SYNTAX = (
    "there is no decoder for the file's transfer syntax; export it uncompressed (Explicit VR Little Endian)"
)

jpeg8.register()
jpeg12.register()


def decodable(syntax: UID) -> bool:
    """Whether a decoder for the transfer syntax is installed."""
    try:
        return get_decoder(syntax).is_available
    except NotImplementedError:
        return False


def stored_values(
    dataset: Dataset, frame: int, *, warn: Warn = nobody, plugin: str | None = None
) -> tuple[NDArray[np.integer], str, int]:
    """Stored values (rows, columns[, samples]), their photometric interpretation after decoding, their bits.

    `plugin` names another decoder than the usual one. Raises CaseError: "too_large", "decode_failed",
    "unknown_transfer_syntax", "pixel_data_mismatch", "colour_contradiction".
    """
    return values_by_step(dataset, frame, warn=warn, plugin=plugin)[:3]


def values_by_step(
    dataset: Dataset, frame: int, *, warn: Warn = nobody, plugin: str | None = None, coarsest: int = 1
) -> tuple[NDArray[np.integer], str, int, int]:
    """As `stored_values`, and the step of the values: 1 for every row and column, 2 for every second.

    A larger step, up to `coarsest`, is chosen where the frame can be decoded so: see `loaders.reduced`.
    """
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    if not decodable(syntax):
        raise CaseError("unknown_transfer_syntax", UNKNOWN_TRANSFER_SYNTAX)
    refuse_too_many_pixels((integer(dataset, "Rows", default=0), integer(dataset, "Columns", default=0)))
    content, stream = _codestream(dataset, frame)
    described = description(dataset, stream, warn=warn)
    if not syntax.is_encapsulated:
        described = matching_length(dataset, described, warn=warn)
    reason = "decode_failed" if syntax.is_encapsulated else "pixel_data_mismatch"
    keeps_words = not syntax.is_encapsulated or syntax == RLELossless
    with refusing(reason, f"the pixel data cannot be decoded as the header describes them ({described})"):
        step = step_of(dataset, stream, described, content, coarsest=coarsest)
        reduced = reduced_values(content, step=step, bits=described.bits_stored) if step > 1 else None
        if reduced is not None:
            return reduced, described.photometric, described.bits_stored, step
        decoder: Any = get_decoder(syntax)  # pydicom gives all options one type
        values, found = decoder.as_array(
            dataset,
            index=frame,
            raw=True,
            decoding_plugin=plugin or _plugin(syntax, bits=described.bits_stored),
            correct_unused_bits=stream is not None and _has_unused_bits(dataset, stream, described),
            **described.options(),
        )
        if keeps_words:
            values = without_unused_bits(
                values,
                stored=described.bits_stored,
                high=integer(dataset, "HighBit", default=described.bits_stored - 1),
            )
    label = described.photometric if stream else str(found["photometric_interpretation"])
    if values.ndim == len(("row", "column", "sample")):
        label = colour_model(label, stream, values, bits=described.bits_stored, warn=warn)
    return values, label, described.bits_stored, 1


def refuse_too_many_pixels(shape: Shape) -> None:
    """Raise CaseError "too_large" for a frame of (rows, columns) beyond `LARGEST_FRAME`."""
    if shape[0] * shape[1] > LARGEST_FRAME:
        raise CaseError(
            "too_large",
            f"the image has more than {LARGEST_FRAME >> 20} Mi pixels; export it at a smaller size",
        )


def _has_unused_bits(dataset: Dataset, stream: Codestream, described: Description) -> bool:
    """Whether decoded values may have bits beyond Bits Stored that mean nothing: a sign, or those of words.

    Unsigned values of a frame with other bits than Bits Allocated have none: there, larger values contradict
    Bits Stored and are refused.
    """
    return described.signed or stream.bits == integer(dataset, "BitsAllocated", default=0)


def lossless_decoders(syntax: UID) -> tuple[str, ...]:
    """Names of the installed decoders of a lossless transfer syntax, the one in use first; else none."""
    names = LOSSLESS.get(syntax, ())
    there = get_decoder(syntax).available_plugins if names else ()
    return tuple(name for name in names if name in there)


def _plugin(syntax: UID, *, bits: int) -> str:
    """The name of the decoder plug-in; empty for pydicom's default."""
    if syntax == JPEGExtended12Bit:
        return jpeg8.PLUGIN if bits <= 8 else jpeg12.PLUGIN  # noqa: PLR2004 – the bits of a byte
    return (*PLUGINS.get(syntax, ()), *lossless_decoders(syntax), "")[0]


def _codestream(dataset: Dataset, frame: int) -> tuple[bytes, Codestream | None]:
    """The compressed frame, and what it says of itself; empty and None if the data have no codestream.

    Raises CaseError if its size is not that of the header: decoders shear the image or overrun memory.
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated or syntax == RLELossless:
        return b"", None
    with refusing("decode_failed", "the frame's codestream cannot be found or read"):
        frames = max(1, integer(dataset, "NumberOfFrames", default=1))
        offsets = dataset.get("ExtendedOffsetTable"), dataset.get("ExtendedOffsetTableLengths")
        content = get_frame(
            dataset.PixelData,
            frame,
            number_of_frames=frames,
            extended_offsets=offsets if all(offsets) else None,
        )
        stream = read_codestream(content)
    if stream is None:
        raise CaseError(
            "decode_failed", "the frame's codestream does not state its size; export the file again"
        )
    stated = tuple(
        integer(dataset, name, default=default)
        for name, default in (("Rows", 0), ("Columns", 0), ("SamplesPerPixel", stream.extent[2]))
    )
    if stream.extent != stated:
        raise CaseError(
            "pixel_data_mismatch",
            f"Rows, Columns and Samples per Pixel are {_times(stated)}, but the {stream.family} frame has "
            f"{_times(stream.extent)}; export the file again",
        )
    return content, stream


def _times(sizes: tuple[int, ...]) -> str:
    return " × ".join(map(str, sizes))


def without_unused_bits(words: NDArray[np.integer], *, stored: int, high: int) -> NDArray[np.integer]:
    """Values of the `stored` bits up to bit `high` of each word, sign-extended. PS3.5, 8.1.1.

    The other bits are dropped, because they may contain overlays.
    """
    allocated = 8 * words.itemsize
    if stored in (1, allocated):
        return words
    if not stored - 1 <= high < allocated:
        raise CaseError(
            "pixel_data_mismatch", "High Bit contradicts Bits Stored or Bits Allocated; export the file again"
        )
    return (words << (allocated - 1 - high)) >> (allocated - stored)
