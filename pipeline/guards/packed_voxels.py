"""Packed voxels: whether the compressed voxels of a volume file are as they were written.

ITK does not compare the checksums of gzip and zlib, so one rotten byte becomes another mask.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final

from pipeline.errors import CaseError

LARGEST_BYTES: Final = 2**30
"""Upper limit for the unpacked voxels."""
PIECE_BYTES: Final = 2**20


def check_gzip(file: BinaryIO) -> None:
    """Read gzip members from here to the end of the file, with their checksums.

    Raises CaseError "too_large", or whatever gzip raises for damaged content; call it within `guarded`.
    """
    with gzip.GzipFile(fileobj=file) as unpacked:
        _refuse_larger(iter(lambda: unpacked.read(PIECE_BYTES), b""))


def check_zlib(file: BinaryIO) -> None:
    """Read a zlib stream from here to its end, with its checksum; errors are those of `check_gzip`."""
    _refuse_larger(_inflated(file))


def _inflated(file: BinaryIO) -> Iterator[bytes]:
    inflater = zlib.decompressobj()
    while not inflater.eof:
        packed = inflater.unconsumed_tail or file.read(PIECE_BYTES)
        piece = inflater.decompress(packed, PIECE_BYTES)
        if not packed and not piece and not inflater.eof:
            raise EOFError("the zlib stream ends early")
        yield piece


def _refuse_larger(pieces: Iterator[bytes]) -> None:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > LARGEST_BYTES:
            raise CaseError("too_large", "unpacks to more than 1 GiB; save it in smaller files")
