"""A DICOM SEG that names no image lies on the images with its frame of reference and plane.

Right: PS3.3, A.51.5: the frames' plane positions place them, in whatever order they are.
Source: OHIF/Viewers#4030, #3936. Shared case: input-seg-frame-of-reference-only.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom import dcmread

from tests.annotations.joined import joined
from tests.annotations.segmentations import source_image, write_segmentation
from tests.study import uid, write_image

SHAPE = (6, 8)
LESIONS = np.zeros((3, *SHAPE), np.bool_)
for z in range(3):
    LESIONS[z, 1 : 3 + z, 2 + z : 5] = True


def place(z: int) -> dict[str, object]:
    return {
        "Modality": "CT",
        "FrameOfReferenceUID": "1.2.9",
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "ImagePositionPatient": [-10, 5, 2 * z],
        "PixelSpacing": [0.5, 0.5],
        "SliceThickness": 2,
    }


def write(folder: Path, *, position: int = 0) -> None:
    """Three slices, and a SEG of them that names no image; `position` moves it by slices."""
    for z in range(3):
        write_image(folder / "images", z, np.zeros(SHAPE, np.uint8), **place(z + position))
    sources = [
        source_image(uid(z), SHAPE, SOPClassUID="1.2.840.10008.5.1.4.1.1.2", **place(z)) for z in range(3)
    ]
    write_segmentation(folder / "seg.dcm", LESIONS[..., None], sources, ["nodule"])
    header = dcmread(folder / "seg.dcm")
    del header.ReferencedSeriesSequence
    for frame in header.PerFrameFunctionalGroupsSequence:
        del frame.DerivationImageSequence
    header.save_as(folder / "seg.dcm")


def test_frames_lie_on_the_images_with_their_plane(tmp_path: Path) -> None:
    write(tmp_path)
    truth, found = joined(tmp_path, tmp_path / "images", [{"format": "dicom_seg"}])
    assert not truth.skipped
    assert not truth.notices
    for z in range(3):
        (reference,) = found[f"image{z}"].references
        (mask,) = reference.masks
        np.testing.assert_array_equal(mask, LESIONS[z])


def test_frames_without_image_are_listed(tmp_path: Path) -> None:
    write(tmp_path, position=1)
    truth, found = joined(tmp_path, tmp_path / "images", [{"format": "dicom_seg"}])
    assert [skipped.reason for skipped in truth.skipped] == ["annotation_without_image"]
    assert not truth.notices
    assert "frame of reference" in truth.skipped[0].message
    assert [len(found[f"image{z}"].references) for z in range(3)] == [1, 1, 0]
    np.testing.assert_array_equal(found["image0"].references[0].masks[0], LESIONS[1])
