"""Apart: masks and copies beside images are not audited as images, by what their names say; each is told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.cohort.apart import BESIDE_DICOM, BESIDE_PICTURE, IN_ANNOTATIONS, IN_FOLDER, NAMED, OTHER_FORMAT
from pipeline.cohort.index import Cohort, index_studies
from pipeline.errors import ConfigError
from pipeline.executors.here import Here
from tests.loaders.pictures import png, write_picture, write_volume, zipped
from tests.study import write_image

PIXELS = np.arange(256, dtype=np.uint8).reshape(16, 16)
MASK = np.where(PIXELS > 99, 255, 0).astype(np.uint8)


def pseudonym(kind: str, *identity: object) -> str:
    return "-".join(map(str, (kind, *identity)))


def indexed(folder: Path, **options: object) -> Cohort:
    return index_studies(folder, executor=Here(), pseudonym=pseudonym, **options)


def images(cohort: Cohort) -> list[str]:
    return sorted(case.source.relative_path for case in cohort.cases)


def refused(cohort: Cohort) -> dict[str, str]:
    return {cohort.skipped_files[skip.subject]: skip.message for skip in cohort.skipped}


def test_masks_of_busi_lie_beside_their_images(tmp_path: Path) -> None:
    """Names as in BUSI: "benign (1).png", "benign (1)_mask.png", "benign (1)_mask_1.png"."""
    for name in ("benign (1)", "benign (2)", "normal (1)"):
        write_picture(tmp_path / "benign" / f"{name}.png", PIXELS)
        write_picture(tmp_path / "benign" / f"{name}_mask.png", MASK)
    write_picture(tmp_path / "benign" / "benign (1)_mask_1.png", MASK)
    cohort = indexed(tmp_path)
    assert images(cohort) == [f"benign/{name}.png" for name in ("benign (1)", "benign (2)", "normal (1)")]
    assert set(refused(cohort).values()) == {NAMED}
    (guess, _) = cohort.notices
    assert guess.message.startswith("4 files are read as masks and not as images, because their names are")


@pytest.mark.parametrize(
    "name", ["17_mask", "17-seg", "17.label", "17 GT", "17_mask_2", "17_Mask1", "mask_17", "17_manual_1"]
)
def test_names_with_words_for_masks(name: str, tmp_path: Path) -> None:
    write_picture(tmp_path / "17.png", PIXELS)
    write_picture(tmp_path / f"{name}.png", MASK)
    assert images(indexed(tmp_path)) == ["17.png"]


@pytest.mark.parametrize("name", ["17_1", "17_left", "18_mask", "masked", "17mask", "mask", "17_maskless"])
def test_other_names_are_images(name: str, tmp_path: Path) -> None:
    write_picture(tmp_path / "17.png", PIXELS)
    write_picture(tmp_path / f"{name}.png", PIXELS)
    assert len(indexed(tmp_path).cases) == 2


@pytest.mark.parametrize("folder", ["masks", "lung_masks", "Ground truth", "labelsTr", "a/GT/b", "manual1"])
def test_folders_named_like_masks(folder: str, tmp_path: Path) -> None:
    write_picture(tmp_path / "images" / "17.png", PIXELS)
    write_picture(tmp_path / folder / "17.png", MASK)
    cohort = indexed(tmp_path)
    assert images(cohort) == ["images/17.png"]
    assert list(refused(cohort).values()) == [IN_FOLDER]


@pytest.mark.parametrize("folder", ["images_and_masks", "segmentation dataset", "masked", "mammograms", "m1"])
def test_folders_that_may_hold_images(folder: str, tmp_path: Path) -> None:
    write_picture(tmp_path / folder / "17.png", PIXELS)
    assert len(indexed(tmp_path).cases) == 1


def test_a_folder_of_masks_alone_says_what_it_holds(tmp_path: Path) -> None:
    write_picture(tmp_path / "masks" / "17.png", MASK)
    with pytest.raises(
        ConfigError, match="holds no image: 1 file refused because the file is a mask: its fo"
    ):
        indexed(tmp_path)


def test_the_folder_of_the_annotations_holds_no_images(tmp_path: Path) -> None:
    write_picture(tmp_path / "17.png", PIXELS)
    write_picture(tmp_path / "drawn" / "nodule" / "17.png", MASK)
    write_picture(tmp_path / "drawn too" / "18.png", PIXELS)
    cohort = indexed(tmp_path, annotations=tmp_path / "x" / ".." / "drawn")
    assert images(cohort) == ["17.png", "drawn too/18.png"]
    assert list(refused(cohort).values()) == [IN_ANNOTATIONS]
    for other in (tmp_path, tmp_path.parent, tmp_path / "17.csv"):
        assert len(indexed(tmp_path, annotations=other).cases) == 3


def test_pictures_beside_dicom_images_are_read_only_if_named(tmp_path: Path) -> None:
    write_image(tmp_path, 1, PIXELS)
    write_picture(tmp_path / "preview.jpg", PIXELS)
    write_picture(tmp_path / "nodule" / "image1.png", MASK)
    write_volume(tmp_path / "a.nii", PIXELS[None])
    cohort = indexed(tmp_path)
    assert images(cohort) == ["image1.dcm"]
    assert list(refused(cohort).values()) == [BESIDE_DICOM] * 3
    (guess,) = cohort.notices
    assert guess.message.startswith("3 pictures and volumes are not read as images")
    assert guess.line() == "studies: {formats: [DICOM]}"
    assert not indexed(tmp_path, formats=("DICOM",)).notices
    stated = indexed(tmp_path, formats=("JPEG", "NIfTI"))
    assert images(stated) == ["a.nii", "preview.jpg"]
    assert list(refused(stated).values()) == [OTHER_FORMAT] * 2


def test_a_volume_with_the_name_of_a_picture_is_its_mask(tmp_path: Path) -> None:
    write_picture(tmp_path / "17.png", PIXELS)
    write_volume(tmp_path / "17.nii.gz", MASK[None])
    cohort = indexed(tmp_path)
    assert images(cohort) == ["17.png"]
    assert list(refused(cohort).values()) == [BESIDE_PICTURE]
    assert images(indexed(tmp_path, formats=("NIfTI",))) == ["17.nii.gz"]


def test_masks_in_an_archive_are_told_by_their_names_too(tmp_path: Path) -> None:
    files = {
        "set/17.png": png(PIXELS, colour=0),
        "set/17_mask.png": png(MASK, colour=0),
        "set/a.txt": b"text",
    }
    zipped(tmp_path / "all.zip", files)
    cohort = indexed(tmp_path)
    assert images(cohort) == ["all.zip/set/17.png"]
    assert refused(cohort) == {
        "all.zip/set/17_mask.png": NAMED,
        "all.zip/set/a.txt": "the file is text, which is not read as an image",
    }
    assert cohort.files == 3
