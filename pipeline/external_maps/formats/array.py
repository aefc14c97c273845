"""Arrays: maps in NumPy files, .npy or .npz with one array, without pickle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import HeatmapFormat
from pipeline.errors import CaseError
from pipeline.guards.npy_files import read_npy, read_npz
from pipeline.guards.reading import about

PLANE_AXES = 2


def read(path: Path, plane: int) -> NDArray[np.generic]:  # noqa: ARG001  a file holds one map
    """The map (rows, columns); leading and trailing axes of length 1 are dropped, as in (1, 1, 7, 7)."""
    with about("The heatmap", "heatmap_unreadable"):
        arrays = read_npz(path) if path.suffix.lower() == ".npz" else (read_npy(path),)
    if len(arrays) != 1:
        raise CaseError("heatmap_shape", f"The .npz file holds {len(arrays)} arrays; save one map per file.")
    return plane_of(arrays[0])


def plane_of(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """The single plane (rows, columns) of an array. Raises CaseError "heatmap_shape" if there is none."""
    shape = values.shape
    while len(shape) > PLANE_AXES and 1 in (shape[0], shape[-1]):
        shape = shape[1:] if shape[0] == 1 else shape[:-1]
    if len(shape) != PLANE_AXES:
        found = " × ".join(map(str, values.shape)) or "a single number"
        raise CaseError("heatmap_shape", f"The heatmap is {found}; save one plane of rows × columns.")
    return values.reshape(shape)


ARRAY = HeatmapFormat(suffixes=(".npy", ".npz"), read=read)
