"""NIfTI masks with rows from the bottom up, as their header's direction says: turned.

Right: the lesion's place by the direction (the second axis runs towards the front), as dcm2niix writes it.
Source: rordenlab/dcm2niix#718, #249; OHIF/Viewers#2003. Shared case: input-nifti-rows-reversed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813  the name its manual gives it

from tests.annotations.joined import joined
from tests.study import write_image

LESION = np.zeros((8, 10), np.bool_)
LESION[1:4, 6:8] = True


def test_rows_are_turned_where_the_direction_says_so(tmp_path: Path) -> None:
    write_image(tmp_path / "images", 1, np.zeros((8, 10), np.uint8))
    volume = sitk.GetImageFromArray(LESION[None, ::-1].astype(np.uint8))
    volume.SetDirection((1, 0, 0, 0, -1, 0, 0, 0, 1))
    volume.SetOrigin((0, 3.5, 0))
    volume.SetSpacing((0.5, 0.5, 1))
    sitk.WriteImage(volume, tmp_path / "image1.nii.gz")
    source = {"format": "volume", "pattern": "{image}.nii.gz", "finding": "nodule"}
    _, found = joined(tmp_path, tmp_path / "images", [source])
    (reference,) = found["image1"].references
    (mask,) = reference.masks
    np.testing.assert_array_equal(mask, LESION)
    (notice,) = reference.notices
    assert (notice.kind, notice.line()) == ("guess", "orientation: header")
