"""Agreement: one image by two decoders, whose pixels are the same where the syntax loses nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydicom.uid import UID

from pipeline.loaders.parsed import content_of
from pipeline.loaders.pixels import lossless_decoders, stored_values
from pipeline.records import ImageSource


@dataclass(frozen=True, slots=True)
class Compared:
    """One image by two decoders."""

    syntax: str
    """Name of the transfer syntax."""
    used: str
    """The decoder that a run uses."""
    other: str
    unlike: int
    """Number of unlike values."""
    largest: int
    """Largest difference of a stored value."""


def compare_decoders(source: ImageSource) -> Compared | None:
    """The image by both decoders of its lossless syntax; None if it has other pixels, or one decoder only.

    Raises CaseError if one of them cannot decode it.
    """
    if "file_format" in source.attributes:
        return None
    dataset = content_of(source).dataset
    syntax = UID(dataset.file_meta.TransferSyntaxUID)
    used, *others = lossless_decoders(syntax) or ("",)
    if not others:
        return None
    first, second = (
        stored_values(dataset, source.frame, plugin=name)[0].astype(np.int64) for name in (used, others[0])
    )
    if first.shape != second.shape:
        return Compared(syntax.name, used, others[0], first.size, 0)
    difference = np.abs(first - second)
    return Compared(
        syntax.name, used, others[0], int(np.count_nonzero(difference)), int(difference.max(initial=0))
    )
