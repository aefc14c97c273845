"""Tests of the run lengths of SIIM-ACR, with pixels worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.annotations import find_annotations
from pipeline.annotations.guess import guess_sources
from pipeline.errors import ConfigError
from pipeline.records import AnnotationItem
from tests.annotations.tools import pixels, read, refusal

HEADER = "ImageId, EncodedPixels\n"


def items(folder: Path, *rows: str, **options: object) -> list[AnnotationItem]:
    (folder / "train-rle.csv").write_text(HEADER + "".join(f"{row}\n" for row in rows))
    return find_annotations(
        folder, [{"format": "siim_acr", "file": "train-rle.csv", "size": [6, 8], **options}]
    )


def test_runs_go_down_the_columns_and_each_counts_from_the_end_of_the_last(tmp_path: Path) -> None:
    (item,) = items(tmp_path, "1.2.3, 7 2 4 2 4 2", "1.2.3, 34 2")
    assert (item.image, item.finding, item.reader, item.kind) == ("1.2.3", "Pneumothorax", "reader", "mask")
    reference = read(item)
    np.testing.assert_array_equal(
        reference.masks, [pixels(slice(1, 3), slice(1, 4)), pixels(slice(4, 6), slice(5, 6))]
    )


@pytest.mark.parametrize("cell", ["-1", " -1", "", "nan"])
def test_minus_one_says_absent(tmp_path: Path, cell: str) -> None:
    (item,) = items(tmp_path, f"1.2.3,{cell}", reader="ann", finding="air")
    assert (item.finding, item.reader, read(item).lesions) == ("air", "ann", 0)


def test_masks_have_1024_rows_and_columns_unless_stated(tmp_path: Path) -> None:
    (item,) = items(tmp_path, f"1.2.3,{1024 + 1} 2", size=[1024, 1024])
    (mask,) = read(item, (1024, 1024)).masks
    assert np.argwhere(mask).tolist() == [[1, 1], [2, 1]]
    assert refusal(item, (512, 512)) == "mask_size"


@pytest.mark.parametrize(
    "cell", ["1", "1 2 3", "1 -2", "a 2", "1 1e3", "7 2 14 2 27 2 40 2", "1 " + "9" * 20]
)
def test_runs_that_are_none_cost_their_image(tmp_path: Path, cell: str) -> None:
    bad, good = items(tmp_path, f"1.2.3,{cell}", "1.2.4,7 2")
    assert refusal(bad) == "not_a_mask"
    assert read(good).lesions == 1


def test_the_table_is_recognised_by_its_columns(tmp_path: Path) -> None:
    items(tmp_path, "1.2.3,7 2")
    source = {"format": "siim_acr", "file": "train-rle.csv", "finding": "pneumothorax"}
    assert guess_sources(tmp_path, findings=["Edema", "pneumothorax"]) == (source,)
    assert guess_sources(tmp_path, findings=["air"])[0]["finding"] == "air"
    (tmp_path / "a.csv").write_text("a,b\n")
    with pytest.raises(ConfigError, match="has no columns ImageId and EncodedPixels"):
        find_annotations(tmp_path, [{"format": "siim_acr", "file": "a.csv"}])
