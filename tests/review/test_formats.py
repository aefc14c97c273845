"""Formats: masks of reviewers in every registered format, read back by Heatproof's own readers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from pipeline.annotations import FORMATS as READ
from pipeline.annotations import find_annotations
from pipeline.errors import ConfigError
from pipeline.exports.headers import completed
from pipeline.exports.study import ExportedRun
from pipeline.records import Reference
from pipeline.records.annotations import joined
from pipeline.review.formats import FORMATS
from tests.exports.made import MODALITIES, RUN
from tests.exports.validators import complaints_of

SHAPE = (12, 17)
UID = "1.2.826.0.1.3680043.8.498.17"


def mask(*windows: tuple[int, int, int, int]) -> Any:
    made = np.zeros(SHAPE, np.bool_)
    for top, left, height, width in windows:
        made[top : top + height, left : left + width] = True
    return made


ONE = mask((1, 2, 3, 4))
RING = mask((4, 6, 6, 8)) & ~mask((6, 8, 2, 3))
OVER = mask((2, 4, 5, 5))
"""Shares pixels with ONE and RING."""
ALL = mask((0, 0, *SHAPE))
TWO_PARTS = mask((0, 0, 2, 2), (8, 10, 3, 3))
MASKS = {
    UID: (SHAPE, {"nodule": [ONE, RING, OVER], "effusion": []}),
    "image 2": (SHAPE, {"nodule": [ALL], "mass/lump, ünd": [TWO_PARTS]}),
    "image_3": (SHAPE, {"nodule": []}),
}
FOLDERS = {"patient1/view": (SHAPE, {"nodule": [ONE]}), "patient2/view": (SHAPE, {"nodule": [RING]})}


def read_back(folder: Path, sources: Any) -> dict[tuple[str, str, str], Reference]:
    found = {}
    for item in find_annotations(folder, sources):
        if item.says == "shapes" and item.finding:
            reference = READ[item.format].read(item, case_id="c", finding=item.finding, shape=SHAPE)
            key = item.image, item.finding, item.reader
            found[key] = joined(found[key], reference) if key in found else reference
    return found


@dataclass(frozen=True)
class Images:
    """Images of one modality, made for whatever UID is asked for."""

    modality: str
    run: ExportedRun = RUN

    def header_of(self, image: str) -> Dataset:
        header = MODALITIES[self.modality]()[0].header
        header.SOPInstanceUID, (header.Rows, header.Columns) = image, SHAPE
        return completed(header)


@pytest.mark.filterwarnings("ignore::UserWarning:highdicom", "ignore::UserWarning:pydicom")
@pytest.mark.parametrize(
    "modality", [name for name in MODALITIES if "multi" not in name and "enh" not in name]
)
def test_segmentations_are_read_back_pixel_for_pixel_and_valid(tmp_path: Path, modality: str) -> None:
    masks = {f"{UID}.{number}": said for number, said in enumerate(MASKS.values())}
    sources = FORMATS["dicom_seg"].write(tmp_path, "reviewer1", "Ann", masks, Images(modality))
    found = read_back(tmp_path, sources)
    wanted = {(i, finding, "Ann"): lesions for i, (_, of) in masks.items() for finding, lesions in of.items()}
    assert set(found) == set(wanted)
    for key, lesions in wanted.items():
        read = found[key].masks
        assert sorted(one.tobytes() for one in read) == sorted(one.tobytes() for one in lesions), key
    files = list((tmp_path / "reviewer1").iterdir())
    assert len(files) == len(MASKS)
    for file in files:
        assert complaints_of(file) == []
        assert file.stat().st_mode & 0o077 == 0
        made = dcmread(file)
        assert (made.Manufacturer, made.ContentCreatorName) == ("Heatproof review", "Ann^")
        assert made.StudyInstanceUID == Images(modality).header_of(UID).StudyInstanceUID


@pytest.mark.parametrize("finding", ["x" * 65, "a\\b"])
def test_a_finding_that_is_no_label_is_refused(tmp_path: Path, finding: str) -> None:
    with pytest.raises(ConfigError, match="cannot be the label of a segment"):
        FORMATS["dicom_seg"].write(
            tmp_path, "reviewer1", "Ann", {UID: (SHAPE, {finding: [ONE]})}, Images("DX")
        )


@pytest.mark.parametrize("name", [name for name in FORMATS if not FORMATS[name].needs_images])
@pytest.mark.parametrize("masks", [MASKS, FOLDERS], ids=["names", "folders"])
def test_what_is_written_is_read_back_pixel_for_pixel(tmp_path: Path, name: str, masks: Any) -> None:
    sources = FORMATS[name].write(tmp_path, "reviewer1", "Ann", masks)
    found = read_back(tmp_path, sources)
    wanted = {
        (image, finding, "Ann"): lesions
        for image, (_, of) in masks.items()
        for finding, lesions in of.items()
    }
    assert {(image.removesuffix(".png"), *rest) for image, *rest in found} == set(wanted)
    for key, lesions in wanted.items():
        read = found[key].masks
        assert len(read) == len(lesions), key
        for one, other in zip(read, lesions, strict=True):
            np.testing.assert_array_equal(one, other)


def test_coco_has_what_other_programs_need(tmp_path: Path) -> None:
    FORMATS["coco"].write(tmp_path, "reviewer1", "Ann", MASKS)
    content = json.loads((tmp_path / "reviewer1.coco.json").read_text(encoding="utf-8"))
    assert [entry["id"] for entry in content["annotations"]] == list(range(1, 8))
    first = content["annotations"][0]
    assert (first["bbox"], first["area"], first["iscrowd"]) == ([2, 1, 4, 3], 12, 0)
    assert content["images"][0] == {"id": 1, "file_name": UID, "height": 12, "width": 17}


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_coco_is_read_alike_by_pycocotools(tmp_path: Path) -> None:
    from pycocotools import mask as coco_mask  # noqa: PLC0415

    FORMATS["coco"].write(tmp_path, "reviewer1", "Ann", MASKS)
    content = json.loads((tmp_path / "reviewer1.coco.json").read_text(encoding="utf-8"))
    lesions = [
        one for _, of in MASKS.values() for some in of.values() for one in some or [np.zeros(SHAPE, np.bool_)]
    ]
    for entry, lesion in zip(content["annotations"], lesions, strict=True):
        packed = coco_mask.frPyObjects(entry["segmentation"], *SHAPE)
        np.testing.assert_array_equal(coco_mask.decode(packed).astype(bool), lesion)


@pytest.mark.parametrize("name", ["../out", "/etc/x", "a/../../b", "a\\b", "a\nb"])
def test_no_name_of_an_image_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "made"
    with pytest.raises(ConfigError, match="choose another --annotation-format"):
        FORMATS["png"].write(folder, "reviewer1", "Ann", {name: (SHAPE, {"nodule": [ONE]})})
    assert not list(tmp_path.rglob("*.png"))


def test_an_unknown_format_is_named_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match="unknown format of masks 'coca'; did you mean 'coco'"):
        FORMATS["coca"]
