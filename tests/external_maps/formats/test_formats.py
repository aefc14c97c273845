"""Map formats: what each refuses, and what it reads in addition to the shared test map."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813  the name its manual gives it
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.uid import DeflatedExplicitVRLittleEndian

from pipeline.errors import CaseError
from pipeline.external_maps.formats import format_of, read_heatmap
from pipeline.external_maps.formats.parametric_map import planes
from pipeline.records import HeatmapItem
from tests.damage.streams import deflate_bomb_of
from tests.external_maps.formats.parametric_maps import write_parametric_map

SHAPE = (8, 9)
MAP = np.arange(6, dtype=np.float32).reshape(2, 3)


def read(path: Path, *, format: str = "", plane: int = 0) -> Any:  # noqa: A002  the record's word
    name = format or format_of(path) or ""
    return read_heatmap(HeatmapItem(name, str(path), "a", "f", "m", plane=plane), shape=SHAPE)


def reason(path: Path, **more: Any) -> str:
    with pytest.raises(CaseError) as refused:
        read(path, **more)
    return refused.value.reason


@pytest.mark.parametrize("shape", [(2, 3), (1, 1, 2, 3), (2, 3, 1), (1, 2, 3, 1)])
def test_axes_of_one_are_left_out_of_an_array(tmp_path: Path, shape: tuple[int, ...]) -> None:
    np.save(tmp_path / "a.npy", MAP.reshape(shape))
    np.testing.assert_array_equal(read(tmp_path / "a.npy"), MAP)


def test_a_column_of_cells_stays_a_column(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", MAP[:, :1])
    assert read(tmp_path / "a.npy").shape == (2, 1)


@pytest.mark.parametrize("shape", [(3, 2, 3), (6,), ()])
def test_an_array_of_several_planes_or_none_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    np.save(tmp_path / "a.npy", np.zeros(shape))
    assert reason(tmp_path / "a.npy") == "heatmap_shape"


def test_pickled_objects_are_not_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[{"a": 1}]], object), allow_pickle=True)
    np.savez(tmp_path / "b.npz", np.array([[{"a": 1}]], object))
    assert [reason(tmp_path / name) for name in ("a.npy", "b.npz")] == ["heatmap_unreadable"] * 2


def test_a_header_that_announces_more_than_there_is_takes_no_memory(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", MAP)
    content = (tmp_path / "a.npy").read_bytes().replace(b"(2, 3)", b"(9999999, 9999999)")
    (tmp_path / "a.npy").write_bytes(content)
    assert reason(tmp_path / "a.npy") == "heatmap_unreadable"


def test_a_packed_file_holds_one_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", any_name=MAP)
    np.savez(tmp_path / "b.npz", MAP, MAP)
    np.testing.assert_array_equal(read(tmp_path / "a.npz"), MAP)
    assert reason(tmp_path / "b.npz") == "heatmap_shape"


@pytest.mark.parametrize("values", [MAP.astype(complex), MAP.astype("U1"), np.zeros((0, 3))])
def test_what_are_no_numbers_is_refused(tmp_path: Path, values: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", values)
    assert reason(tmp_path / "a.npy") == "heatmap_shape"


def test_sixteen_bits_of_grey_keep_their_depth(tmp_path: Path) -> None:
    Image.fromarray((MAP * 10_000).astype(np.uint16)).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read(tmp_path / "a.png"), MAP * 10_000)


def test_colour_is_refused(tmp_path: Path) -> None:
    for mode in ("RGB", "RGBA", "LA", "P"):
        Image.new(mode, (3, 2)).save(tmp_path / "a.png")
        assert reason(tmp_path / "a.png") == "heatmap_in_colour"


def test_a_volume_of_several_slices_is_refused(tmp_path: Path) -> None:
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((2, 2, 3))), tmp_path / "a.nii")
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((2, 3, 2)), isVector=True), tmp_path / "b.nii")
    assert [reason(tmp_path / name) for name in ("a.nii", "b.nii")] == ["heatmap_shape"] * 2


def test_stored_integers_become_real_values_by_their_mapping(tmp_path: Path) -> None:
    write_parametric_map(tmp_path / "a", MAP[None].astype(np.int64), finding="Mass", slope=0.5)
    np.testing.assert_array_equal(read(tmp_path / "a", format="parametric_map"), MAP / 2)


def test_each_plane_of_a_parametric_map_is_its_own(tmp_path: Path) -> None:
    write_parametric_map(tmp_path / "a", np.stack([MAP, MAP + 9]), finding="Mass")
    np.testing.assert_array_equal(read(tmp_path / "a", format="parametric_map", plane=1), MAP + 9)


def test_a_parametric_map_that_inflates_beyond_measure_is_not_read(tmp_path: Path) -> None:
    path = write_parametric_map(tmp_path / "a.dcm", MAP[None], image="1.2.3", finding="Mass")
    data = dcmread(path)
    data.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    data.save_as(path, enforce_file_format=True)
    assert len(planes(path)) == 1
    path.write_bytes(deflate_bomb_of(path.read_bytes(), 2**31))
    with pytest.raises(CaseError) as refused:
        planes(path)
    assert refused.value.reason == "too_large"


@pytest.mark.parametrize("frame", ["", ["1", "2"]])
def test_a_parametric_map_whose_references_are_broken_is_refused(tmp_path: Path, frame: object) -> None:
    path = write_parametric_map(tmp_path / "a.dcm", MAP[None], image="1.2.3", finding="Mass")
    data = dcmread(path)
    for groups in (*data.SharedFunctionalGroupsSequence, *data.PerFrameFunctionalGroupsSequence):
        for derivation in groups.get("DerivationImageSequence", []):
            (source,) = derivation.SourceImageSequence
            source.ReferencedFrameNumber = frame
            if not frame:
                del source.ReferencedSOPInstanceUID
    data.save_as(path)
    with pytest.raises(CaseError) as refused:
        planes(path)
    assert refused.value.reason == "heatmap_unreadable"


def broken_maps() -> Mapping[str, Callable[[Dataset], None]]:
    """What a Parametric Map may lack or hold instead."""

    def put(keyword: str, value: object) -> Callable[[Dataset], None]:
        return lambda data: setattr(data, keyword, value)

    def of_first(group: str, value: object) -> Callable[[Dataset], None]:
        return lambda data: setattr(data.PerFrameFunctionalGroupsSequence[0], group, value)

    return {
        "two frames, one group": put("NumberOfFrames", 2),
        "frames without number": put("NumberOfFrames", ["1", "1"]),
        "two groups, one frame": lambda data: data.PerFrameFunctionalGroupsSequence.append(Dataset()),
        "no group, two frames": lambda data: (
            delattr(data, "PerFrameFunctionalGroupsSequence"),
            setattr(data, "NumberOfFrames", 2),
        ),
        "groups are a text": lambda data: data.add_new(0x52009230, "LO", "Doe^Jane"),
        "shared groups are numbers": lambda data: data.add_new(0x52009229, "US", [1, 2]),
        "derivation is a text": lambda data: data.PerFrameFunctionalGroupsSequence[0].add_new(
            0x00089124, "LO", "Doe^Jane"
        ),
        "derivation holds an empty item": of_first("DerivationImageSequence", [source_of({})]),
        "mapping without numbers": of_first("RealWorldValueMappingSequence", [mapping_of("a")]),
        "no class": lambda data: delattr(data, "SOPClassUID"),
        "no pixels": lambda data: delattr(data, "FloatPixelData"),
        "no rows": lambda data: delattr(data, "Rows"),
        "more rows than pixels": put("Rows", 60000),
    }


def source_of(elements: Mapping[str, object]) -> Dataset:
    derivation, source = Dataset(), Dataset()
    for keyword, value in elements.items():
        setattr(source, keyword, value)
    derivation.SourceImageSequence = [source]
    return derivation


def mapping_of(slope: str) -> Dataset:
    mapping = Dataset()
    mapping.add_new(0x00409225, "LO", slope)
    return mapping


@pytest.mark.parametrize("change", broken_maps())
def test_broken_parametric_maps_have_a_reason(tmp_path: Path, change: str) -> None:
    path = write_parametric_map(tmp_path / "a.dcm", MAP[None], image="1.2.3", finding="Mass")
    data = dcmread(path)
    broken_maps()[change](data)
    data.save_as(path)
    with pytest.raises(CaseError) as refused:
        [read(path, format="parametric_map"), planes(path)]
    assert refused.value.reason == "heatmap_unreadable"
    assert "Doe" not in refused.value.message


def test_a_volume_of_one_axis_is_refused(tmp_path: Path) -> None:
    sitk.WriteImage(sitk.GetImageFromArray(MAP[None]), tmp_path / "a.nii")
    content = bytearray((tmp_path / "a.nii").read_bytes())
    struct.pack_into("<8h", content, 40, 1, 6, 1, 1, 1, 1, 1, 1)
    (tmp_path / "a.nii").write_bytes(content)
    assert reason(tmp_path / "a.nii") == "heatmap_shape"


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.nii", "a.nii.gz", "a.png", "a.dcm"])
@pytest.mark.parametrize("content", [b"", b"x", b"PK\3\4" * 9, b"\x1f\x8b" * 9, bytes(400), b"(" * 4000])
def test_what_is_no_map_at_all_has_a_reason(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert reason(tmp_path / name, format="parametric_map" if name == "a.dcm" else "") == "heatmap_unreadable"


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.nii", "a.nii.gz", "a.png", "a.dcm"])
def test_a_pipe_is_refused_at_once(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    assert reason(tmp_path / name, format="parametric_map" if name == "a.dcm" else "") in {
        "not_a_file",
        "heatmap_unreadable",
    }


def test_numbers_beyond_single_precision_are_not_finite(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", MAP.astype(np.float64) + 1e300)
    assert reason(tmp_path / "a.npy") == "heatmap_not_finite"
