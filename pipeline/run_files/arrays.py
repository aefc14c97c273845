"""Arrays: the maps in baselines.npz, checked before memory is given to them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from pipeline.guards.reading import guarded, open_file
from pipeline.records import Intensity
from pipeline.run_files.damage import damaged, of_run

LARGEST_BYTES = 2**28
"""Of the file, and of all its maps together."""
MOST_MAPS = 10_000
LARGEST_SIDE = 4096
"""Cells."""
NOT_NUMPY = "is not a NumPy file with maps"
SUFFIX = ".npy"


def read_maps(path: Path) -> dict[str, Intensity]:
    """Name → map (rows, columns). Raises ConfigError for a damaged file; pickles are never loaded."""
    with (
        of_run(path),
        open_file(path, most_bytes=LARGEST_BYTES) as file,
        guarded("not_numpy", NOT_NUMPY),
        zipfile.ZipFile(file) as archive,
    ):
        members = archive.infolist()
        if len(members) <= MOST_MAPS and sum(member.file_size for member in members) <= LARGEST_BYTES:
            return {_name(path, member): _map(path, _bytes(archive, member)) for member in members}
    raise damaged(path, f"{NOT_NUMPY}: more than {MOST_MAPS:,} maps, or {LARGEST_BYTES >> 20} MiB of them")


def _name(path: Path, member: zipfile.ZipInfo) -> str:
    if not member.filename.endswith(SUFFIX):
        raise damaged(path, f"{NOT_NUMPY}: a part of it is not a map")
    return member.filename.removesuffix(SUFFIX)


def _bytes(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The bytes of a part, never more than it declares."""
    if member.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
        raise zipfile.BadZipFile
    with archive.open(member) as part:
        return part.read(member.file_size)


def _map(path: Path, content: bytes) -> Intensity:
    """The map in the bytes of a .npy file."""
    file = io.BytesIO(content)
    version = npy.read_magic(file)
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, is_fortran, dtype = read_header(file)
    if dtype.kind != "f" or len(shape) != 2 or not all(0 < side <= LARGEST_SIDE for side in shape):  # noqa: PLR2004  rows and columns
        raise damaged(path, f"{NOT_NUMPY}: a part of it is not a grid of numbers")
    cells = content[file.tell() :]
    values: Intensity = (
        np.frombuffer(cells, dtype).reshape(shape, order="F" if is_fortran else "C").astype("f4")
    )
    if not np.isfinite(values).all():
        raise damaged(path, f"{NOT_NUMPY}: a cell is not a finite number")
    return values
