"""Tests of JPEG masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage.draw import disk

from pipeline.annotations.grey_levels import SOFT
from pipeline.annotations.jpg import find, read
from pipeline.errors import CaseError
from pipeline.records import Reference

SHAPE = (70, 90)
DISKS = np.zeros(SHAPE, np.bool_)
for centre, radius in (((20, 22), 11), ((48, 65), 14)):
    DISKS[disk(centre, radius)] = True


def save(path: Path, mask: np.ndarray, **options: object) -> Path:
    Image.fromarray(mask).save(path / "1.jpg", **options)
    return path


def reference(path: Path, shape: tuple[int, int] = SHAPE, **options: object) -> Reference:
    (item,) = find(path, **options)
    return read(item, case_id="case", finding="mass", shape=shape)


def refusal(path: Path, shape: tuple[int, int] = SHAPE) -> tuple[str, str]:
    with pytest.raises(CaseError) as refused:
        reference(path, shape)
    return refused.value.reason, refused.value.message


@pytest.mark.parametrize("quality", [95, 75, 40])
def test_two_disks_come_back_as_two_lesions_and_the_threshold_is_told(tmp_path: Path, quality: int) -> None:
    found = reference(save(tmp_path, DISKS.astype(np.uint8) * 255, quality=quality))
    assert len(found.masks) == 2
    assert np.count_nonzero(np.logical_or(*found.masks) != DISKS) == 0
    assert found.notices == (SOFT,)


def test_a_black_mask_says_that_the_finding_is_absent(tmp_path: Path) -> None:
    found = reference(save(tmp_path, np.zeros(SHAPE, np.uint8)))
    assert (found.masks, found.notices) == ((), ())


def test_labels_of_one_are_refused_because_jpeg_blurs_them_with_zero(tmp_path: Path) -> None:
    reason, message = refusal(save(tmp_path, DISKS.astype(np.uint8) * 2, quality=100))
    assert reason == "not_a_mask"
    assert "highest value" in message


def test_a_picture_is_no_mask(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, SHAPE[0] * SHAPE[1]).reshape(SHAPE).astype(np.uint8)
    assert refusal(save(tmp_path, ramp))[0] == "not_a_mask"


def test_colours_are_refused(tmp_path: Path) -> None:
    coloured = np.stack([DISKS * 255, DISKS * 0, ~DISKS * 255], axis=-1).astype(np.uint8)
    assert refusal(save(tmp_path, coloured))[0] == "not_a_mask"


def test_grey_in_three_channels_is_grey(tmp_path: Path) -> None:
    found = reference(save(tmp_path, np.stack([DISKS * 255] * 3, axis=-1).astype(np.uint8)))
    np.testing.assert_array_equal(np.logical_or(*found.masks), DISKS)


def test_a_mask_that_its_exif_data_turn_is_refused(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    reason, message = refusal(save(tmp_path, DISKS.astype(np.uint8) * 255, exif=exif))
    assert reason == "annotation_unreadable"
    assert "EXIF" in message


@pytest.mark.parametrize("damage", [lambda data: data[:200], lambda data: data[:-2], lambda _: b"JFIF"])
def test_an_incomplete_file_is_refused(tmp_path: Path, damage: object) -> None:
    file = save(tmp_path, DISKS.astype(np.uint8) * 255) / "1.jpg"
    assert callable(damage)
    file.write_bytes(damage(file.read_bytes()))
    assert refusal(tmp_path)[0] == "annotation_unreadable"


def test_another_size_is_refused_and_the_option_named(tmp_path: Path) -> None:
    save(tmp_path, DISKS.astype(np.uint8) * 255)
    reason, message = refusal(tmp_path, (140, 180))
    assert reason == "mask_size"
    assert "resample to nearest" in message
    assert reference(tmp_path, (140, 180), resample="nearest").masks[0].shape == (140, 180)
