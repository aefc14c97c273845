"""NumPy files: the array of a .npy or .npz file, bounded and without pickled objects."""

from __future__ import annotations

import math
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from pipeline.errors import CaseError
from pipeline.guards.reading import guarded, read_file

LARGEST_BYTES: Final = 2**30
"""Upper limit for an array; a compressed file can expand beyond memory."""
READ_HEADER: Final[dict[tuple[int, int], Any]] = {
    (1, 0): npy.read_array_header_1_0,
    (2, 0): npy.read_array_header_2_0,
}
"""Version of the format → its reader; version 3 is for names of fields, which numbers do not have."""
PLAIN: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""Compressions that numpy writes, and whose output can be limited."""
NOT_NPY: Final = "is not a readable .npy file without pickled objects; save it again with numpy.save"
NOT_NPZ: Final = "is not a readable .npz file without pickled objects; save it again with numpy.savez"


def read_npy(path: str | Path) -> NDArray[np.generic]:
    """The array in a .npy file, read-only.

    Raises CaseError "not_an_array", or that of `read_file`. The numbers may be of any type but objects.
    """
    content = read_file(path, most_bytes=LARGEST_BYTES)
    with guarded("not_an_array", NOT_NPY):
        return _array_in(content)


def read_npz(path: str | Path) -> tuple[NDArray[np.generic], ...]:
    """All arrays in a .npz file. Raises CaseError "not_an_array" or "too_large", or that of `read_file`."""
    content = read_file(path, most_bytes=LARGEST_BYTES)
    with guarded("not_an_array", NOT_NPZ), zipfile.ZipFile(BytesIO(content)) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > LARGEST_BYTES:
            raise CaseError("too_large", "unpacks to more than 1 GiB; save fewer or smaller arrays")
        return tuple(array_of(archive, entry) for entry in entries)


def array_of(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> NDArray[np.generic]:
    """The array in an entry of a .npz file, read-only; raises anything for an entry that holds none.

    No more is unpacked than the entry declares, whose sum the caller bounds: `ZipFile.read` unpacks up to
    1 GiB of an entry that declares a byte.
    """
    if entry.compress_type not in PLAIN:
        raise CaseError("not_an_array", NOT_NPZ)
    with archive.open(entry) as part:
        return _array_in(part.read(entry.file_size))


def _array_in(content: bytes) -> NDArray[np.generic]:
    """The array; raises anything for bytes that are none."""
    stream = BytesIO(content)
    shape, by_columns, dtype = READ_HEADER[npy.read_magic(stream)](stream)
    if dtype.hasobject or any(isinstance(length, bool) or length < 0 for length in shape):
        raise CaseError("not_an_array", NOT_NPY)
    count, order = math.prod(shape), "F" if by_columns else "C"
    values = np.frombuffer(content, dtype, count, stream.tell()) if count else np.empty(0, dtype)
    return np.asarray(values.reshape(shape, order=order))  # type: ignore[call-overload]
