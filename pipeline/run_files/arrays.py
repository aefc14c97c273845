"""Arrays: the maps in baselines.npz and heatmaps.npz, checked before memory is given to them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.guards.npy_files import array_of
from pipeline.guards.reading import ANY_SIZE, guarded, open_file
from pipeline.records import Intensity
from pipeline.run_files.damage import as_damage, damaged

LARGEST_BYTES = 2**28
"""Of the file, and of all its maps together."""
MOST_MAPS = 10_000
PLANE = 2
"""Axes of a map."""
LARGEST_SIDE = 4096
"""Cells."""
LARGEST_IMAGE_SIDE = 2**15
"""Cells of an external map, which may have one per pixel."""
NOT_NUMPY = "is not a NumPy file with maps"
SUFFIX = ".npy"


def read_maps(path: Path) -> dict[str, Intensity]:
    """Name → map (rows, columns). Raises ConfigError for a damaged file; pickles are never loaded."""
    with (
        as_damage(path),
        open_file(path, most_bytes=LARGEST_BYTES) as file,
        guarded("not_numpy", NOT_NUMPY),
        zipfile.ZipFile(file) as archive,
    ):
        members = archive.infolist()
        if len(members) <= MOST_MAPS and sum(member.file_size for member in members) <= LARGEST_BYTES:
            return {_name(path, member): _map(path, array_of(archive, member)) for member in members}
    raise damaged(path, f"{NOT_NUMPY}: more than {MOST_MAPS:,} maps, or {LARGEST_BYTES >> 20} MiB of them")


def read_map(path: Path, name: str) -> Intensity | None:
    """One map (rows, columns) of a case's heatmaps.npz, by its name; None if the file has no such map.

    Raises the errors of `read_maps`. A map may be as large as its image.
    """
    with (
        as_damage(path),
        open_file(path, most_bytes=ANY_SIZE) as file,
        guarded("not_numpy", NOT_NUMPY),
        zipfile.ZipFile(file) as archive,
    ):
        members = {member.filename: member for member in archive.infolist()}
        member = members.get(f"{name}{SUFFIX}")
        if member is None:
            return None
        if member.file_size <= LARGEST_BYTES:
            return _map(path, array_of(archive, member), largest_side=LARGEST_IMAGE_SIDE)
    raise damaged(path, f"{NOT_NUMPY}: a map of more than {LARGEST_BYTES >> 20} MiB")


def _name(path: Path, member: zipfile.ZipInfo) -> str:
    if not member.filename.endswith(SUFFIX):
        raise damaged(path, f"{NOT_NUMPY}: a part of it is not a map")
    return member.filename.removesuffix(SUFFIX)


def _map(path: Path, cells: NDArray[np.generic], *, largest_side: int = LARGEST_SIDE) -> Intensity:
    sides = cells.shape
    if cells.dtype.kind != "f" or len(sides) != PLANE or not all(0 < side <= largest_side for side in sides):
        raise damaged(path, f"{NOT_NUMPY}: a part of it is not a grid of numbers")
    values: Intensity = cells.astype("f4")
    if not np.isfinite(values).all():
        raise damaged(path, f"{NOT_NUMPY}: a cell is not a finite number")
    return values
