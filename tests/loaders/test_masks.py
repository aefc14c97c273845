"""Masks: files that say that they are masks or cut-outs are not audited as images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import CaseError
from pipeline.loaders import read_header

IMAGE = np.random.default_rng(0).integers(0, 256, (16, 16), dtype=np.uint8)
MASK = np.where(np.arange(256).reshape(16, 16) % 16 < 4, 255, 0).astype(np.uint8)


def refused(path: Path, root: Path) -> str:
    with pytest.raises(CaseError) as refusal:
        read_header(path, root=root)
    assert refusal.value.reason == "not_an_image"
    return refusal.value.message


@pytest.mark.parametrize("pixels", [IMAGE, MASK], ids=["grey", "two values"])
@pytest.mark.parametrize("phrase", ["ROI mask images", "cropped images"])
def test_series_of_cbis_ddsm_that_are_no_whole_images(phrase: str, pixels, write, tmp_path: Path) -> None:
    message = f'the file is not a whole image: Series Description says "{phrase}"'
    assert refused(write(pixels, SeriesDescription=phrase), tmp_path) == message


@pytest.mark.parametrize(
    ("name", "elements", "by"),
    [
        ("a.dcm", {"SeriesDescription": "Lesion mask"}, "Series Description"),
        ("a.dcm", {"SeriesDescription": "LUNG_SEGMENTATION"}, "Series Description"),
        ("a.dcm", {"ImageType": ["DERIVED", "SECONDARY", "MASK"]}, "Image Type"),
        ("a.dcm", {"ImageComments": "ground truth"}, "Image Comments"),
        ("masks/a.dcm", {}, "its file name or folder"),
        ("1-1_mask.dcm", {}, "its file name or folder"),
    ],
)
def test_two_values_under_a_description_of_a_mask(name, elements, by, write, tmp_path: Path) -> None:
    message = f"the file is a mask, not an image: {by} says so, and its pixels have only 2 values"
    assert refused(write(MASK, name=name, **elements), tmp_path) == message
    assert len(read_header(write(IMAGE, name=name, **elements), root=tmp_path)) == 1


def test_an_empty_mask_is_a_mask(write, tmp_path: Path) -> None:
    assert "one value" in refused(write(0 * MASK, SeriesDescription="mask"), tmp_path)


def test_words_that_contain_mask_describe_none(write, tmp_path: Path) -> None:
    for described in ("unmasked", "Chest PA", "heroic", "full mammogram images"):
        assert read_header(write(MASK, SeriesDescription=described), root=tmp_path)


def test_two_values_without_such_a_description_are_an_image_with_a_warning(write, load) -> None:
    assert [caution.reason for caution in load(write(MASK)).cautions] == ["two_values"]
