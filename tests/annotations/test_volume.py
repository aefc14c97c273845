"""Tests of NIfTI, NRRD and MetaImage masks."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813  the name its manual gives it

from pipeline.annotations import dicom_seg
from pipeline.annotations.placing import LARGER
from pipeline.annotations.volume import find, read
from pipeline.errors import CaseError
from pipeline.loaders import read_header
from pipeline.records import AnnotationItem, ImagePlane, Reference
from tests.annotations.volumes import write_segments

VALUES = np.array([[0, 1, 0], [2, 2, 0]], np.uint8)
INSTANCES = [[[0, 1, 0], [0, 0, 0]], [[0, 0, 0], [1, 1, 0]]]
SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")


def write(path: Path, values: np.ndarray, *, vector: bool = False) -> None:
    sitk.WriteImage(sitk.GetImageFromArray(values, isVector=vector), path)


def reference(path: Path, shape: tuple[int, int] = (2, 3), **options: object) -> Reference:
    (item,) = find(path, **options)
    return read(item, case_id="case", finding="mass", shape=shape)


def as_lists(found: Reference) -> list[list[list[int]]]:
    return [mask.astype(int).tolist() for mask in found.masks]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("slices", [VALUES, VALUES[None]], ids=["flat", "one slice"])
def test_x_runs_to_the_right_and_y_down_as_stored(tmp_path: Path, suffix: str, slices: np.ndarray) -> None:
    write(tmp_path / f"1.2.3{suffix}", slices)
    (item,) = find(tmp_path)
    assert item.image == "1.2.3"
    assert as_lists(reference(tmp_path)) == INSTANCES


def turned(direction: tuple[float, ...], values: np.ndarray) -> sitk.Image:
    """One slice with this direction, 0.5 mm pixels and an origin away from 0."""
    image = sitk.GetImageFromArray(values[None])
    image.SetDirection(direction)
    image.SetSpacing((0.5, 0.5, 1))
    image.SetOrigin((5, 6, 7))
    return image


TURNS = [
    ((1, 0, 0, 0, 1, 0, 0, 0, 1), VALUES),
    ((1, 0, 0, 0, -1, 0, 0, 0, 1), VALUES[::-1]),
    ((-1, 0, 0, 0, 1, 0, 0, 0, 1), VALUES[:, ::-1]),
    ((-1, 0, 0, 0, -1, 0, 0, 0, 1), VALUES[::-1, ::-1]),
    ((0, 1, 0, 1, 0, 0, 0, 0, 1), VALUES.T),
    ((0, 1, 0, -1, 0, 0, 0, 0, 1), VALUES.T[::-1]),
]
"""Directions of the stored axes, and the stored values of a mask whose rows start at the top."""


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("direction", "values"), TURNS)
def test_the_direction_in_the_header_turns_the_mask(
    tmp_path: Path, suffix: str, direction: tuple[float, ...], values: np.ndarray
) -> None:
    """ITK stores the directions of the axes as columns. DICOMOrient is its own way to turn an image."""
    transposed = np.array(direction).reshape(3, 3).T.ravel().tolist()
    image = turned(transposed, np.ascontiguousarray(values))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(sitk.DICOMOrient(image, "LPS"))[0], VALUES)
    sitk.WriteImage(image, tmp_path / f"1{suffix}")
    found = reference(tmp_path)
    assert as_lists(found) == INSTANCES
    assert [notice.line() for notice in found.notices if "turned" in notice.message] == (
        [] if values is VALUES else ["orientation: header"]
    )
    assert as_lists(reference(tmp_path, orientation="header")) == INSTANCES


def test_a_direction_that_is_to_be_left_out_is(tmp_path: Path) -> None:
    sitk.WriteImage(turned((1, 0, 0, 0, -1, 0, 0, 0, 1), VALUES), tmp_path / "1.nrrd")
    assert as_lists(reference(tmp_path, orientation="stored")) == INSTANCES


@pytest.mark.parametrize(
    ("direction", "complaint"),
    [
        ((1, 0, 0, 0, 0, -1, 0, 1, 0), "not those of an axial image"),
        ((0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1), "not those of an axial image"),
    ],
)
def test_another_plane_is_refused_where_the_image_states_none(
    tmp_path: Path, direction: tuple[float, ...], complaint: str
) -> None:
    sitk.WriteImage(turned(direction, VALUES), tmp_path / "1.nii.gz")
    with pytest.raises(CaseError, match=complaint) as refused:
        reference(tmp_path)
    assert refused.value.reason == "mask_orientation"


def on_image(path: Path, plane: ImagePlane) -> Reference:
    (item,) = find(path)
    return read(replace(item, plane=plane), case_id="case", finding="mass", shape=(2, 3))


def test_the_orientation_of_the_image_counts_where_it_is_known(tmp_path: Path) -> None:
    """A coronal image, rows towards the feet; the mask has rows from the feet up."""
    coronal = ImagePlane((1, 0, 0), (0, 0, -1), (5, 6, 7.5), (0.5, 0.5))
    sitk.WriteImage(turned((1, 0, 0, 0, 0, -1, 0, 1, 0), VALUES[::-1]), tmp_path / "1.nii.gz")
    found = on_image(tmp_path, coronal)
    assert as_lists(found) == INSTANCES
    assert "turned" not in "".join(notice.message for notice in found.notices)
    with pytest.raises(CaseError, match="not parallel"):
        on_image(tmp_path, ImagePlane((1, 0, 0), (0, 1, 0)))


def test_another_place_than_the_image_has_is_a_warning(tmp_path: Path) -> None:
    sitk.WriteImage(turned((1, 0, 0, 0, 1, 0, 0, 0, 1), VALUES), tmp_path / "1.nrrd")
    here = ImagePlane((1, 0, 0), (0, 1, 0), (5, 6, 7), (0.5, 0.5))
    there = replace(here, position=(5, 9, 7))
    assert "warning" not in {notice.kind for notice in on_image(tmp_path, here).notices}
    assert "warning" in {notice.kind for notice in on_image(tmp_path, there).notices}


@pytest.mark.parametrize("name", ["1.nii.gz", "1.seg.nrrd"])
def test_a_mask_on_another_grid_is_placed_by_the_positions_of_both(tmp_path: Path, name: str) -> None:
    """The mask has 2 × 3 pixels of 0.5 mm from (5, 6): at row 1 and column 2 of the image of 4 × 6 pixels."""
    if name.endswith("seg.nrrd"):
        write_segments(tmp_path / name, {"nodule": VALUES > 0})
        text = (tmp_path / name).read_bytes().replace(b"origin: (0,0,0)", b"origin: (5,6,7)")
        (tmp_path / name).write_bytes(text)
    else:
        sitk.WriteImage(turned((1, 0, 0, 0, 1, 0, 0, 0, 1), VALUES), tmp_path / name)
    image = ImagePlane((1, 0, 0), (0, 1, 0), (4, 5.5, 7), (0.5, 0.5))
    whole = np.zeros((4, 6), bool)
    whole[1:3, 2:5] = VALUES > 0

    def found(plane: ImagePlane, shape: tuple[int, int], **options: Any) -> tuple[np.ndarray, list[str]]:
        (item,) = find(tmp_path, **options)
        reference = read(replace(item, plane=plane), case_id="c", finding="f", shape=shape)
        masks = np.logical_or.reduce([np.zeros(shape, bool), *reference.masks])
        return masks, [n.message for n in reference.notices if n.kind == "warning"]

    mask, said = found(image, (4, 6))
    np.testing.assert_array_equal(mask, whole)
    assert said == []
    cropped = replace(image, position=(5.5, 6, 7))
    mask, said = found(cropped, (1, 2))
    np.testing.assert_array_equal(mask, whole[1:2, 3:5])
    assert said == [LARGER]
    finer = replace(image, position=(3.875, 5.375, 7), spacing_mm=(0.25, 0.25))
    with pytest.raises(CaseError):
        found(finer, (10, 14))
    mask, said = found(finer, (10, 14), resample="nearest")
    doubled = np.repeat(np.repeat(whole, 2, axis=0), 2, axis=1)
    np.testing.assert_array_equal(mask[:8, :12], doubled)
    assert not mask[8:].any()


def patched(path: Path, **codes: int) -> None:
    """Set sform_code and qform_code of a NIfTI file (int16 at bytes 254 and 252)."""
    content = bytearray(path.read_bytes())
    for name, position in (("qform", 252), ("sform", 254)):
        if name in codes:
            content[position : position + 2] = codes[name].to_bytes(2, "little")
    path.write_bytes(content)


@pytest.mark.parametrize("codes", [{"qform": 0}, {"sform": 0}])
def test_either_form_of_nifti_turns_the_mask(tmp_path: Path, codes: dict[str, int]) -> None:
    sitk.WriteImage(turned((1, 0, 0, 0, -1, 0, 0, 0, 1), VALUES[::-1]), tmp_path / "1.nii")
    patched(tmp_path / "1.nii", **codes)
    assert as_lists(reference(tmp_path)) == INSTANCES


def test_without_codes_nifti_states_no_direction(tmp_path: Path) -> None:
    sitk.WriteImage(turned((1, 0, 0, 0, -1, 0, 0, 0, 1), VALUES), tmp_path / "1.nii")
    patched(tmp_path / "1.nii", qform=0, sform=0)
    found = reference(tmp_path)
    assert as_lists(found) == INSTANCES
    assert "orientation: stored" in [notice.line() for notice in found.notices]
    with pytest.raises(CaseError, match="states no directions"):
        reference(tmp_path, orientation="header")


def test_an_identity_is_what_programs_write_that_know_no_direction(tmp_path: Path) -> None:
    """NIfTI counts towards the right and front: its identity is a half turn."""
    image = sitk.GetImageFromArray(VALUES[None])
    image.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
    sitk.WriteImage(image, tmp_path / "1.nii.gz")
    found = reference(tmp_path)
    assert as_lists(found) == INSTANCES
    assert "orientation: stored" in [notice.line() for notice in found.notices]
    rotated = np.array(INSTANCES)[:, ::-1, ::-1].tolist()
    assert as_lists(reference(tmp_path, orientation="header")) == rotated


def test_two_forms_of_nifti_that_disagree_are_refused(tmp_path: Path) -> None:
    sitk.WriteImage(turned((1, 0, 0, 0, -1, 0, 0, 0, 1), VALUES), tmp_path / "1.nii")
    content = bytearray((tmp_path / "1.nii").read_bytes())
    content[300:304] = struct.pack("<f", -0.5)  # srow_y[1]
    (tmp_path / "1.nii").write_bytes(content)
    with pytest.raises(CaseError, match="in its sform and in its qform"):
        reference(tmp_path)


@pytest.mark.parametrize(
    ("space", "directions", "expected"),
    [
        ("left-posterior-superior", "(1,0,0) (0,-1,0) (0,0,1)", VALUES[::-1]),
        ("LPS", "(1,0,0) (0,1,0) none", VALUES),
        ("right-anterior-superior", "(1,0,0) (0,1,0) (0,0,2)", VALUES[::-1, ::-1]),
        ("right-anterior-superior", "(-1,0,0) (0,-1,0) (0,0,1)", VALUES),
        ("left-anterior-superior", "(1,0,0) (0,1,0) (0,0,1)", VALUES[::-1]),
        ("scanner-xyz", "(1,0,0) (0,1,0) (0,0,1)", VALUES),
        ("scanner-xyz", "(1,0,0) (0,-1,0) (0,0,1)", None),
        ("3D-right-handed", "(-1,0,0) (0,-1,0) (0,0,1)", None),
    ],
)
def test_spaces_of_nrrd(tmp_path: Path, space: str, directions: str, expected: np.ndarray | None) -> None:
    header = (
        f"NRRD0004\ntype: uchar\ndimension: 3\nspace: {space}\nsizes: 3 2 1\n"
        f"space directions: {directions}\nencoding: raw\n\n"
    )
    (tmp_path / "1.nrrd").write_bytes(header.encode() + VALUES.tobytes())
    if expected is None:
        with pytest.raises(CaseError, match="outside the patient's coordinates"):
            reference(tmp_path)
        return
    masks = [(expected == value).astype(int).tolist() for value in (1, 2)]
    assert as_lists(reference(tmp_path)) == masks


@pytest.mark.parametrize("size", [(3, 2, 1), (3, 1, 2), (1, 3, 2)])
def test_any_axis_may_be_the_one_of_the_single_slice(tmp_path: Path, size: tuple[int, int, int]) -> None:
    write(tmp_path / "1.nrrd", VALUES.reshape(size[::-1]))
    assert as_lists(reference(tmp_path)) == INSTANCES


FIRST, SECOND = VALUES == 1, VALUES == 2


def segments(
    path: Path, named: dict[str, np.ndarray], *, finding: str | None = None, entries: str = ""
) -> dict[str | None, AnnotationItem]:
    """Finding → item of a file with these segments."""
    write_segments(path / "1.seg.nrrd", named, entries=entries)
    return {item.finding: item for item in find(path, finding=finding)}


@pytest.mark.parametrize(
    ("names", "finding", "expected"),
    [
        (("lung", "nodule"), "nodule", {"lung": 1, "nodule": 1}),
        (("Lung", "NODULE"), "nodule", {"Lung": 1, "nodule": 1}),
        (("nodule 1", "nodule_2"), "nodule", {"nodule": 2}),
        (("Segment_1", "Segment_2"), "nodule", {"nodule": 2}),
        (("Segment_1", "lung"), "nodule", {"nodule": 1, "lung": 1}),
        (("lung", "liver"), "nodule", {"lung": 1, "liver": 1}),
        (("lung", "Segment_2"), None, {"lung": 1, None: 1}),
    ],
)
def test_names_of_segments_are_findings(
    tmp_path: Path, names: tuple[str, str], finding: str | None, expected: dict[str | None, int]
) -> None:
    found = segments(tmp_path, dict(zip(names, (FIRST, SECOND), strict=True)), finding=finding)
    counts = {
        name: len(read(item, case_id="case", finding="x", shape=(2, 3)).masks) for name, item in found.items()
    }
    assert counts == expected


@pytest.mark.parametrize(("instances", "count"), [("auto", 2), ("half", 2), ("components", 2), ("values", 1)])
def test_parts_of_a_segment_are_lesions_unless_said_otherwise(
    tmp_path: Path, instances: str, count: int
) -> None:
    write_segments(tmp_path / "1.seg.nrrd", {"nodule": np.array([[1, 0, 1], [0, 0, 0]], bool)})
    found = reference(tmp_path, instances=instances)
    assert len(found.masks) == count
    assert [notice.line() for notice in found.notices] == (["instances: half"] if instances == "auto" else [])


def test_a_segment_of_part_of_the_image_lies_at_its_offset(tmp_path: Path) -> None:
    offset = "Segmentation_ReferenceImageExtentOffset:=2 1 0\n"
    (item,) = segments(tmp_path, {"nodule": np.ones((2, 3), bool)}, entries=offset).values()
    (mask,) = read(item, case_id="case", finding="x", shape=(4, 6)).masks
    assert np.argwhere(mask).tolist() == [[1, 2], [1, 3], [1, 4], [2, 2], [2, 3], [2, 4]]
    with pytest.raises(CaseError, match="2 rows from row 1 and 3 columns from column 2"):
        read(item, case_id="case", finding="x", shape=(4, 4))


def test_values_without_a_segment_are_a_warning(tmp_path: Path) -> None:
    (item,) = segments(tmp_path, {"nodule": FIRST}).values()
    path = tmp_path / "1.seg.nrrd"
    path.write_bytes(path.read_bytes()[:-1] + b"\7")
    found = read(item, case_id="case", finding="x", shape=(2, 3))
    assert as_lists(found) == [INSTANCES[0]]
    assert [notice.kind for notice in found.notices] == ["warning"]


def test_overlapping_segments_have_layers(tmp_path: Path) -> None:
    header = (
        "NRRD0004\ntype: uchar\ndimension: 4\nspace: LPS\nsizes: 2 3 2 1\n"
        "space directions: none (1,0,0) (0,1,0) (0,0,1)\nkinds: list domain domain domain\nencoding: raw\n"
        "Segment0_Name:=lung\nSegment0_LabelValue:=1\nSegment0_Layer:=0\n"
        "Segment1_Name:=nodule\nSegment1_LabelValue:=1\nSegment1_Layer:=1\n\n"
    )
    layers = np.stack([FIRST | SECOND, FIRST], axis=-1).astype(np.uint8)
    (tmp_path / "1.seg.nrrd").write_bytes(header.encode() + layers.tobytes())
    found = {item.finding: item for item in find(tmp_path)}
    masks = {name: as_lists(read(found[name], case_id="c", finding="x", shape=(2, 3))) for name in found}
    assert masks == {"lung": [[[0, 1, 0], [1, 1, 0]]], "nodule": [INSTANCES[0]]}


def test_a_file_of_rows_first_is_turned_where_the_source_says_so(tmp_path: Path) -> None:
    write(tmp_path / "1.nii.gz", np.ascontiguousarray(VALUES.T))
    with pytest.raises(CaseError, match="look swapped"):
        reference(tmp_path)
    assert as_lists(reference(tmp_path, first_axis="y")) == INSTANCES


def test_whole_numbers_may_be_stored_as_floats(tmp_path: Path) -> None:
    write(tmp_path / "1.nii", VALUES.astype(np.float32))
    assert as_lists(reference(tmp_path)) == INSTANCES


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
        ("1.nrrd", NRRD + "# made here\nname:=a lesion\n\n"),
    ],
)
def test_a_header_as_other_tools_write_it_is_read(tmp_path: Path, name: str, header: str) -> None:
    (tmp_path / name).write_bytes(header.encode() + VALUES.tobytes())
    assert as_lists(reference(tmp_path)) == INSTANCES


VOLUMES = Path(__file__).parents[2] / "../shared/studies/volumes"
LABELS = {"Liver": 5, "Spleen": 1}


@pytest.mark.skipif(not VOLUMES.is_dir(), reason="the shared study sets are not here")
def test_slices_of_a_real_volume_lie_as_the_segmentation_of_the_same_images(tmp_path: Path) -> None:
    """Both are of one annotation; the volume has its rows from below, the DICOM SEG as its images."""
    sources = {
        source.sop_instance_uid: source
        for file in sorted((VOLUMES / "ct_series").glob("*.dcm"))[:4]
        for source in read_header(file, root=VOLUMES)
    }
    organs = sitk.ReadImage(VOLUMES / "ct_series_organs.nii.gz")
    compared = 0
    for item in dicom_seg.find(VOLUMES / "ct_series_seg.dcm"):
        source = sources.get(item.image)
        if source is None:
            continue
        expected = dicom_seg.read(
            replace(item, plane=source.plane), case_id="c", finding="x", shape=source.shape
        )
        z = organs.TransformPhysicalPointToIndex(source.plane.position)[2]
        organ = organs[:, :, z : z + 1] == LABELS[item.finding]
        sitk.WriteImage(organ, tmp_path / "1.nii.gz")
        (found,) = find(tmp_path, instances="whole")
        masks = read(replace(found, plane=source.plane), case_id="c", finding="x", shape=source.shape).masks
        np.testing.assert_array_equal(masks, expected.masks)
        compared += len(masks)
    assert compared >= 4


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_no_changed_byte_of_compressed_voxels_gives_another_mask(tmp_path: Path, suffix: str) -> None:
    """ITK itself compares no checksum: of 100 changed bytes, some 20 to 60 give other pixels."""
    file = tmp_path / f"1{suffix}"
    whole = np.pad(np.ones((9, 14), np.uint8), 6)
    sitk.WriteImage(sitk.GetImageFromArray(whole[None]), file, useCompression=True)
    packed = file.read_bytes()
    for place in range(len(packed) - 40, len(packed)):
        changed = bytearray(packed)
        changed[place] ^= 0x41
        file.write_bytes(changed)
        try:
            found = reference(tmp_path, whole.shape)
        except CaseError as error:
            assert error.reason == "annotation_unreadable"  # noqa: PT017  most changes are found
        else:
            np.testing.assert_array_equal(sum(found.masks), whole)
