"""Tests of masks saved as DICOM images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import JPEG2000Lossless, RLELossless

from pipeline.annotations.dicom_mask import find, read
from pipeline.cohort.lookup import ImageLookup
from pipeline.errors import CaseError
from pipeline.records import ImagePlane, Reference
from tests.annotations.dicom_masks import write_mask
from tests.cohort.cases import case

LESION = np.array([[0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]], bool)
WHITE = LESION.astype(np.uint8) * 255
PUBLISHED = "{image}_{lesion}/{any}/{any}/{any}.dcm"
"""How files are named in CBIS-DDSM."""


def reference(path: Path, plane: ImagePlane | None = None, **options: object) -> Reference:
    (item,) = find(path, **options)
    return read(replace(item, plane=plane), case_id="case", finding="mass", shape=(3, 4))


@pytest.mark.parametrize(
    ("values", "attributes"),
    [
        (WHITE, {}),
        (LESION.astype(np.uint16) * 65535, {}),
        (255 - WHITE, {"PhotometricInterpretation": "MONOCHROME1"}),
        (WHITE, {"SeriesDescription": "ROI mask images"}),
    ],
    ids=["8 bits", "16 bits", "inverted", "as in CBIS-DDSM"],
)
def test_bright_pixels_are_the_lesion(
    tmp_path: Path, values: np.ndarray, attributes: dict[str, object]
) -> None:
    write_mask(tmp_path / "7.dcm", values, **attributes)
    np.testing.assert_array_equal(reference(tmp_path).masks, [LESION])


def test_rle_is_decoded_and_other_compression_refused(tmp_path: Path) -> None:
    write_mask(tmp_path / "7.dcm", WHITE)
    header = dcmread(tmp_path / "7.dcm")
    header.compress(RLELossless)
    header.save_as(tmp_path / "7.dcm")
    np.testing.assert_array_equal(reference(tmp_path).masks, [LESION])
    header.file_meta.TransferSyntaxUID = JPEG2000Lossless
    header.save_as(tmp_path / "7.dcm")
    with pytest.raises(CaseError, match="compress"):
        reference(tmp_path)


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"Rows": 4, "Columns": 3}, "mask_size"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "not_a_mask"),
        ({"NumberOfFrames": 2}, "not_a_mask"),
        ({"SamplesPerPixel": 3}, "not_a_mask"),
        ({"ImageOrientationPatient": [-1, 0, 0, 0, 1, 0]}, "mask_orientation"),
        ({"PixelData": b"\0\0"}, "annotation_unreadable"),
    ],
)
def test_what_is_no_grey_frame_as_its_image_lies_is_refused(
    tmp_path: Path, attributes: dict[str, object], reason: str
) -> None:
    write_mask(tmp_path / "7.dcm", WHITE, **attributes)
    with pytest.raises(CaseError) as refused:
        reference(tmp_path, ImagePlane((1, 0, 0), (0, 1, 0)))
    assert refused.value.reason == reason


def test_folders_of_cbis_ddsm_name_image_and_lesion(tmp_path: Path) -> None:
    for number in (1, 2):
        folder = tmp_path / f"P_1_LEFT_CC_{number}" / "1.3" / "1.4"
        folder.mkdir(parents=True)
        write_mask(folder / "1-1.dcm", WHITE, SeriesDescription="ROI mask images")
        write_mask(folder / "1-2.dcm", WHITE[:2, :2], SeriesDescription="cropped images")
    found = list(find(tmp_path, pattern=PUBLISHED, finding="mass"))
    assert [(item.image, item.finding) for item in found] == [("P_1_LEFT_CC", "mass")] * 2
    paths = [Path(str(item.payload["path"])).relative_to(tmp_path).as_posix() for item in found]
    assert paths == ["P_1_LEFT_CC_1/1.3/1.4/1-1.dcm", "P_1_LEFT_CC_2/1.3/1.4/1-1.dcm"]


def test_a_folder_of_a_single_image_names_it() -> None:
    left = case("1-1", relative_path="P_1_LEFT_CC/1.5/1.6/1-1.dcm", path="/s/1")
    right = case("1-1", relative_path="P_1_RIGHT_CC/1.7/1.8/1-1.dcm", path="/s/2", patient="q")
    more = [case(str(n), relative_path=f"P_2/1.9/{n}.dcm", path=f"/s/{n}") for n in (3, 4)]
    names = ["P_1_LEFT_CC", "P_1_RIGHT_CC", "P_2"]
    images = ImageLookup([left, right, *more], names)
    assert [list(images.owners(name)) for name in names] == [[left], [right], []]
    assert images.joined_by("P_1_LEFT_CC") == "path"
    assert images.names_of(left) == ["P_1_LEFT_CC"]
    assert not ImageLookup([left], names, join="stem").owners("P_1_LEFT_CC")
