"""Decoding: an image source → the image as it is shown, by the steps of the standard in their order."""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from pipeline.errors import CaseError, ConfigError
from pipeline.loaders.dataset import fingerprint, is_hashed_whole, read_bytes, reading, refusing, whole
from pipeline.loaders.display import brightness_display, stored_display
from pipeline.loaders.elements import code, integer
from pipeline.loaders.frames import of_frame
from pipeline.loaders.greyscale import Greyscale, presented
from pipeline.loaders.luminance import luminance, palette_luminance
from pipeline.loaders.pixels import stored_values
from pipeline.loaders.presentation import greyscale
from pipeline.loaders.spacing import spacing_mm
from pipeline.records import Display, Image, ImageSource

View: TypeAlias = Literal["header", "full"] | tuple[float, float]
"""The header's VOI LUT or first window; stored values over their full range; or a window (center, width)."""
UNITS = ("OD", "HU", "US", "MGML", "Z_EFF", "ED", "EDW", "HU_MOD", "PCT")
"""Defined terms of Rescale Type; free text does not enter a report."""
GREY = ("MONOCHROME1", "MONOCHROME2")
PALETTE = "PALETTE COLOR"


def decode(source: ImageSource, *, case_id: str, window: View = "header") -> Image:
    """The image, 0 … 1, bright where the radiologist sees it bright; padding is 0.

    A window (center, width) is in modality units (C.11.2.1.2.1, LINEAR); it and "full" leave colour as it is.
    Raises CaseError: "unreadable", "file_changed", "frame_missing", "pixel_data_mismatch", "decode_failed",
    "too_large", "unsupported_photometric", "unknown_transfer_syntax"; ConfigError for a window without width.
    """
    if isinstance(window, tuple) and not window[1] > 0:
        raise ConfigError(f"window: found width {window[1]}, wanted one above 0")
    path = Path(source.path)
    data = read_bytes(path)
    if source.fingerprint and _is_another(path, data, source):
        raise CaseError("file_changed", "the file was written again after the folder was listed")
    dataset = whole(data)
    with refusing("decode_failed", "a value in the header cannot be read"):
        _refuse_another_file(dataset, source)
        frame = of_frame(dataset, source.frame)
        spacing = spacing_mm(frame)
        stored, photometric = stored_values(dataset, source.frame)
        pixels, display = _brightness(stored, photometric, frame, window=window)
    if pixels.shape != source.shape or not np.isfinite(pixels).all():
        raise CaseError("decode_failed", "the decoded pixels have another shape or are not finite")
    return Image(
        case_id=case_id,
        pixels=np.ascontiguousarray(pixels),
        spacing_mm=spacing,
        attributes=source.attributes,
        sha256=hashlib.sha256(data).hexdigest(),
        display=display,
    )


def _is_another(path: Path, data: bytes, source: ImageSource) -> bool:
    """Whether the file, as read, is another than the one that was listed.

    Of what is too large to be hashed whole, so is one whose own time of change or inode is another: the time
    of its content can be put back. A changed right or a new link counts too, until the next try.
    """
    with reading():
        status = path.stat()
    if status.st_mtime_ns != source.modified_ns or fingerprint(BytesIO(data)) != source.fingerprint:
        return True
    found = (status.st_ctime_ns, status.st_ino)
    return not is_hashed_whole(len(data)) and found != (source.changed_ns, source.inode)


def _refuse_another_file(dataset: Dataset, source: ImageSource) -> None:
    found = (integer(dataset, "Rows", default=0), integer(dataset, "Columns", default=0))
    if found == (0, 0):
        raise CaseError("decode_failed", "the file ends within its pixel data")
    if found != source.shape:
        raise CaseError("file_changed", "the file has another size than when the folder was listed")
    if source.frame >= max(1, integer(dataset, "NumberOfFrames", default=1)):
        raise CaseError("frame_missing", f"the file has no frame {source.frame}, counted from 0")


def _brightness(
    stored: NDArray[np.integer], photometric: str, dataset: Dataset, *, window: View
) -> tuple[NDArray[np.float32], Display]:
    """Stored values by the way of their photometric interpretation. PS3.3, C.7.6.3.1.2."""
    bits = integer(dataset, "BitsStored", default=0)
    if photometric == PALETTE and stored.ndim == len(("row", "column")):
        pixels = palette_luminance(stored, dataset)
        return pixels, brightness_display(pixels, bits=8)
    if photometric not in GREY and stored.ndim == len(("row", "column", "sample")):
        pixels = luminance(stored, photometric, bits=bits)
        return pixels, brightness_display(pixels, bits=bits)
    if photometric in GREY and stored.ndim == len(("row", "column")):
        scale = greyscale(dataset).windowed(window)
        _refuse_out_of_range(stored, scale)
        pixels = presented(stored, scale)
        straight = stored_display(stored, scale, unit=_unit(dataset, window))
        return pixels, straight or brightness_display(pixels, bits=scale.bits)
    raise CaseError(
        "pixel_data_mismatch", "Photometric Interpretation is missing or contradicts Samples per Pixel"
    )


def _unit(dataset: Dataset, window: View) -> str:
    """The unit of modality values where the header says: Rescale Type, HU of CT without it. C.11.1.1.2."""
    if window == "full":
        return ""
    named = code(dataset, "RescaleType") or ("HU" if code(dataset, "Modality") == "CT" else "")
    return named if named in UNITS else ""


def _refuse_out_of_range(stored: NDArray[np.integer], scale: Greyscale) -> None:
    """A codestream may hold more bits than the header says; brightness would then be a guess."""
    low, high = scale.stored
    if stored.min() < low or stored.max() > high:
        raise CaseError(
            "pixel_data_mismatch", f"stored values lie outside of the {scale.bits} bits announced"
        )
