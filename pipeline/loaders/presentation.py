"""Presentation: the display parameters in a header as plain numbers."""

from __future__ import annotations

from itertools import zip_longest
from typing import Literal, cast

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from pipeline.errors import CaseError
from pipeline.loaders.elements import Warn, code, integer, is_empty, nobody, number, numbers, unused, values
from pipeline.loaders.greyscale import Greyscale, Rescale, Span, Table, View, Window

_WRAP = 2**16
"""Look-up table descriptors have 16 bits: 0 means 65536 entries, and the first input may lose its sign."""
_DESCRIPTOR_VALUES = 3
_TABLE_BITS = 16
"""Largest number of bits of an entry, C.11.1.1.1."""
_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


def greyscale(
    dataset: Dataset, *, bits: int | None = None, window: View = "header", warn: Warn = nobody
) -> Greyscale:
    """The display parameters of a data set from `frame_dataset`, of which only those of `window` are read.

    `bits` replaces Bits Stored where the codestream has another number. Raises CaseError "decode_failed" if
    an element that is needed cannot be read.
    """
    signed = bool(integer(dataset, "PixelRepresentation", default=0))
    modality = Rescale() if window == "full" else _modality(dataset, signed=signed, warn=warn)
    voi: Table | Window | None = None
    if window == "header":
        voi = _voi(dataset, signed=_gives_negatives(modality, signed=signed), warn=warn)
    elif window != "full":
        voi = Window(*window)
    return Greyscale(
        bits=integer(dataset, "BitsStored", default=0) if bits is None else bits,
        signed=signed,
        modality=modality,
        voi=voi,
        inverted=_inverted(dataset),
        padding=_padding(dataset, signed=signed, warn=warn),
    )


def _modality(dataset: Dataset, *, signed: bool, warn: Warn) -> Table | Rescale:
    """Modality LUT, or rescale where there is none or it is broken. PS3.3, C.11.1."""
    if sequence := _items(dataset, "ModalityLUTSequence"):
        try:
            return _table(sequence[0], little=_little(dataset), signed=signed)
        except CaseError as error:
            if is_empty(dataset, "RescaleSlope"):
                raise
            warn(unused("ModalityLUTSequence", f"is broken ({error.message.split(';')[0]})"))
    slope, intercept = number(dataset, "RescaleSlope"), number(dataset, "RescaleIntercept")
    if slope == 0:
        raise CaseError("decode_failed", "Rescale Slope is 0; export the file again")
    return Rescale(1.0 if slope is None else slope, intercept or 0.0)


def _gives_negatives(modality: Table | Rescale, *, signed: bool) -> bool:
    """Whether modality values, the input of a VOI LUT, can be negative."""
    return isinstance(modality, Rescale) and (signed or modality.intercept < 0)


def _voi(dataset: Dataset, *, signed: bool, warn: Warn) -> Table | Window | None:
    """The first VOI LUT, else the first complete window with a positive width, PS3.3, C.11.2.

    The standard lets the viewer choose between tables and windows, so a broken one is passed over.
    """
    for item in _items(dataset, "VOILUTSequence"):
        try:
            return _table(item, little=_little(dataset), signed=signed)
        except CaseError as error:
            warn(unused("VOILUTSequence", f"has a broken item ({error.message.split(';')[0]})"))
    pairs = list(zip_longest(values(dataset, "WindowCenter"), values(dataset, "WindowWidth")))
    complete = [(c, w) for c, w in pairs if c is not None and w is not None and w > 0]
    for keyword, others in (("WindowCenter", "Window Width"), ("WindowWidth", "Window Center")):
        if len(complete) < len(pairs) and not is_empty(dataset, keyword):
            warn(unused(keyword, f"and {others} have a pair without two numbers, or of no positive width"))
            break
    if not complete:
        return None
    return Window(*complete[0], _function(dataset))


def _function(dataset: Dataset) -> Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]:
    """VOI LUT Function, C.11.2.1.3; LINEAR where it is absent."""
    name = code(dataset, "VOILUTFunction")
    if name in _FUNCTIONS:
        return cast("Literal['LINEAR', 'LINEAR_EXACT', 'SIGMOID']", name)
    if not is_empty(dataset, "VOILUTFunction"):
        raise CaseError(
            "decode_failed",
            "VOI LUT Function is not LINEAR, LINEAR_EXACT or SIGMOID; export the file with one of them, or "
            "set preprocessing.window of the model card",
        )
    return "LINEAR"


def _inverted(dataset: Dataset) -> bool:
    """Whether low values are white, PS3.3, C.7.6.3.1.2 and C.11.6.1.

    MONOCHROME1 together with INVERSE, common in radiographs, is a single inversion.
    """
    return photometric(dataset) == "MONOCHROME1" or code(dataset, "PresentationLUTShape") == "INVERSE"


def photometric(dataset: Dataset) -> str:
    """Photometric Interpretation; empty if absent."""
    return code(dataset, "PhotometricInterpretation")


def _padding(dataset: Dataset, *, signed: bool, warn: Warn) -> Span | None:
    """The range of padding values, PS3.3, C.7.5.1.1.2; a wrong sign is corrected to that of the pixels."""
    ends = []
    for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit"):
        if is_empty(dataset, keyword):
            break
        value = values(dataset, keyword)[0]
        if value is None:
            warn(unused(keyword, "is not a number"))
            break
        period = 2.0 ** integer(dataset, "BitsAllocated", default=16)
        ends.append(_as_signed(value, signed=signed, period=period))
    return (min(ends), max(ends)) if ends else None


def _as_signed(value: float, *, signed: bool, period: float) -> float:
    low = -period / 2 if signed else 0.0
    return (value - low) % period + low


def _items(dataset: Dataset, keyword: str) -> list[Dataset]:
    found = dataset.get(keyword)
    return list(found) if isinstance(found, Sequence) else []


def _table(item: Dataset, *, little: bool, signed: bool) -> Table:
    """A Modality or VOI LUT, PS3.3, C.11.1.1.1 and C.11.2.1.1. Raises CaseError "decode_failed"."""
    descriptor = numbers(item, "LUTDescriptor")
    if len(descriptor) != _DESCRIPTOR_VALUES or is_empty(item, "LUTData"):
        raise CaseError(
            "decode_failed",
            "LUT Descriptor does not have three numbers, or LUT Data is missing; export the file again",
        )
    count, first, bits = (int(value) for value in descriptor)
    count = count % _WRAP or _WRAP
    entries = _entries(item["LUTData"].value, count=count, little=little)
    highest = max(2.0 ** min(bits, _TABLE_BITS) - 1, entries.max())
    return Table(entries, _as_signed(first, signed=signed, period=_WRAP), highest)


def _entries(data: object, *, count: int, little: bool) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The entries of LUT Data, stored as numbers, as 16-bit words or as bytes."""
    if isinstance(data, bytes):
        wide = len(data) >= 2 * count
        found = np.frombuffer(data, ("<u2" if little else ">u2") if wide else "u1")
    else:
        found = np.atleast_1d(np.asarray(data, np.int64)) % _WRAP
    if found.size < count:
        raise CaseError(
            "decode_failed",
            f"a look-up table has {found.size} entries, but its descriptor states {count}; "
            "export the file again",
        )
    return found[:count].astype(np.float64)


def _little(dataset: Dataset) -> bool:
    return bool(dataset.file_meta.TransferSyntaxUID.is_little_endian)
