"""Description: missing elements, and elements that contradict the pixel data, are named or not needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from pipeline.errors import CaseError
from pipeline.loaders.description import BITS_CONTRADICTION
from tests.loaders.files import fields

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)
DEEP = np.tile(RAMP, (2, 2)).astype(np.uint16) * 16
COLOURS = fields(32)


def without(path: Path, *keywords: str, **changed: object) -> Path:
    dataset = pydicom.dcmread(path)
    for keyword in keywords:
        del dataset[keyword]
    for keyword, value in changed.items():
        setattr(dataset, keyword, value)
    dataset.save_as(path)
    return path


@pytest.mark.parametrize(
    ("keyword", "name"),
    [
        ("SamplesPerPixel", "Samples per Pixel"),
        ("BitsAllocated", "Bits Allocated"),
        ("BitsStored", "Bits Stored"),
    ],
)
def test_a_missing_element_is_named(keyword: str, name: str, write, load) -> None:
    with pytest.raises(CaseError, match=f"^{name} is missing; export the file again$") as refusal:
        load(without(write(RAMP), keyword))
    assert refusal.value.reason == "pixel_data_mismatch"


def test_planar_configuration_is_needed_where_nothing_else_states_it(write, load) -> None:
    with pytest.raises(CaseError, match="Planar Configuration is missing"):
        load(without(write(COLOURS, photometric="RGB"), "PlanarConfiguration"))
    expected = load(write(COLOURS, photometric="RGB")).pixels
    for syntax in (RLELossless, JPEGLSLossless, JPEG2000Lossless):
        path = without(write(COLOURS, photometric="RGB", syntax=syntax), "PlanarConfiguration")
        assert load(path).pixels == pytest.approx(expected)


def test_without_pixel_representation_values_are_unsigned_with_a_warning(write, load) -> None:
    image = load(without(write(RAMP), "PixelRepresentation"))
    assert image.pixels == pytest.approx(RAMP / 255)
    assert [caution.reason for caution in image.cautions] == ["element_missing"]


def test_samples_of_a_codestream_need_no_element(write, load) -> None:
    path = without(write(COLOURS, photometric="RGB", syntax=JPEGLSLossless), "SamplesPerPixel")
    assert load(path).pixels.shape == (32, 32)


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless])
def test_a_frame_of_fewer_bits_than_bits_stored_is_a_warning(syntax, write, load) -> None:
    path = write(DEEP, syntax=syntax, BitsStored=12, HighBit=11)
    image = load(without(path, BitsStored=16, HighBit=15), window=(2040.0, 4081.0))
    assert image.pixels == pytest.approx(DEEP / 4080, abs=1e-3)
    assert [caution.reason for caution in image.cautions] == [BITS_CONTRADICTION]
    assert "Bits Stored is 16, but the JPEG" in image.cautions[0].message


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless])
def test_a_frame_of_more_bits_than_bits_allocated_does_not_wrap_around(syntax, write, load) -> None:
    path = write(DEEP, syntax=syntax, BitsStored=12, HighBit=11)
    with pytest.raises(CaseError, match=r"values from 0 to 4080, but Bits Stored .* allow 0 to 255"):
        load(without(path, BitsAllocated=8, BitsStored=8, HighBit=7))


def test_a_whole_length_labelled_422_is_read_as_it_is(write, load) -> None:
    image = load(write(np.full((4, 4, 3), 51, np.uint8), photometric="YBR_FULL_422"))
    assert image.pixels == pytest.approx(np.full((4, 4), 0.2))
    assert "YBR_FULL_422, but the pixel data have as many bytes as YBR_FULL" in image.cautions[0].message


def test_more_bytes_than_described_are_a_warning(write, load) -> None:
    image = load(write(RAMP, PixelData=RAMP.tobytes() * 2))
    assert image.pixels == pytest.approx(RAMP / 255)
    (caution,) = image.cautions
    assert caution.message == (
        "the pixel data have 512 bytes, but 16 × 16 pixels × 1, MONOCHROME2, Bits Allocated 8, "
        "Bits Stored 8, unsigned needs 256, which were read"
    )
    assert not load(write(RAMP, PixelData=RAMP.tobytes() + bytes(64))).cautions


def test_a_size_that_differs_from_the_frame_is_named(write, load) -> None:
    path = without(write(RAMP, syntax=JPEGLSLossless), Rows=8, Columns=32)
    with pytest.raises(CaseError) as refusal:
        load(path)
    assert refusal.value.message == (
        "Rows, Columns and Samples per Pixel are 8 × 32 × 1, but the JPEG-LS frame has 16 × 16 × 1; "
        "export the file again"
    )
