"""Tests of NIfTI, NRRD and MetaImage masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813  the name its manual gives it

from pipeline.annotations.volume import find, read
from pipeline.errors import CaseError
from pipeline.records import Reference

VALUES = np.array([[0, 1, 0], [2, 2, 0]], np.uint8)
INSTANCES = [[[0, 1, 0], [0, 0, 0]], [[0, 0, 0], [1, 1, 0]]]
SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")


def write(path: Path, values: np.ndarray, *, vector: bool = False) -> None:
    sitk.WriteImage(sitk.GetImageFromArray(values, isVector=vector), path)


def reference(path: Path, shape: tuple[int, int] = (2, 3), **options: str) -> Reference:
    (item,) = find(path, **options)
    return read(item, case_id="case", finding="mass", shape=shape)


def drawn(found: Reference) -> list[list[list[int]]]:
    return [mask.astype(int).tolist() for mask in found.masks]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("slices", [VALUES, VALUES[None]], ids=["flat", "one slice"])
def test_x_runs_to_the_right_and_y_down_as_stored(tmp_path: Path, suffix: str, slices: np.ndarray) -> None:
    write(tmp_path / f"1.2.3{suffix}", slices)
    (item,) = find(tmp_path)
    assert item.image == "1.2.3"
    assert drawn(reference(tmp_path)) == INSTANCES


def test_the_affine_does_not_turn_the_mask(tmp_path: Path) -> None:
    image = sitk.GetImageFromArray(VALUES[None])
    image.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
    image.SetSpacing((0.2, 0.4, 1))
    sitk.WriteImage(image, tmp_path / "1.nii.gz")
    assert drawn(reference(tmp_path)) == INSTANCES


def test_a_file_of_rows_first_is_turned_where_the_source_says_so(tmp_path: Path) -> None:
    write(tmp_path / "1.nii.gz", np.ascontiguousarray(VALUES.T))
    with pytest.raises(CaseError, match="look swapped"):
        reference(tmp_path)
    assert drawn(reference(tmp_path, first_axis="y")) == INSTANCES


def test_whole_numbers_may_be_stored_as_floats(tmp_path: Path) -> None:
    write(tmp_path / "1.nii", VALUES.astype(np.float32))
    assert drawn(reference(tmp_path)) == INSTANCES


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_empty_mask_says_not_there(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / f"1{suffix}", VALUES * 0)
    assert reference(tmp_path).masks == ()


@pytest.mark.parametrize(
    ("values", "vector", "reason"),
    [
        (np.zeros((3, 2), np.uint8), False, "mask_size"),
        (np.zeros((2, 2, 3), np.uint8), False, "mask_size"),
        (np.zeros((2, 3, 2), np.uint8), True, "not_a_mask"),
        (np.full((2, 3), np.nan, np.float32), False, "not_a_mask"),
        (np.zeros((2, 3), np.complex64), False, "not_a_mask"),
    ],
    ids=["swapped", "two slices", "vectors", "not numbers", "complex"],
)
def test_what_is_no_mask_of_the_image_is_refused(
    tmp_path: Path, values: np.ndarray, *, vector: bool, reason: str
) -> None:
    write(tmp_path / "1.nrrd", values, vector=vector)
    with pytest.raises(CaseError) as refused:
        reference(tmp_path)
    assert refused.value.reason == reason


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"1{suffix}").write_bytes(b"not a volume")
    with pytest.raises(CaseError) as refused:
        reference(tmp_path)
    assert refused.value.reason == "annotation_unreadable"


MHA = "NDims = 2\nDimSize = 3 2\nElementType = MET_UCHAR\n"
NRRD = "NRRD0004\ntype: uchar\ndimension: 2\nsizes: 3 2\nencoding: raw\n"


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("1.mha", MHA + "ElementDataFile = {}\n"),
        ("1.mha", MHA + "ElementDataFile : {}\nElementDataFile = LOCAL\n"),
        ("1.mha", MHA + "ElementDataFile={}\nElementDataFile = LOCAL\n"),
        ("1.mha", "elementdatafile = LOCAL\n" + MHA + "ElementDataFile = {}\n"),
        ("1.mha", MHA + "Comment = a\rElementDataFile = {}\nElementDataFile = LOCAL\n"),
        ("1.mha", MHA + "Comment = " + "a" * 500 + "ElementDataFile = {}\nElementDataFile = LOCAL\n"),
        ("1.mha", MHA + "Comment = " + "a" * 500 + "ElementDataFile = LOCAL\nElementDataFile = {}\n"),
        ("1.mha", MHA + "Comment = a\rElementDataFile = LOCAL\nElementDataFile = {}\n"),
        ("1.nrrd", NRRD + "data file: {}\n\n"),
        ("1.nrrd", NRRD + "DATAFILE: {}\n\n"),
        ("1.nrrd", NRRD + "content: a\rdata file: {}\n\n"),
        ("1.nrrd", NRRD.replace("\n", "\r") + "data file: {}\r\r\n\n"),
        ("1.nrrd", NRRD + "# a\r\rdata file: {}\n\n"),
        ("1.nrrd", NRRD + "\t data file: {}\n\n"),
    ],
)
def test_a_header_that_leads_to_another_file_is_not_followed(tmp_path: Path, name: str, header: str) -> None:
    secret = tmp_path / "secret.raw"
    secret.write_bytes(VALUES.tobytes())
    folder = tmp_path / "masks"
    folder.mkdir()
    (folder / name).write_bytes(header.format(secret).encode() + bytes(VALUES.size))
    with pytest.raises(CaseError, match="in another file"):
        reference(folder)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("1.mha", MHA.replace("\n", "\r\n") + "ElementDataFile = LOCAL\r\n"),
        ("1.mha", "Comment = drawn by hand\n" + MHA + "ITK_InputFilterName = x\nElementDataFile = LOCAL\n"),
        ("1.nrrd", NRRD.replace("\n", "\r\n") + "\r\n"),
        ("1.nrrd", NRRD + "# made here\nSegment0_Name:=a lesion\n\n"),
    ],
)
def test_a_header_as_other_tools_write_it_is_read(tmp_path: Path, name: str, header: str) -> None:
    (tmp_path / name).write_bytes(header.encode() + VALUES.tobytes())
    assert drawn(reference(tmp_path)) == INSTANCES
