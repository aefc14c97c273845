"""Tests of run-length masks in JSON."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from pycocotools import mask as coco

from pipeline.annotations.rle_json import Runs, find, read
from pipeline.errors import CaseError, ConfigError
from pipeline.records import AnnotationItem

MASK = [[0, 0, 1], [0, 1, 1]]
RUNS = [3, 3]
"""Column by column: 0 0, 0 1, 1 1."""


def items(tmp_path: Path, content: object) -> list[AnnotationItem]:
    (tmp_path / "masks.json").write_text(json.dumps(content))
    return list(find(tmp_path, file="masks.json"))


def as_lists(item: AnnotationItem, shape: tuple[int, int] = (2, 3)) -> list[list[list[int]]]:
    found = read(item, case_id="case", finding="mass", shape=shape)
    return [mask.astype(int).tolist() for mask in found.masks]


def entry(counts: object, size: object = (2, 3)) -> dict[str, object]:
    return {"size": size, "counts": counts}


def test_runs_go_down_the_columns(tmp_path: Path) -> None:
    (item,) = items(tmp_path, {"7": {"Mass": entry(RUNS)}})
    assert (item.image, item.finding, item.reader) == ("7", "Mass", "reader")
    assert as_lists(item) == [MASK]


def test_text_by_hand(tmp_path: Path) -> None:
    """COCO text with one character per run below 16: "0" + 3 is "3"."""
    (item,) = items(tmp_path, {"7": {"Mass": entry("33")}})
    assert as_lists(item) == [MASK]


@pytest.mark.parametrize("seed", range(20))
def test_text_by_pycocotools(tmp_path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    coarse = random.random((random.integers(1, 9), random.integers(1, 9))) < 0.4
    mask = np.kron(coarse, np.ones((random.integers(1, 60), random.integers(1, 60)))).astype(np.uint8)
    coded = coco.encode(np.asfortranarray(mask))
    (item,) = items(tmp_path, {"7": {"Mass": entry(coded["counts"].decode(), coded["size"])}})
    assert as_lists(item, mask.shape) == ([mask.tolist()] if mask.any() else [])


def test_a_list_of_masks_is_one_an_instance(tmp_path: Path) -> None:
    (item,) = items(tmp_path, {"7": {"Mass": [entry([0, 1, 5]), entry([5, 1])]}})
    assert as_lists(item) == [[[1, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 1]]]


@pytest.mark.parametrize("masks", [entry([6]), [], None, [entry([6])]])
def test_an_empty_mask_says_not_there(tmp_path: Path, masks: object) -> None:
    (item,) = items(tmp_path, {"7": {"Mass": masks}})
    assert as_lists(item) == []


@pytest.mark.parametrize(
    ("mask", "reason"),
    [
        (entry([3, 2]), "not_a_mask"),
        (entry([3, 4]), "not_a_mask"),
        (entry([7, -1]), "not_a_mask"),
        (entry([]), "not_a_mask"),
        (entry("3"), "not_a_mask"),
        (entry("3P"), "not_a_mask"),
        (entry("P" * 100), "not_a_mask"),
        (entry("é"), "not_a_mask"),
        (entry(["x"]), "not_a_mask"),
        (entry(None), "not_a_mask"),
        (entry([6], 6), "not_a_mask"),
        (entry([6], [2, 3, 1]), "not_a_mask"),
        ({"counts": [6]}, "not_a_mask"),
        ({}, "not_a_mask"),
        ("33", "not_a_mask"),
        ([[0, 0, 1]], "not_a_mask"),
        (entry([6], [3, 2]), "mask_size"),
        (entry([10**12], [10**6, 10**6]), "mask_size"),
    ],
)
def test_what_is_no_mask_of_the_image_is_refused(tmp_path: Path, mask: object, reason: str) -> None:
    (item,) = items(tmp_path, {"7": {"Mass": mask}})
    with pytest.raises(CaseError) as refused:
        as_lists(item)
    assert refused.value.reason == reason


def test_an_image_key_never_leads_upwards(tmp_path: Path) -> None:
    found = items(tmp_path, {"../../etc/7.png": {"Mass": entry(RUNS)}, "1.2.840.7": {"Mass": entry(RUNS)}})
    assert [item.image for item in found] == ["etc/7", "1.2.840.7"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[1]", "holds a list; write it as {image"),
        ('{"7": [1]}', "image 1 holds a list; write it as {image"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "masks.json").write_text(text)
    with pytest.raises(ConfigError, match=complaint):
        list(find(tmp_path / "masks.json"))


def test_half_a_character_becomes_its_escape(tmp_path: Path) -> None:
    (item,) = items(tmp_path, {"\ud800": {"a\udfff": entry(RUNS)}})
    assert (item.image, item.finding) == ("\\ud800", "a\\udfff")
    assert as_lists(item) == [MASK]


def test_a_giant_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "masks.json").touch()
    os.truncate(tmp_path / "masks.json", 200 << 30)
    with pytest.raises(ConfigError, match="larger than 64 MiB"):
        list(find(tmp_path, file="masks.json"))


@pytest.mark.parametrize("content", [{}, {"7": {}}])
def test_a_file_without_any_finding_is_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(ConfigError, match="names no finding of an image"):
        items(tmp_path, content)


@pytest.mark.parametrize(("largest", "width"), [(255, 1), (256, 2), (2**16, 4)])
def test_runs_are_kept_in_as_few_bytes_as_they_need(tmp_path: Path, largest: int, width: int) -> None:
    (item,) = items(tmp_path, {"7": {"Mass": entry([0] * 99 + [largest], (largest, 1))}})
    (runs,) = cast("tuple[Runs, ...]", item.payload["masks"])
    assert len(runs.counts or b"") == 100 * width
    assert read(item, case_id="case", finding="mass", shape=(largest, 1)).masks[0].all()


def test_sums_that_overflow_are_not_masks(tmp_path: Path) -> None:
    (item,) = items(tmp_path, {"7": {"Mass": entry([2**32 - 1] * 10)}})
    with pytest.raises(CaseError, match="do not add up"):
        as_lists(item)
