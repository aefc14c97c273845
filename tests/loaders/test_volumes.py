"""Volumes: a slice lies and looks as its header says, and a mask of the same header lies on it."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from pipeline.annotations.volume import find, read
from pipeline.errors import CaseError
from pipeline.loaders import decode, read_header
from pipeline.loaders.volumes import GUESSED, TURNED
from tests.loaders.files import load_file, reasons
from tests.loaders.pictures import write_volume

VALUES = np.arange(12, dtype=np.int16).reshape(3, 4) * 100 - 500
"""(rows, columns), with a spacing of 2 mm and 0.5 mm in files."""
SUFFIXES = ("nii", "nii.gz", "nrrd", "mha")
AXIAL = (1, 0, 0, 0, 1, 0, 0, 0, 1)
SPACING = (0.5, 2.0, 7.0)


def refused(path: Path) -> str:
    with pytest.raises(CaseError) as refusal:
        load_file(path)
    assert path.name not in refusal.value.message
    return refusal.value.reason


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_slice_has_its_spacing_and_spans_its_values_which_is_told(suffix: str, tmp_path: Path) -> None:
    image = load_file(write_volume(tmp_path / f"a.{suffix}", VALUES[None], spacing=SPACING))
    np.testing.assert_allclose(image.pixels, (VALUES + 500) / 1100, atol=1e-6)
    assert image.spacing_mm == (2.0, 0.5)
    assert reasons(image) == [GUESSED]
    assert "-500 … 600" in image.cautions[0].message
    assert image.display is not None
    assert image.display.slope is not None
    known = image.display.values * image.display.slope + image.display.intercept
    np.testing.assert_allclose(known, VALUES, atol=0.01)


def test_a_window_is_in_the_values_of_the_file(tmp_path: Path) -> None:
    path = write_volume(tmp_path / "a.nrrd", VALUES[None].astype(np.float32))
    image = load_file(path, window=(0.5, 401))
    np.testing.assert_allclose(image.pixels, np.clip((VALUES + 200) / 400, 0, 1), atol=1e-6)
    assert reasons(image) == []
    assert image.display is not None
    assert image.display.slope is not None
    ends = [
        end * image.display.slope + image.display.intercept for end in (image.display.low, image.display.high)
    ]
    assert ends == pytest.approx([-200, 200])


def test_bytes_span_their_type_as_in_a_png(tmp_path: Path) -> None:
    values = (VALUES + 500).astype(np.uint8)
    image = load_file(write_volume(tmp_path / "a.mha", values))
    np.testing.assert_allclose(image.pixels, values / 255, atol=1e-6)
    assert image.spacing_mm is None  # 1 mm, which is what programs write that know none
    assert reasons(image) == []


DIRECTIONS = {
    "axial": AXIAL,
    "axial, both reversed": (-1, 0, 0, 0, -1, 0, 0, 0, 1),
    "axial, transposed": (0, 1, 0, 1, 0, 0, 0, 0, 1),
    "coronal": (1, 0, 0, 0, 0, 1, 0, -1, 0),
    "coronal, from below": (1, 0, 0, 0, 0, -1, 0, 1, 0),
    "sagittal": (0, 0, 1, 1, 0, 0, 0, -1, 0),
}
"""Columns are the directions of the stored axes, by rows of the matrix."""


@pytest.mark.parametrize("directions", DIRECTIONS.values(), ids=DIRECTIONS)
@pytest.mark.parametrize("suffix", ["nii.gz", "nrrd", "mha"])
def test_a_mask_of_the_same_header_lies_on_the_image(
    directions: tuple[int, ...], suffix: str, tmp_path: Path
) -> None:
    """The bright part of the image, saved as its mask, is the bright part of the image that is shown."""
    values: NDArray[np.int16] = np.zeros((1, 5, 7), np.int16)
    values[0, 1:3, 4:7] = 1000
    values[0, 0, 0] = 400
    header = {"spacing": SPACING, "origin": (10, -20, 30), "direction": directions}
    path = write_volume(tmp_path / "images" / f"a.{suffix}", values, **header)
    write_volume(tmp_path / "masks" / f"a.{suffix}", (values > 500).astype(np.uint8), **header)
    (source,) = read_header(path, root=tmp_path)
    image = decode(source, case_id="case")
    assert image.shape == source.shape
    (item,) = find(tmp_path / "masks", instances="whole")
    item = replace(item, plane=source.plane)
    reference = read(item, case_id="case", finding="x", shape=source.shape)
    np.testing.assert_array_equal(reference.masks[0], image.pixels > 0.5)
    assert reference.notices == ()


@pytest.mark.parametrize(
    ("name", "turned", "spacing"),
    [("axial", VALUES, (2.0, 0.5)), ("axial, both reversed", VALUES[::-1, ::-1], (2.0, 0.5)),
     ("axial, transposed", VALUES.T, (0.5, 2.0)), ("coronal, from below", VALUES[::-1], (2.0, 0.5))],
)  # fmt: skip
def test_a_slice_is_turned_to_lie_as_its_plane_is_shown(
    name: str, turned: NDArray[np.int16], spacing: tuple[float, float], tmp_path: Path
) -> None:
    path = write_volume(tmp_path / "a.nrrd", VALUES[None], spacing=SPACING, direction=DIRECTIONS[name])
    image = load_file(path)
    np.testing.assert_allclose(image.pixels, (turned + 500) / 1100, atol=1e-6)
    assert image.spacing_mm == spacing
    assert (TURNED in reasons(image)) == (name != "axial")


@pytest.mark.parametrize("directions", DIRECTIONS.values(), ids=DIRECTIONS)
def test_letters_are_those_of_the_slice_as_it_is_shown(directions: tuple[int, ...], tmp_path: Path) -> None:
    """However it is stored, rows lead towards the patient's left or back and columns to the back or feet."""
    image = load_file(
        write_volume(tmp_path / "a.nii.gz", VALUES[None], spacing=SPACING, direction=directions)
    )
    name = next(name for name, known in DIRECTIONS.items() if known == directions).split(",")[0]
    assert image.directions == {"axial": ("L", "P"), "coronal": ("L", "F"), "sagittal": ("P", "F")}[name]
    assert image.spacing_at == "file"


def test_simpleitk_turned_to_the_standard_axes_gives_the_same_picture(tmp_path: Path) -> None:
    for name in ("axial, both reversed", "axial, transposed"):
        path = write_volume(tmp_path / "a.nii", VALUES[None], spacing=SPACING, direction=DIRECTIONS[name])
        expected = sitk.GetArrayFromImage(sitk.DICOMOrient(sitk.ReadImage(str(path)), "LPS"))[0]
        np.testing.assert_allclose(load_file(path).pixels, (expected + 500) / 1100, atol=1e-6)


def test_a_plane_without_directions_lies_as_stored_as_its_mask_does(tmp_path: Path) -> None:
    path = write_volume(tmp_path / "a.mha", VALUES, spacing=(0.5, 2.0))
    (source,) = read_header(path, root=tmp_path)
    assert source.plane is None
    image = decode(source, case_id="case")
    assert image.spacing_mm == (2.0, 0.5)
    np.testing.assert_allclose(image.pixels, (VALUES + 500) / 1100, atol=1e-6)


def test_several_slices_are_refused_with_their_number(tmp_path: Path) -> None:
    path = write_volume(tmp_path / "a.nii.gz", np.stack([VALUES] * 5))
    assert refused(path) == "several_slices"
    with pytest.raises(CaseError, match="has 5 slices, wanted one"):
        read_header(path, root=tmp_path)


def test_what_is_no_grey_slice_is_refused(tmp_path: Path) -> None:
    colours = sitk.GetImageFromArray(np.zeros((1, 3, 4, 3), np.uint8), isVector=True)
    sitk.WriteImage(colours, str(tmp_path / "a.nrrd"))
    assert refused(tmp_path / "a.nrrd") == "unsupported_photometric"
    lost = write_volume(tmp_path / "b.nii", np.full((1, 3, 4), np.nan, np.float32))
    assert refused(lost) == "decode_failed"


def test_a_name_that_hides_the_format_is_refused(tmp_path: Path) -> None:
    path = write_volume(tmp_path / "a.nii", VALUES[None])
    assert refused(path.rename(tmp_path / "a.dcm")) == "misnamed"


def test_voxels_that_are_missing_are_refused(tmp_path: Path) -> None:
    content = write_volume(tmp_path / "a.nii", VALUES[None]).read_bytes()
    (tmp_path / "a.nii").write_bytes(content[:-3])
    assert refused(tmp_path / "a.nii") == "decode_failed"
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(content)[:-6])
    assert refused(tmp_path / "a.nii.gz") == "decode_failed"
    whole = write_volume(tmp_path / "a.mha", VALUES[None], spacing=SPACING).read_bytes()
    (tmp_path / "a.mha").write_bytes(whole[:-3])
    assert refused(tmp_path / "a.mha") == "decode_failed"


def test_a_header_that_leads_to_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "values").write_bytes(VALUES.tobytes())
    head = "NRRD0004\ntype: short\ndimension: 2\nsizes: 4 3\nencoding: raw\n"
    (tmp_path / "a.nrrd").write_text(f"{head}data file: values\n\n")
    assert refused(tmp_path / "a.nrrd") == "decode_failed"
