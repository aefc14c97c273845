"""PASCAL VOC masks: the void rim, 255, is neither a lesion nor inside one.

Right: the object has the value 1; "void" belongs to nothing (VOC development kit).
Source: meetps/pytorch-semseg#23, dmlc/gluon-cv#211. Shared case: input-mask-voc-void.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from tests.annotations.joined import joined
from tests.study import write_image

PNG = {"format": "png", "pattern": "{image}.png", "finding": "nodule"}
LESION = np.zeros((12, 12), np.bool_)
LESION[4:8, 3:8] = True


def test_the_void_rim_is_no_lesion_and_not_inside_one(tmp_path: Path) -> None:
    write_image(tmp_path / "images", 1, np.zeros((12, 12), np.uint8))
    values = np.zeros((12, 12), np.uint8)
    values[2:10, 1:10] = 255
    values[LESION] = 1
    mask = Image.fromarray(values, mode="L").convert("P")
    mask.putdata(values.ravel().tolist())
    mask.putpalette([0, 0, 0, 128, 0, 0] + [0] * 759 + [10, 20, 30])
    mask.save(tmp_path / "image1.png")
    _, found = joined(tmp_path, tmp_path / "images", [PNG])
    (reference,) = found["image1"].references
    (lesion,) = reference.masks
    np.testing.assert_array_equal(lesion, LESION)
    (notice,) = reference.notices
    assert (notice.kind, notice.line()) == ("guess", "background: [0, 255]")
