"""Tests of opening JPEG files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.errors import CaseError
from pipeline.guards.jpeg_files import opened_jpeg


def test_a_picture_is_opened(tmp_path: Path) -> None:
    Image.fromarray(np.full((3, 5), 200, np.uint8)).save(tmp_path / "a.jpg")
    with opened_jpeg(tmp_path / "a.jpg", what="The mask", reason="bad") as picture:
        assert picture.size == (5, 3)


def test_another_format_and_a_file_without_an_end_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    for kind, cut in (("PNG", 0), ("JPEG", 2)):
        Image.fromarray(np.full((3, 5), 200, np.uint8)).save(file, kind)
        file.write_bytes(file.read_bytes()[: file.stat().st_size - cut])
        with (
            pytest.raises(CaseError, match="The mask is not a readable JPEG") as refused,
            opened_jpeg(file, what="The mask", reason="bad"),
        ):
            pass
        assert refused.value.reason == "bad"
