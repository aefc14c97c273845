"""Frames: each frame of a multi-frame image is displayed according to its own functional groups."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

from pipeline.loaders.frames import frame_dataset

TWO = np.stack([np.full((32, 40), 10, np.uint8), np.full((32, 40), 20, np.uint8)])


def group(**macros: dict[str, object]) -> Dataset:
    found = Dataset()
    for name, elements in macros.items():
        item = Dataset()
        for keyword, value in elements.items():
            setattr(item, keyword, value)
        setattr(found, name, [item])
    return found


def test_each_frame_has_its_own_rescale_window_and_spacing(write, load) -> None:
    path = write(
        TWO, frames=2,
        SharedFunctionalGroupsSequence=[group(
            PixelMeasuresSequence={"PixelSpacing": [0.5, 0.25]},
            FrameVOILUTSequence={"WindowCenter": 100, "WindowWidth": 200, "VOILUTFunction": "LINEAR_EXACT"},
        )],
        PerFrameFunctionalGroupsSequence=[
            group(PixelValueTransformationSequence={"RescaleSlope": 1, "RescaleIntercept": 0}),
            group(
                PixelValueTransformationSequence={"RescaleSlope": 5, "RescaleIntercept": 50},
                PixelMeasuresSequence={"PixelSpacing": [1, 1]},
            ),
        ],
    )  # fmt: skip
    first, second = load(path, frame=0), load(path, frame=1)
    assert first.pixels[0, 0] == pytest.approx(10 / 200)
    assert second.pixels[0, 0] == pytest.approx(150 / 200)
    assert (first.spacing_mm, second.spacing_mm) == ((0.5, 0.25), (1, 1))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_only_the_wanted_frame_is_shown(syntax, write, load) -> None:
    path = write(TWO, frames=2, syntax=syntax)
    shown = [load(path, frame=frame).pixels for frame in (0, 1)]
    assert [float(np.unique(pixels).item() * 255) for pixels in shown] == pytest.approx([10, 20])
    assert [pixels.shape for pixels in shown] == [(32, 40)] * 2


def test_the_data_set_itself_is_left_as_it_was() -> None:
    dataset = Dataset()
    dataset.file_meta = Dataset()
    assert frame_dataset(dataset, 0) is dataset
    dataset.PixelSpacing = [9, 9]
    dataset.PerFrameFunctionalGroupsSequence = [group(PixelMeasuresSequence={"PixelSpacing": [1, 2]})]
    assert frame_dataset(dataset, 0).PixelSpacing == [1, 2]
    assert frame_dataset(dataset, 1).PixelSpacing == [9, 9]
    assert dataset.PixelSpacing == [9, 9]
