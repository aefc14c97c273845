"""Tests of Segmentations of planes that repeat, that have another scale than the header, or are too many."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import pytest

from pipeline.exports import EXPORTS, seg
from pipeline.exports.objects import ExportedObject, LeftOut
from pipeline.exports.segment_frames import segment_frames
from pipeline.exports.study import ExportedStudy
from tests.exports.made import RUN, frame, study
from tests.exports.validators import complaints

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:highdicom", "ignore::UserWarning:pydicom")


def made(of: ExportedStudy) -> list[ExportedObject]:
    return [one for one in EXPORTS["seg"].objects(of, {}) if isinstance(one, ExportedObject)]


def two_echoes() -> ExportedStudy:
    """Two slices, each twice at its place."""
    of = study("MR series")
    images = []
    for echo in range(2):
        for number, image in enumerate(of.images[:2]):
            header = deepcopy(image.header)
            header.SOPInstanceUID = f"1.2.3.{echo}.{number}"
            images.append(replace(image, header=header, frames=(frame(f"case-{echo}{number}bbbbbbbbbb"),)))
    return replace(of, images=tuple(images))


def repeated_frames() -> ExportedStudy:
    """An enhanced image of four frames at two places, of which all were audited."""
    of = study("enhanced CT")
    header = of.images[0].header
    groups = header.PerFrameFunctionalGroupsSequence
    header.PerFrameFunctionalGroupsSequence = [deepcopy(groups[index % 2]) for index in range(4)]
    header.NumberOfFrames = "4"
    frames = tuple(frame(f"case-dddddddddd0{index}", index) for index in range(4))
    return replace(of, images=(replace(of.images[0], frames=frames),))


def test_slices_at_the_same_place_are_in_an_object_for_each_pass(tmp_path):
    found = made(two_echoes())
    assert [one.case_ids for one in found] == [
        ("case-00bbbbbbbbbb", "case-01bbbbbbbbbb"),
        ("case-10bbbbbbbbbb", "case-11bbbbbbbbbb"),
    ]
    assert len({one.uid for one in found}) == 2
    assert [complaints(one, tmp_path) for one in found] == [[], []]


def test_frames_at_the_same_place_are_in_an_object_for_each_pass_under_their_own_numbers(tmp_path):
    found = made(repeated_frames())
    assert [one.case_ids for one in found] == [
        ("case-dddddddddd00", "case-dddddddddd01"),
        ("case-dddddddddd02", "case-dddddddddd03"),
    ]
    assert [{address[2] for address in segment_frames([one.dataset])} for one in found] == [{0, 1}, {2, 3}]
    assert [complaints(one, tmp_path) for one in found] == [[], []]


def test_every_frame_of_segments_that_overlap_is_listed():
    of = study("MR series", options={"segmentation": "labelmap"})
    frames = []
    for image in of.images:
        (one,) = image.frames
        first, *others = one.findings
        contours = tuple(
            replace(contour, method=method) for contour in first.contours for method in RUN.methods
        )
        frames.append(replace(one, findings=(replace(first, contours=contours), *others)))
    images = tuple(replace(image, frames=(one,)) for image, one in zip(of.images, frames, strict=True))
    left_out = [
        one for one in EXPORTS["seg"].objects(replace(of, images=images), {}) if isinstance(one, LeftOut)
    ]
    assert [one.case_id for one in left_out] == [one.case_id for one in frames]


@pytest.mark.parametrize("modality", ["DX", "US multi-frame"])
def test_a_segmentation_has_the_spacing_of_the_run(modality):
    of = study(modality)
    of.images[0].header.ImagerPixelSpacing = [0.3, 0.3]
    image = of.images[0]
    images = (replace(image, frames=(replace(image.frames[0], spacing_mm=(0.2, 0.2)),)),)
    (one,) = made(replace(of, images=images))
    (measures,) = one.dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    assert measures.PixelSpacing == [0.2, 0.2]
    (state,) = EXPORTS["gsps"].objects(replace(of, images=images), {})
    assert state.dataset.DisplayedAreaSelectionSequence[0].PresentationPixelSpacing == [0.2, 0.2]


def test_flat_pixels_keep_their_aspect():
    of = study("US multi-frame")
    image = of.images[0]
    image.header.PixelAspectRatio = ["1", "3000"]
    images = (replace(image, frames=(replace(image.frames[0], spacing_mm=None),)),)
    (state,) = EXPORTS["gsps"].objects(replace(of, images=images), {})
    assert state.dataset.DisplayedAreaSelectionSequence[0].PresentationPixelAspectRatio == [1, 3000]


def test_masks_that_no_memory_holds_are_left_out(monkeypatch):
    monkeypatch.setattr(seg, "MOST_BYTES", 1000)
    of = study("MR series")
    found = list(EXPORTS["seg"].objects(of, {}))
    assert [(one.case_id, one.reason) for one in found] == [
        (image.frames[0].case_id, "too_large") for image in of.images
    ]
