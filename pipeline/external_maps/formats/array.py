"""Arrays: maps in NumPy files, .npy or .npz with one array, without pickle."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import HeatmapFormat
from pipeline.errors import CaseError

LARGEST_BYTES = 2**30
"""Upper limit for an unpacked map, because a compressed file can expand beyond memory."""
PLANE_AXES = 2


def read(path: Path, plane: int) -> NDArray[np.generic]:  # noqa: ARG001  a file holds one map
    """The map (rows, columns); leading and trailing axes of length 1 are dropped, as in (1, 1, 7, 7)."""
    try:
        values = _only_array(path) if path.suffix.lower() == ".npz" else np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise CaseError(
            "heatmap_unreadable",
            "The heatmap is not a readable .npy or .npz file without pickled objects; save it again with "
            "numpy.save.",
        ) from error
    return plane_of(np.asarray(values))


def plane_of(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """The single plane (rows, columns) of an array. Raises CaseError "heatmap_shape" if there is none."""
    shape = values.shape
    while len(shape) > PLANE_AXES and 1 in (shape[0], shape[-1]):
        shape = shape[1:] if shape[0] == 1 else shape[:-1]
    if len(shape) != PLANE_AXES:
        found = " × ".join(map(str, values.shape)) or "a single number"
        raise CaseError("heatmap_shape", f"The heatmap is {found}; save one plane of rows × columns.")
    return values.reshape(shape)


def _only_array(path: Path) -> NDArray[np.generic]:
    with zipfile.ZipFile(path) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > LARGEST_BYTES:
            raise CaseError(
                "heatmap_unreadable", "The heatmap unpacks to more than 1 GiB; save a smaller grid."
            )
    with np.load(path, allow_pickle=False) as arrays:
        if len(arrays.files) != 1:
            raise CaseError(
                "heatmap_shape", f"The .npz file holds {len(arrays.files)} arrays; save one map per file."
            )
        found: NDArray[np.generic] = arrays[arrays.files[0]]
        return found


ARRAY = HeatmapFormat(suffixes=(".npy", ".npz"), read=read)
