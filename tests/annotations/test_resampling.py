"""Tests of masks at another resolution than their image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813  the name its manual gives it
from PIL import Image

from pipeline.annotations import find_annotations, read_annotation
from pipeline.annotations.resampling import MOST_PIXELS, check_fit, fits, on_grid
from pipeline.errors import CaseError
from pipeline.records import AnnotationItem, ImagePlane, Mask

L_SHAPE = np.array([[1, 0, 0], [1, 1, 0]], np.bool_)


def itk_nearest(mask: Mask, shape: tuple[int, int]) -> np.ndarray:
    """The mask on a grid of `shape` over the same area, by SimpleITK."""
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    scale = [mask.shape[1] / shape[1], mask.shape[0] / shape[0]]
    grid = sitk.Image(shape[1], shape[0], sitk.sitkUInt8)
    grid.SetSpacing(scale)
    grid.SetOrigin([(s - 1) / 2 for s in scale])
    return sitk.GetArrayFromImage(sitk.Resample(image, grid, sitk.Transform(), sitk.sitkNearestNeighbor))


def test_each_value_becomes_a_square_of_the_finer_grid() -> None:
    (mask,) = on_grid((L_SHAPE,), (4, 6))
    assert mask.astype(int).tolist() == [
        [1, 1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 1, 0, 0],
        [1, 1, 1, 1, 0, 0],
    ]


@pytest.mark.parametrize("shape", [(33, 54), (7, 11), (100, 161), (21, 34)])
def test_simple_itk_takes_the_same_pixels(shape: tuple[int, int]) -> None:
    mask = np.random.default_rng(5).random((21, 34)) < 0.4
    np.testing.assert_array_equal(on_grid((mask,), shape)[0], itk_nearest(mask, shape))


def test_a_lesion_between_the_centres_keeps_one_pixel() -> None:
    mask = np.zeros((8, 8), np.bool_)
    mask[4, 6] = True
    (coarse,) = on_grid((mask,), (2, 2))
    assert np.argwhere(coarse).tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((205, 256), True),
        ((256, 205), False),
        ((204, 256), True),
        ((203, 256), False),
        ((2, 3), True),
        ((0, 9), False),
    ],
)
def test_sides_fit_within_a_pixel_of_the_coarser_grid(found: tuple[int, int], *, expected: bool) -> None:
    """2000 × 2500 at a width of 256 has 204.8 rows."""
    assert fits(found, (2000, 2500)) == expected
    assert fits((2000, 2500), found) == expected


def test_other_sides_are_refused_whatever_the_option() -> None:
    with pytest.raises(CaseError, match="save the mask at the size"):
        check_fit((3, 5), (60, 60), "nearest")
    with pytest.raises(CaseError, match="swapped"):
        check_fit((30, 50), (50, 30), "nearest")


def test_a_huge_mask_is_refused() -> None:
    side = int(MOST_PIXELS**0.5) + 1
    with pytest.raises(CaseError, match="too many"):
        check_fit((side, side), (10, 10), "nearest")


@pytest.mark.parametrize("name", ["1.png", "1.nii.gz"])
def test_sources_resample_if_they_say_so(tmp_path: Path, name: str) -> None:
    item = written(tmp_path, name, resample="nearest")
    reference = read_annotation(item, case_id="case", finding="mass", shape=(4, 6))
    np.testing.assert_array_equal(reference.masks, on_grid((L_SHAPE,), (4, 6)))
    refused = written(tmp_path, name)
    with pytest.raises(CaseError, match="resample to nearest"):
        read_annotation(refused, case_id="case", finding="mass", shape=(4, 6))


def test_a_volume_over_the_area_of_its_image_lies_where_it_should(tmp_path: Path) -> None:
    volume = sitk.GetImageFromArray(L_SHAPE[None].astype(np.uint8))
    volume.SetSpacing((2, 2, 1))
    volume.SetOrigin((10.5, 20.5, 3))
    sitk.WriteImage(volume, tmp_path / "1.nrrd")
    plane = ImagePlane((1, 0, 0), (0, 1, 0), (10, 20, 3), (1, 1))
    (item,) = find_annotations(tmp_path, [{"format": "volume", "finding": "mass", "resample": "nearest"}])
    placed = AnnotationItem(item.format, "1", "mass", "reader", item.payload, plane=plane)
    reference = read_annotation(placed, case_id="case", finding="mass", shape=(4, 6))
    np.testing.assert_array_equal(reference.masks, on_grid((L_SHAPE,), (4, 6)))
    assert reference.notices == ()


def written(folder: Path, name: str, **options: object) -> AnnotationItem:
    if name.endswith("png"):
        Image.fromarray(L_SHAPE.astype(np.uint8)).save(folder / name)
    else:
        sitk.WriteImage(sitk.GetImageFromArray(L_SHAPE[None].astype(np.uint8)), folder / name)
    kind = "png" if name.endswith("png") else "volume"
    (item,) = find_annotations(folder, [{"format": kind, "finding": "mass", **options}])
    return item
