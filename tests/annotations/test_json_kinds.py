"""Tests of the formats of JSON files, told by their beginning and contents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.annotations.json_kinds import json_format

COCO = {"images": [], "annotations": [{}], "categories": []}
TASK = {"id": 1, "data": {"image": "a"}, "annotations": []}


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (COCO, "coco"),
        ({"info": {}, **COCO}, "coco"),
        (COCO | {"annotations": []}, ""),
        (COCO | {"images": {}}, ""),
        ({"images": [], "annotations": [{}]}, ""),
        ({"a": {"img_size": [1, 2], "Mass": []}}, "chexlocalize"),
        ({"a": {"Mass": [], "img_size": [1, 2]}}, "chexlocalize"),
        ({"a": {"img_size": [1]}}, ""),
        ({"a": {"Mass": {"size": [1, 2], "counts": [2]}}}, "rle_json"),
        ({"a": {"Mass": [{"size": [1, 2], "counts": [2]}]}}, "rle_json"),
        ({"a": {"Mass": [{"size": [1, 2]}]}}, ""),
        ([TASK], "label_studio"),
        ([{"image": "a", "label": [], "annotation_id": 1}], "label_studio"),
        ([TASK | {"data": 1}], ""),
        ([1, TASK], ""),
        ({}, ""),
        (5, ""),
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_formats(tmp_path: Path, content: Any, name: str, indent: int | None) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps(content, indent=indent), encoding="utf-8-sig")
    assert json_format(file) == name


def test_files_that_cannot_be_read_have_none(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"images": [')
    assert json_format(tmp_path / "a.json") == ""
    assert json_format(tmp_path) == ""
