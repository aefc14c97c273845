"""Presentation: what a header says about showing its pixels, as plain numbers."""

from __future__ import annotations

from typing import Literal, cast

import numpy as np
from pydicom.dataset import Dataset

from pipeline.errors import CaseError
from pipeline.loaders.elements import code, integer, number, numbers
from pipeline.loaders.greyscale import Greyscale, Rescale, Span, Table, Window

_WRAP = 2**16
"""Descriptors of look-up tables have 16 bits: 0 stands for 65536 entries, and signs may be lost."""
_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


def greyscale(dataset: Dataset) -> Greyscale:
    """How the frame of this (flattened) data set is shown. Raises CaseError where its elements contradict."""
    bits, signed = integer(dataset, "BitsStored", default=0), bool(dataset.get("PixelRepresentation"))
    if not 0 < bits <= integer(dataset, "BitsAllocated", default=0):
        raise CaseError("pixel_data_mismatch", f"{bits} bits are stored in fewer bits, or none")
    modality = _modality(dataset, signed=signed)
    return Greyscale(
        bits=bits,
        signed=signed,
        modality=modality,
        voi=_voi(dataset, signed=_gives_negatives(modality, signed=signed)),
        inverted=_inverted(dataset),
        padding=_padding(dataset, signed=signed),
    )


def _modality(dataset: Dataset, *, signed: bool) -> Table | Rescale:
    """PS3.3, C.11.1."""
    if sequence := dataset.get("ModalityLUTSequence"):
        return _table(sequence[0], little=_little(dataset), signed=signed)
    slope, intercept = number(dataset, "RescaleSlope"), number(dataset, "RescaleIntercept")
    if slope == 0:
        raise CaseError("decode_failed", "Rescale Slope is 0")
    return Rescale(1.0 if slope is None else slope, intercept or 0.0)


def _gives_negatives(modality: Table | Rescale, *, signed: bool) -> bool:
    """Whether the input of a VOI LUT has a sign."""
    return isinstance(modality, Rescale) and (signed or modality.intercept < 0)


def _voi(dataset: Dataset, *, signed: bool) -> Table | Window | None:
    """PS3.3, C.11.2: the first table, else the first window that has a width."""
    if sequence := dataset.get("VOILUTSequence"):
        return _table(sequence[0], little=_little(dataset), signed=signed)
    name = code(dataset, "VOILUTFunction") or "LINEAR"
    if name not in _FUNCTIONS:
        raise CaseError("decode_failed", "VOI LUT Function is none of LINEAR, LINEAR_EXACT, SIGMOID")
    function = cast("Literal['LINEAR', 'LINEAR_EXACT', 'SIGMOID']", name)
    pairs = zip(numbers(dataset, "WindowCenter"), numbers(dataset, "WindowWidth"), strict=False)
    return next((Window(center, width, function) for center, width in pairs if width > 0), None)


def _inverted(dataset: Dataset) -> bool:
    """PS3.3, C.7.6.3.1.2 and C.11.6.1. MONOCHROME1 *and* INVERSE, as in radiographs, is one inversion."""
    return photometric(dataset) == "MONOCHROME1" or code(dataset, "PresentationLUTShape") == "INVERSE"


def photometric(dataset: Dataset) -> str:
    """Photometric Interpretation; empty where absent."""
    return code(dataset, "PhotometricInterpretation")


def _padding(dataset: Dataset, *, signed: bool) -> Span | None:
    """PS3.3, C.7.5.1.1.2. A value written with the wrong sign is read with the pixels' own."""
    value = number(dataset, "PixelPaddingValue")
    if value is None:
        return None
    limit = number(dataset, "PixelPaddingRangeLimit")
    period = 2.0 ** integer(dataset, "BitsAllocated", default=16)
    ends = [
        _as_signed(end, signed=signed, period=period) for end in (value, value if limit is None else limit)
    ]
    return min(ends), max(ends)


def _as_signed(value: float, *, signed: bool, period: float) -> float:
    low = -period / 2 if signed else 0.0
    return (value - low) % period + low


def _table(item: Dataset, *, little: bool, signed: bool) -> Table:
    """A Modality or VOI LUT, PS3.3, C.11.1.1.1 and C.11.2.1.1."""
    count, first, bits = (int(value) for value in numbers(item, "LUTDescriptor"))
    count = count % _WRAP or _WRAP
    entries = _entries(item["LUTData"].value, count=count, little=little)
    highest = max(2.0**bits - 1, entries.max())
    return Table(entries, _as_signed(first, signed=signed, period=_WRAP), highest)


def _entries(data: object, *, count: int, little: bool) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The entries, whether given as numbers, as words, or as bytes where there is one an entry."""
    if isinstance(data, bytes):
        wide = len(data) >= 2 * count
        found = np.frombuffer(data, ("<u2" if little else ">u2") if wide else "u1")
    else:
        found = np.atleast_1d(np.asarray(data, np.int64)) % _WRAP
    if found.size < count:
        raise CaseError("decode_failed", f"a look-up table has {found.size} entries, {count} are announced")
    return found[:count].astype(np.float64)


def _little(dataset: Dataset) -> bool:
    return bool(dataset.file_meta.TransferSyntaxUID.is_little_endian)
