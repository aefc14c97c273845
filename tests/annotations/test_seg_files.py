"""Tests of recognising DICOM SEG files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.annotations.seg_files import segmentations

CLASS = b"1.2.840.10008.5.1.4.1.1.66."


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (bytes(128) + b"DICM" + CLASS + b"4", True),
        (bytes(128) + b"DICM" + CLASS + b"7\0", True),
        (bytes(128) + b"DICM" + CLASS + b"5\0", False),
        (bytes(128) + b"DICM" + CLASS + b"42", False),
        (bytes(128) + b"DICM" + CLASS + b"4.1", False),
        (bytes(128) + CLASS + b"4", False),
        (b"", False),
    ],
    ids=["segmentation", "label map", "surface", "longer number", "longer class", "not DICOM", "empty"],
)
def test_a_segmentation_is_known_by_its_class(tmp_path: Path, head: bytes, *, expected: bool) -> None:
    (tmp_path / "a").mkdir()
    file = tmp_path / "a" / "file"
    file.write_bytes(head)
    (tmp_path / "a" / "._file").write_bytes(head)
    assert segmentations(tmp_path) == ([file] if expected else [])
    assert segmentations(file) == ([file] if expected else [])
