"""Tests of small masks in text."""

from __future__ import annotations

import base64
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from pipeline.annotations.bitmaps import bitmap_of, mask_of
from pipeline.errors import CaseError


def png(values: np.ndarray) -> bytes:
    data = BytesIO()
    Image.fromarray(values).save(data, "PNG")
    return data.getvalue()


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_any_value_but_0_is_inside(kind: type) -> None:
    data = png(np.array([[0, 1, 255]], kind))
    wanted = np.zeros((3, 5), bool)
    wanted[1, 2:4] = True
    np.testing.assert_array_equal(mask_of(bitmap_of(text(data), 1, 1), (3, 5)), wanted)
    deflated = bitmap_of(text(zlib.compress(data)), 1.0, "1", is_deflated=True)
    np.testing.assert_array_equal(mask_of(deflated, (3, 5)), wanted)


def test_a_transparent_colour_is_outside_though_it_is_white() -> None:
    values = np.full((1, 2, 4), 255, np.uint8)
    values[0, 0, 3] = 0
    assert mask_of(bitmap_of(text(png(values)), 0, 0), (1, 2)).tolist() == [[False, True]]


def test_it_must_lie_in_its_image_before_it_is_decoded() -> None:
    large = bitmap_of(text(png(np.zeros((1, 3000), np.uint8))), 0, 0)
    with pytest.raises(CaseError, match="covers 1 rows from row 0 and 3000 columns"):
        mask_of(large, (2, 2))
