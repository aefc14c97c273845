"""Tests of the registry of formats and of the checks of sources in a config."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.annotations import FORMATS, find_annotations, read_annotation
from pipeline.annotations.boxes import BOXES
from pipeline.contracts import AnnotationFormat
from pipeline.errors import CaseError, ConfigError
from pipeline.records import AnnotationItem, Box


def picture(path: Path, *, columns: int = 3, rows: int = 2) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ones((rows, columns), np.uint8)).save(path)


def test_sources_are_gathered_one_after_the_other(tmp_path: Path) -> None:
    picture(tmp_path / "a" / "1.png")
    picture(tmp_path / "b" / "2.png")
    sources = [
        {"format": "png", "pattern": "b/{image}.png", "finding": "Mass", "reader": "second"},
        {"format": "png", "pattern": "a/{image}.png"},
    ]
    items = find_annotations(tmp_path, sources)
    assert [(item.image, item.finding, item.reader) for item in items] == [
        ("2", "Mass", "second"),
        ("1", None, "reader"),
    ]


def test_an_item_is_read_by_its_own_format(tmp_path: Path) -> None:
    picture(tmp_path / "1.png")
    (item,) = find_annotations(tmp_path, [{"format": "png", "background": [0]}])
    assert read_annotation(item, case_id="c", finding="f", shape=(2, 3)).masks[0].all()


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (
            {"pattern": "x"},
            r"annotations\.sources\[0\]\.format: is missing; choose one of: boxes, chexlocalize, coco",
        ),
        ({"format": "pgn"}, r"annotations\.sources\[0\]\.format: .*'pgn'; did you mean 'png'"),
        (
            {"format": "png", "patern": "x"},
            r"sources\[0\]\.patern: unknown option of png; did you mean 'pattern'",
        ),
        (
            {"format": "png", "instances": "value"},
            r"sources\[0\]\.instances: found 'value'; set it to 'auto' or 'values'",
        ),
        ({"format": "png", "finding": 3}, r"sources\[0\]\.finding: found 3; set it to a text or null"),
        (
            {"format": "boxes", "origin": "center"},
            r"sources\[0\]\.origin: found 'center'; set it to 'corner' or 'centre'",
        ),
        ({"format": "png"}, r"sources\[0\] \(png\): .*no file matches pattern '\{image\}\.png'"),
        ({"format": "boxes"}, r"sources\[0\] \(boxes\): .*name a file with"),
        (
            {"format": "rle_json", "file": "a.json"},
            r"sources\[0\] \(rle_json\): .*has no file 'a\.json'",
        ),
        ({"format": "boxes", "file": "../a.csv"}, r"'\.\./a\.csv': is outside the annotations folder"),
        ({"format": "dicom_seg", "folder": "/etc"}, r"'/etc': is outside the annotations folder"),
        ({"format": "dicom_seg"}, r"holds no DICOM SEG file"),
        ({"format": "volume", "first_axis": "y", "orientation": "header"}, r"orientation: 'header' is set"),
        ({"format": "png", "background": "0"}, r"background: found '0'; set it to 'auto' or a list"),
        ({"format": "volume", "pattern": "{image}.mhd"}, r"unknown suffix; use \.nii\.gz"),
    ],
)
def test_a_source_that_cannot_be_used_is_named(
    tmp_path: Path, source: dict[str, object], complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint):
        find_annotations(tmp_path, [source])


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such annotations folder"):
        find_annotations(tmp_path / "none", [{"format": "png"}])


def test_the_stage_is_imported_without_heavy_libraries() -> None:
    heavy = "{'torch', 'pydicom', 'highdicom', 'SimpleITK', 'skimage', 'PIL'}"
    code = f"import sys, pipeline.annotations, pipeline.annotations.guess; print({heavy} & set(sys.modules))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "set()"


def test_a_format_that_reads_another_kind_than_it_declares_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    swapped = AnnotationFormat(find=BOXES.find, read=BOXES.read, kind="mask")
    monkeypatch.setitem(FORMATS._loaded, "boxes", swapped)
    item = AnnotationItem("boxes", "7", "mass", "reader", payload={"boxes": (Box(1, 1, 2, 2),)})
    with pytest.raises(CaseError, match="'boxes' declares a mask but read a box") as refused:
        read_annotation(item, case_id="case", finding="mass", shape=(9, 9))
    assert refused.value.reason == "annotation_kind"
