"""A 3D Slicer segmentation of lung and nodule: only the segment called nodule is a nodule.

Right: the names in the file, Segment0_Name and Segment0_LabelValue (3D Slicer's documentation of .seg.nrrd).
Source: lassoan/slicerio#10, MIC-DKFZ/nnUNet#2220, #1458. Shared case: input-segnrrd-named-segments.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.annotations.joined import joined
from tests.annotations.volumes import write_segments
from tests.study import write_image

LUNG, NODULE = np.zeros((2, 8, 10), np.bool_)
LUNG[1:7, 1:4] = True
NODULE[2:5, 6:8] = True
NAMED = {"format": "volume", "pattern": "{image}.seg.nrrd", "finding": "nodule"}


@pytest.mark.parametrize("sources", [[NAMED], []], ids=["one finding in the source", "guessed"])
def test_a_segment_of_another_name_is_no_nodule(tmp_path: Path, sources: list[dict[str, str]]) -> None:
    write_image(tmp_path / "images", 1, np.zeros((8, 10), np.uint8))
    write_segments(tmp_path / "masks" / "image1.seg.nrrd", {"lung": LUNG, "nodule": NODULE})
    truth, found = joined(tmp_path / "masks", tmp_path / "images", sources)
    (reference,) = found["image1"].references
    (mask,) = reference.masks
    np.testing.assert_array_equal(mask, NODULE)
    assert [skipped.reason for skipped in truth.skipped] == ["unknown_finding"]
    assert list(truth.unknown_words.values()) == ["lung"]


def test_words_can_be_mapped(tmp_path: Path) -> None:
    write_image(tmp_path / "images", 1, np.zeros((8, 10), np.uint8))
    write_segments(tmp_path / "masks" / "image1.seg.nrrd", {"lung": LUNG, "Tumour": NODULE})
    names = {"lung": None, "Tumour": "nodule"}
    truth, found = joined(tmp_path / "masks", tmp_path / "images", [NAMED], names=names)
    (reference,) = found["image1"].references
    np.testing.assert_array_equal(reference.masks[0], NODULE)
    assert not truth.skipped


@pytest.mark.parametrize(("names", "guesses"), [(["Segment_1", "nodule"], 1), (["nodule", "nodule 2"], 0)])
def test_segments_whose_names_say_nothing_are_a_shown_guess(
    tmp_path: Path, names: list[str], guesses: int
) -> None:
    write_image(tmp_path / "images", 1, np.zeros((8, 10), np.uint8))
    write_segments(tmp_path / "masks" / "image1.seg.nrrd", dict(zip(names, (LUNG, NODULE), strict=True)))
    _, found = joined(tmp_path / "masks", tmp_path / "images", [NAMED])
    (reference,) = found["image1"].references
    assert reference.lesions == 2
    assert [notice.kind for notice in reference.notices] == ["guess"] * guesses
