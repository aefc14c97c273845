"""Laws of heatmap formats: the same map, written in every format, is read back on its own grid.

The map is not symmetric and the image not square, so that a flip or a transposition is detected.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813  the name its manual gives it
from PIL import Image

from pipeline.errors import CaseError
from pipeline.external_maps.catalogue import find_maps
from pipeline.external_maps.formats import FORMATS, read_heatmap
from pipeline.records import HeatmapItem
from tests.external_maps.formats.parametric_maps import write_parametric_map

IMAGE_SHAPE = (6, 12)
MAP = np.array([[0, 10, 20, 30], [40, 50, 60, 250]], np.float32)
IMAGE, FINDING = "1.2.826.0.1.3680043.8.498.7", "Mass"
NAME = f"{IMAGE}__{FINDING}"


def write_npy(folder: Path, relevance: np.ndarray) -> None:
    np.save(folder / f"{NAME}.npy", relevance)


def write_nifti(folder: Path, relevance: np.ndarray) -> None:
    sitk.WriteImage(sitk.GetImageFromArray(relevance[None]), folder / f"{NAME}.nii.gz")


def write_png(folder: Path, relevance: np.ndarray) -> None:
    Image.fromarray(relevance.astype(np.uint8)).save(folder / f"{NAME}.png")


def write_dicom(folder: Path, relevance: np.ndarray) -> None:
    write_parametric_map(folder / "any name", relevance[None], image=IMAGE, finding=FINDING)


WRITERS: Mapping[str, Callable[[Path, np.ndarray], None]] = {
    "array": write_npy,
    "nifti": write_nifti,
    "png": write_png,
    "parametric_map": write_dicom,
}


def found(name: str, folder: Path, relevance: np.ndarray = MAP) -> HeatmapItem:
    WRITERS[name](folder, relevance)
    (item,) = find_maps(folder).items
    return item


def test_every_registered_format_has_a_writer_here() -> None:
    assert set(WRITERS) == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_the_shared_map_comes_back(name: str, tmp_path: Path) -> None:
    item = found(name, tmp_path)
    assert (item.format, item.image, item.finding, item.method) == (name, IMAGE, FINDING, "heatmap")
    assert (item.frame or 0, item.probability) == (0, None)
    relevance = read_heatmap(item, shape=IMAGE_SHAPE)
    assert relevance.dtype == np.float32
    np.testing.assert_array_equal(relevance, MAP)


@pytest.mark.parametrize("name", FORMATS)
def test_an_item_travels_to_another_process(name: str, tmp_path: Path) -> None:
    item = found(name, tmp_path)
    assert pickle.loads(pickle.dumps(item)) == item


@pytest.mark.parametrize("name", FORMATS)
def test_a_map_finer_than_its_image_or_turned_against_it_is_refused(name: str, tmp_path: Path) -> None:
    item = found(name, tmp_path)
    for shape, reason in (((4, 2), "heatmap_transposed"), ((2, 3), "heatmap_too_fine")):
        with pytest.raises(CaseError) as refused:
            read_heatmap(item, shape=shape)
        assert refused.value.reason == reason
        assert "2 × 4 cells" in refused.value.message


@pytest.mark.parametrize("name", FORMATS)
def test_a_broken_file_is_refused(name: str, tmp_path: Path) -> None:
    item = replace(found(name, tmp_path), sha256="")
    Path(item.path).write_bytes(Path(item.path).read_bytes()[:40])
    with pytest.raises(CaseError) as refused:
        read_heatmap(item, shape=IMAGE_SHAPE)
    assert refused.value.reason == "heatmap_unreadable"
    assert str(tmp_path) not in refused.value.message


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_that_was_written_again_after_it_was_found_is_refused(name: str, tmp_path: Path) -> None:
    item = found(name, tmp_path)
    Path(item.path).write_bytes(Path(item.path).read_bytes() + b"\0")
    with pytest.raises(CaseError) as refused:
        read_heatmap(item, shape=IMAGE_SHAPE)
    assert refused.value.reason == "file_changed"


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"png"}))
def test_a_map_that_is_not_finite_is_refused(name: str, tmp_path: Path) -> None:
    item = found(name, tmp_path, np.where(MAP == 250, np.nan, MAP).astype(np.float32))
    with pytest.raises(CaseError) as refused:
        read_heatmap(item, shape=IMAGE_SHAPE)
    assert refused.value.reason == "heatmap_not_finite"
