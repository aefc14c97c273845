"""Arrays: maps as NumPy writes them, .npy or .npz with one array, without pickle."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contracts import HeatmapFormat
from pipeline.errors import CaseError

LARGEST_BYTES = 2**30
"""Of one unpacked map; a packed file can announce more than memory holds."""
PLANE_AXES = 2


def read(path: Path, plane: int) -> NDArray[np.generic]:  # noqa: ARG001  a file holds one map
    """The map; axes of length 1 around rows and columns are left out, as in (1, 1, 7, 7) of a network."""
    try:
        values = _only_array(path) if path.suffix.lower() == ".npz" else np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise CaseError(
            "heatmap_unreadable", "The heatmap is not a readable .npy or .npz file without pickled objects."
        ) from error
    return plane_of(np.asarray(values))


def plane_of(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """The one plane (rows, columns) of an array; CaseError "heatmap_shape" where it has several or none."""
    kept = values.shape
    while len(kept) > PLANE_AXES and 1 in (kept[0], kept[-1]):
        kept = kept[1:] if kept[0] == 1 else kept[:-1]
    if len(kept) != PLANE_AXES:
        found = " × ".join(map(str, values.shape)) or "a single number"
        raise CaseError("heatmap_shape", f"The heatmap is {found}, wanted one plane of rows × columns.")
    return values.reshape(kept)


def _only_array(path: Path) -> NDArray[np.generic]:
    with zipfile.ZipFile(path) as packed:
        if sum(entry.file_size for entry in packed.infolist()) > LARGEST_BYTES:
            raise CaseError("heatmap_unreadable", "The heatmap unpacks to more than 1 GiB.")
    with np.load(path, allow_pickle=False) as arrays:
        if len(arrays.files) != 1:
            raise CaseError(
                "heatmap_shape", f"The .npz file holds {len(arrays.files)} arrays, wanted one map a file."
            )
        found: NDArray[np.generic] = arrays[arrays.files[0]]
        return found


ARRAY = HeatmapFormat(read=read)
