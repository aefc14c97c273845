"""A palette whose first colour is the lesion's and whose second is black: black is background.

Right: what annotators saw as coloured is the lesion.
Source: cvat-ai/cvat#1736, open-edge-platform/datumaro#2004. Shared case: input-palette-background-not-zero.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tests.annotations.joined import joined
from tests.study import write_image

PNG = {"format": "png", "pattern": "{image}.png", "finding": "nodule"}
LESION = np.zeros((8, 10), np.bool_)
LESION[2:5, 3:8] = True


def test_what_is_black_is_background(tmp_path: Path) -> None:
    write_image(tmp_path / "images", 1, np.zeros((8, 10), np.uint8))
    mask = Image.new("P", (10, 8))
    mask.putdata((~LESION).astype(int).ravel().tolist())
    mask.putpalette([40, 130, 60, 0, 0, 0])
    mask.save(tmp_path / "image1.png")
    _, found = joined(tmp_path, tmp_path / "images", [PNG])
    (reference,) = found["image1"].references
    (lesion,) = reference.masks
    np.testing.assert_array_equal(lesion, LESION)
    (notice,) = reference.notices
    assert (notice.kind, notice.line()) == ("guess", "background: [1]")
