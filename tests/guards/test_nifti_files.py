"""Voxels are read from where they are; what ITK would fill with zeros is refused."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813  the name its manual gives it

from pipeline.errors import CaseError
from pipeline.guards.nifti_files import LARGEST_BYTES, stored_voxels

MAP = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
VOX_OFFSET = 108
"""Its byte in the header (nifti1.h); `dim` begins at 40, `datatype` at 70."""


def volume(folder: Path, values: np.ndarray = MAP) -> bytearray:
    sitk.WriteImage(sitk.GetImageFromArray(values), folder / "whole.nii")
    return bytearray((folder / "whole.nii").read_bytes())


def reason(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(CaseError) as refused:
        stored_voxels(path)
    return refused.value.reason


@pytest.mark.parametrize("values", [MAP, MAP.astype(np.uint8), MAP.astype(np.float64)])
def test_the_voxels_are_those_written(tmp_path: Path, values: np.ndarray) -> None:
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(volume(tmp_path, values)))
    for name in ("whole.nii", "a.nii.gz"):
        found = stored_voxels(tmp_path / name)
        assert found.stored == values.tobytes()
        assert found.finite


def test_nan_is_found(tmp_path: Path) -> None:
    volume(tmp_path, np.where(MAP == 3, np.nan, MAP).astype(np.float32))
    assert not stored_voxels(tmp_path / "whole.nii").finite


@pytest.mark.parametrize("offset", [float("inf"), float("nan"), -5, 0, 100, 352.5, 356, 1e9, 1e30])
def test_voxels_elsewhere_are_refused(tmp_path: Path, offset: float) -> None:
    content = volume(tmp_path)
    struct.pack_into("<f", content, VOX_OFFSET, offset)
    assert reason(tmp_path / "a.nii", content) in {"not_nifti", "too_large"}


@pytest.mark.parametrize(
    ("place", "values"),
    [(40, (0, 3)), (40, (8, 3)), (40, (3, -3)), (40, (3, 4)), (70, (0,)), (70, (77,)), (0, (540, 0))],
)
def test_headers_that_contradict_the_file_are_refused(
    tmp_path: Path, place: int, values: tuple[int, ...]
) -> None:
    content = volume(tmp_path)
    struct.pack_into(f"<{len(values)}h", content, place, *values)
    assert reason(tmp_path / "a.nii", content) == "not_nifti"


def test_what_is_named_gz_is_compressed_and_intact(tmp_path: Path) -> None:
    content = volume(tmp_path)
    assert reason(tmp_path / "a.nii.gz", content) == "not_nifti"
    compressed = bytearray(gzip.compress(content))
    compressed[-8] ^= 1  # the checksum
    assert reason(tmp_path / "a.nii.gz", compressed) == "not_nifti"
    assert reason(tmp_path / "a.nii.gz", compressed[:-20]) == "not_nifti"


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    content = volume(tmp_path)
    struct.pack_into("<8h", content, 40, 3, 30000, 30000, 1, 1, 1, 1, 1)
    assert reason(tmp_path / "a.nii.gz", gzip.compress(content)) == "too_large"
    zeros = gzip.compress(bytes(2**24)) * (LARGEST_BYTES // 2**24 + 1)
    assert reason(tmp_path / "b.nii.gz", gzip.compress(volume(tmp_path)) + zeros) == "too_large"
