"""Reduced: JPEG 2000 with a step lies where the full image lies, and what cannot be reduced is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels import compress
from pydicom.uid import JPEG2000Lossless

from pipeline.cases.case import decode_case
from pipeline.classifiers import Preprocessing, coarsest_step
from pipeline.cohort.index import index_studies
from pipeline.cohort.pseudonyms import open_pseudonyms
from pipeline.executors.here import Here
from pipeline.loaders import pixels
from pipeline.loaders.elements import nobody
from pipeline.loaders.pixels import values_by_step
from pipeline.loaders.reduced import reduced_shape
from tests.study import write_image

SHAPE = (250, 203)
ROWS, COLUMNS = np.mgrid[: SHAPE[0], : SHAPE[1]]
RAMP = (100 + 3 * ROWS + 8 * COLUMNS).astype(np.uint16)
"""Of which the low-pass filter keeps every value, away from the border."""
BORDER = 4
"""Rows and columns at the border, where the filter mirrors the ramp."""


def write_film(folder: Path, values: NDArray[np.integer] = RAMP, **attributes: Any) -> Path:
    path = write_image(folder, 1, np.zeros(values.shape, np.uint8), BitsAllocated=16)
    dataset = dcmread(path)
    dataset.BitsStored, dataset.HighBit = 12, 11
    for name, value in attributes.items():
        setattr(dataset, name, value)
    dataset.PixelData = values.tobytes()
    dataset["PixelData"].VR = "OW"
    compress(dataset, JPEG2000Lossless, generate_instance_uid=False, encoding_plugin="pylibjpeg")
    dataset.save_as(path)
    return path


@pytest.mark.parametrize("step", [2, 4, 8])
def test_value_i_j_lies_at_the_step_times_i_and_j(step: int, tmp_path: Path) -> None:
    """A tenth of a pixel along the columns would be 0.8 of a value; half a step would be 8 and more."""
    dataset = dcmread(write_film(tmp_path))
    values, photometric, bits, found = values_by_step(dataset, 0, coarsest=step)
    assert (found, photometric, bits) == (step, "MONOCHROME2", 12)
    assert values.shape == reduced_shape(SHAPE, step)
    inside = np.s_[BORDER:-BORDER, BORDER:-BORDER]
    difference = values.astype(int)[inside] - RAMP[::step, ::step].astype(int)[inside]
    assert np.abs(difference.mean()) < 0.8
    assert np.abs(difference).max() <= 2  # each level rounds


def test_no_step_is_larger_than_the_codestream_has_levels(tmp_path: Path) -> None:
    values, _, _, step = values_by_step(dcmread(write_film(tmp_path)), 0, coarsest=2**10)
    assert step == 2**5, "pylibjpeg's default"
    assert values.shape == reduced_shape(SHAPE, step)


@pytest.mark.parametrize(
    "attributes",
    [
        {"PixelPaddingValue": 0},
        {"PixelRepresentation": 1},
        {"BitsStored": 11, "HighBit": 10},
        {"PhotometricInterpretation": "PALETTE COLOR"},
    ],
    ids=["padding", "sign", "other bits than the codestream", "palette"],
)
def test_what_is_no_plain_grey_is_decoded_whole(attributes: dict[str, Any], tmp_path: Path) -> None:
    dataset = dcmread(write_film(tmp_path, RAMP % 1024))
    for name, value in attributes.items():
        setattr(dataset, name, value)
    values, _, _, step = values_by_step(dataset, 0, coarsest=4)
    assert step == 1
    assert values.shape == SHAPE


def test_a_frame_that_is_cut_short_is_left_to_the_decoder_of_all_images(tmp_path: Path) -> None:
    dataset = dcmread(write_film(tmp_path))
    frame = get_frame(dataset.PixelData, 0, number_of_frames=1)
    dataset.PixelData = encapsulate([frame[: len(frame) // 2]])
    content, stream = pixels._codestream(dataset, 0)
    described = pixels.description(dataset, stream, warn=nobody)
    assert pixels.step_of(dataset, stream, described, content, coarsest=4) == 1


def preprocessing(**resize: Any) -> Preprocessing:
    return Preprocessing.model_validate(
        {
            "window": "full",
            "channels": 1,
            "resize": {"rule": "exact", **resize},
            "intensity": {"rule": "none"},
        }
    )


@pytest.mark.parametrize(
    ("shape", "samples", "step"),
    [((2500, 2048), 2, 4), ((2500, 2048), 1, 8), ((448, 448), 2, 1), ((448, 448), 1, 2), ((100, 100), 1, 1)],
)
def test_the_step_leaves_so_many_samples_in_a_pixel_of_the_network(
    shape: tuple[int, int], samples: int, step: int
) -> None:
    assert coarsest_step(shape, preprocessing(size=[224, 224]), samples=samples) == step
    nearest = preprocessing(size=[224, 224], filter="nearest")
    assert coarsest_step(shape, nearest, samples=samples) == 1


def test_the_network_gets_the_same_area_of_the_image(tmp_path: Path) -> None:
    """A shift by a tenth of a pixel on both axes would add 1.1 to every value of the ramp."""
    write_film(tmp_path / "images")
    (case,) = index_studies(
        tmp_path / "images", executor=Here(), pseudonym=open_pseudonyms(tmp_path / "key").of
    ).cases
    recipe = preprocessing(size=[24, 20])
    full, coarse = (decode_case(case, preprocessing=recipe, coarse=samples) for samples in (0, 2))
    assert coarsest_step(SHAPE, recipe, samples=2) == 4
    assert coarse.model_input.placement == full.model_input.placement
    assert coarse.shape == full.shape == SHAPE
    inside = np.s_[0, 2:-2, 2:-2]
    difference = (coarse.model_input.tensor - full.model_input.tensor)[inside] * 4095
    assert np.abs(difference.mean()) < 0.4
    assert np.abs(difference).max() < 4
    assert not np.array_equal(coarse.model_input.tensor, full.model_input.tensor)
