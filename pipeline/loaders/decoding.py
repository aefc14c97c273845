"""Decoding: a DICOM data set → the displayed image, following the steps of the standard in order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from pipeline.errors import CaseError
from pipeline.loaders.dataset import refusing
from pipeline.loaders.directions import directions_in
from pipeline.loaders.display import Decoded, brightness_display, stored_display
from pipeline.loaders.elements import Warn, code, integer
from pipeline.loaders.frames import frame_dataset
from pipeline.loaders.greyscale import Greyscale, View, presentation_values
from pipeline.loaders.header import warn_of_attributes
from pipeline.loaders.luminance import luminance, palette_luminance
from pipeline.loaders.pixels import values_by_step
from pipeline.loaders.plausibility import warn_of_masks, warn_of_range
from pipeline.loaders.presentation import greyscale
from pipeline.loaders.spacing import spacing_at, spacing_mm
from pipeline.loaders.terms import PHOTOMETRIC, listed
from pipeline.records import Display, ImageSource

UNITS = ("OD", "HU", "US", "MGML", "Z_EFF", "ED", "EDW", "HU_MOD", "PCT")
"""Defined terms of Rescale Type; free text must not appear in a report."""
GREY = ("MONOCHROME1", "MONOCHROME2")
PALETTE = "PALETTE COLOR"


def decode_dataset(
    dataset: Dataset, source: ImageSource, *, window: View, warn: Warn, coarsest: int = 1
) -> Decoded:
    """The displayed frame of a DICOM file; of every pixel, or up to every `coarsest`-th (`Image.step`).

    Raises CaseError: "unreadable", "file_changed", "frame_missing", "pixel_data_mismatch", "decode_failed",
    "colour_contradiction", "too_large", "unsupported_photometric", "unknown_transfer_syntax".
    """
    with refusing("decode_failed", "a value in the header cannot be read"):
        _refuse_mismatch(dataset, source)
        frame = frame_dataset(dataset, source.frame)
        spacing, directions = spacing_mm(frame, warn), directions_in(frame, warn)
        stored, photometric, bits, step = values_by_step(dataset, source.frame, warn=warn, coarsest=coarsest)
        warn_of_masks(stored, warn)
        pixels, display = _brightness(stored, photometric, frame, bits=bits, window=window, warn=warn)
        warn_of_attributes(dataset, warn)
    return Decoded(pixels, spacing, display, directions, spacing_at(frame) if spacing else "", step)


def _refuse_mismatch(dataset: Dataset, source: ImageSource) -> None:
    found = (integer(dataset, "Rows", default=0), integer(dataset, "Columns", default=0))
    if found == (0, 0):
        raise CaseError("decode_failed", "the file ends within its pixel data; export it again")
    if found != source.shape:
        raise CaseError(
            "file_changed", "the image size changed after the folder was listed; start the run again"
        )
    if source.frame >= max(1, integer(dataset, "NumberOfFrames", default=1)):
        raise CaseError(
            "frame_missing", f"the file has no frame {source.frame} (counted from 0); export it again"
        )


def _brightness(
    stored: NDArray[np.integer], photometric: str, dataset: Dataset, *, bits: int, window: View, warn: Warn
) -> tuple[NDArray[np.float32], Display]:
    """Brightness 0 … 1 and display values, by photometric interpretation. PS3.3, C.7.6.3.1.2."""
    if photometric == PALETTE and stored.ndim == len(("row", "column")):
        pixels = palette_luminance(stored, dataset)
        return pixels, brightness_display(pixels, bits=8)
    if photometric not in GREY and stored.ndim == len(("row", "column", "sample")):
        pixels = luminance(stored, photometric, bits=bits)
        return pixels, brightness_display(pixels, bits=bits)
    if photometric in GREY and stored.ndim == len(("row", "column")):
        scale = greyscale(dataset, bits=bits, window=window, warn=warn)
        _refuse_out_of_range(stored, scale)
        pixels = presentation_values(stored, scale)
        warn_of_range(stored, pixels, scale, warn)
        linear = stored_display(stored, scale, unit=_unit(dataset, window))
        return pixels, linear or brightness_display(pixels, bits=scale.bits)
    samples = stored.shape[2] if stored.ndim == len(("row", "column", "sample")) else 1
    raise CaseError(
        "pixel_data_mismatch",
        f"Photometric Interpretation is {listed(photometric, PHOTOMETRIC) or 'unknown'}, but Samples per "
        f"Pixel is {samples}; export the file again",
    )


def _unit(dataset: Dataset, window: View) -> str:
    """The unit of modality values: Rescale Type, or HU for CT without it; empty if unknown. C.11.1.1.2."""
    if window == "full":
        return ""
    unit = code(dataset, "RescaleType") or ("HU" if code(dataset, "Modality") == "CT" else "")
    return unit if unit in UNITS else ""


def _refuse_out_of_range(stored: NDArray[np.integer], scale: Greyscale) -> None:
    """Refuse values outside Bits Stored, which a codestream can contain: their brightness is undefined."""
    low, high = scale.stored
    if stored.min() < low or stored.max() > high:
        raise CaseError(
            "pixel_data_mismatch",
            f"the pixel data have values from {stored.min()} to {stored.max()}, but Bits Stored and Pixel "
            f"Representation allow {low:.0f} to {high:.0f}; export the file again",
        )
