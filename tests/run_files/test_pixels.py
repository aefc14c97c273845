"""The image that a case's page shows is read back as it was written, and damage is named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ConfigError
from pipeline.records import Display
from pipeline.run_files.pixels import read_pixels
from pipeline.store.pictures import pixels_script

DEPTHS = (np.uint8, np.uint16)


@pytest.mark.parametrize("depth", DEPTHS)
def test_every_value_comes_back(tmp_path: Path, depth: type) -> None:
    values = np.random.default_rng(3).integers(0, np.iinfo(depth).max, (5, 7), depth, endpoint=True)
    written = Display(values, low=3, high=2.5, slope=2.0, intercept=-1024.0, unit="HU")
    path = tmp_path / "pixels.js"
    path.write_bytes(pixels_script(written))
    read = read_pixels(path)
    assert read.values.dtype == depth
    assert (read.values == values).all()
    assert (read.low, read.high, read.slope, read.intercept, read.unit) == (3, 2.5, 2.0, -1024.0, "HU")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"bits": 12}, "bits: "),
        ({"rows": 6}, "data: 35 bytes, wanted 42"),
        ({"rows": 4}, "data: "),
        ({"data": "?"}, "data: is not base64"),
        ({"data": "AAAA"}, "data is not a zlib stream"),
        ({"low": None}, "low: "),
        ({"rows": 2**20, "columns": 2**20}, "rows, columns: an image of more than 1024 MiB"),
    ],
)
def test_damage_is_named(tmp_path: Path, change: dict[str, object], complaint: str) -> None:
    path = tmp_path / "pixels.js"
    script = pixels_script(Display(np.zeros((5, 7), np.uint8), 0, 255)).decode()
    start, end = script.index("{"), script.rindex("}") + 1
    content = json.loads(script[start:end]) | change
    path.write_text(script[:start] + json.dumps(content) + script[end:])
    with pytest.raises(ConfigError, match=complaint):
        read_pixels(path)
