import base64
import json
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.records import Display, Image
from pipeline.store.pictures import pixels_script, thumbnail, write_pictures


def content_of(script: bytes) -> dict[str, Any]:
    text = script.decode("ascii")
    assert text.startswith("heatproof.pixels(")
    assert text.endswith(");\n")
    content: dict[str, Any] = json.loads(text[len("heatproof.pixels(") : -3])
    return content


def read_back(script: bytes) -> tuple[NDArray[np.integer], dict[str, object]]:
    """The pixel values in a pixels.js, decoded from the description of its format alone."""
    content = content_of(script)
    shape = (content["bits"] // 8, content["rows"], content["columns"])
    planes = np.frombuffer(zlib.decompress(base64.b64decode(content.pop("data"))), np.uint8).reshape(shape)
    planes = np.cumsum(planes, axis=1, dtype=np.uint8)
    values = planes[0] if len(planes) == 1 else planes[0].astype(np.uint16) * 256 + planes[1]
    return values, content


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_every_value_comes_back(depth: type[np.uint8 | np.uint16]) -> None:
    values = np.random.default_rng(1).integers(0, np.iinfo(depth).max, (7, 5), endpoint=True).astype(depth)
    found, content = read_back(
        pixels_script(Display(values, 3.5, 200.0, slope=2.0, intercept=-1.0, unit="HU"))
    )
    assert (found == values).all()
    assert content == {
        "rows": 7,
        "columns": 5,
        "bits": 8 * values.itemsize,
        "low": 3.5,
        "high": 200.0,
        "slope": 2.0,
        "intercept": -1.0,
        "unit": "HU",
    }


def test_a_thumbnail_is_small_keeps_its_proportions_and_shows_the_window() -> None:
    values = np.full((1000, 600), 1000, np.uint16)
    values[:500] = 3000
    picture = cv2.imdecode(
        np.frombuffer(thumbnail(Display(values, 1000, 5000)), np.uint8), cv2.IMREAD_GRAYSCALE
    )
    assert picture is not None
    assert picture.shape == (250, 150)
    assert abs(int(picture[50, 75]) - 128) <= 2
    assert int(picture[200, 75]) <= 2


def test_a_window_without_width_is_a_step() -> None:
    values = np.array([[10] * 64, [200] * 64] * 32, np.uint8).repeat(2, axis=0)
    picture = cv2.imdecode(
        np.frombuffer(thumbnail(Display(values, 100, 100)), np.uint8), cv2.IMREAD_GRAYSCALE
    )
    assert picture is not None
    assert {int(picture.min() > 20), int(picture.max() < 235)} == {0}


def test_pictures_lie_in_the_folder_of_their_case(tmp_path: Path) -> None:
    display = Display(np.zeros((4, 4), np.uint8), 0, 255)
    write_pictures(tmp_path, Image("case-1", np.zeros((4, 4), np.float32), None, display=display))
    assert {path.name for path in (tmp_path / "cases" / "case-1").iterdir()} == {"pixels.js", "thumbnail.jpg"}


def test_eight_bits_are_one_plane_each_byte_less_the_one_above() -> None:
    values = np.array([[1, 2], [3, 1], [0, 255]], np.uint8)
    content = content_of(pixels_script(Display(values, 0, 255)))
    data = zlib.decompress(base64.b64decode(content.pop("data")))
    assert list(data) == [1, 2, 2, 255, 253, 254]
    assert content == {
        "rows": 3, "columns": 2, "bits": 8, "low": 0, "high": 255, "slope": None, "intercept": 0.0,
        "unit": "",
    }  # fmt: skip


def test_sixteen_bits_are_the_high_plane_then_the_low_one() -> None:
    values = np.array([[0x0102, 0xFF00], [0x0201, 0x00FF]], np.uint16)
    script = pixels_script(Display(values, 10, 4000, slope=1.0, intercept=-1024.0, unit="HU"))
    content = content_of(script)
    assert list(zlib.decompress(base64.b64decode(content["data"]))) == [1, 255, 1, 1, 2, 0, 255, 255]
    assert (content["bits"], content["slope"], content["intercept"], content["unit"]) == (16, 1, -1024, "HU")
