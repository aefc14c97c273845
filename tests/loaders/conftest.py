"""Fixtures that write and load small DICOM files with known pixels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.loaders import decode, read_header
from pipeline.records import Image
from tests.loaders.files import write_file

Write = Callable[..., Path]
Load = Callable[..., Image]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """write(pixels, name="image.dcm", **elements): the path of a new file, as `write_file` writes it."""
    return lambda pixels, *, name="image.dcm", **options: write_file(tmp_path / name, pixels, **options)


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """load(path, frame=0, window="header"): the decoded image."""

    def loaded(path: Path, *, frame: int = 0, window: object = "header") -> Image:
        source = read_header(path, root=tmp_path if path.is_relative_to(tmp_path) else path.parent)[frame]
        return decode(source, case_id="case", window=window)

    return loaded
