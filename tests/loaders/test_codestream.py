"""Codestream: the size that a compressed frame announces."""

from __future__ import annotations

import struct

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import get_frame
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from pipeline.errors import CaseError
from pipeline.loaders.codestream import announced_extent

TALL = np.random.default_rng(0).integers(0, 256, (64, 32), dtype=np.uint8)


@pytest.mark.parametrize(
    ("name", "extent"),
    [
        ("SC_rgb_dcmtk_+eb+cr.dcm", (100, 100, 3)),  # JPEG baseline
        ("JPGExtended.dcm", (1024, 256, 1)),
        ("SC_rgb_jpeg_gdcm.dcm", (100, 100, 3)),  # JPEG lossless
        ("MR_small_jpeg_ls_lossless.dcm", (64, 64, 1)),
        ("JPEG2000.dcm", (1024, 256, 1)),
        ("GDCMJ2K_TextGBR.dcm", (400, 400, 3)),  # within a JP2 file
        ("MR_small_RLE.dcm", None),
    ],
)
def test_real_codestreams(name: str, extent: tuple[int, int, int] | None) -> None:
    data = pydicom.dcmread(get_testdata_file(name, download=False)).PixelData
    assert announced_extent(get_frame(data, 0, number_of_frames=1)) == extent


def test_fill_bytes_and_other_segments_are_passed_over() -> None:
    comment = b"\xff\xfe\x00\x04hi"
    frame = b"\xff\xc0\x00\x0b\x08\x00\x05\x00\x07\x01"
    assert announced_extent(b"\xff\xd8" + comment + b"\xff\xff\xff" + frame) == (5, 7, 1)
    assert announced_extent(b"\xff\xd8" + frame.replace(b"\x00\x05", b"\x00\x00")) is None
    assert announced_extent(b"\xff\xd8" + b"no markers here") is None
    assert announced_extent(b"\xff\xd8\xff\xd7" + frame) is None
    with pytest.raises(struct.error):
        announced_extent(b"\xff\xd8" + comment)


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless])
def test_a_frame_of_another_size_than_the_header_is_refused(syntax, write, load) -> None:
    path = write(TALL, syntax=syntax)
    dataset = pydicom.dcmread(path)
    dataset.Rows, dataset.Columns = 32, 64
    dataset.save_as(path)
    with pytest.raises(CaseError) as refusal:
        load(path)
    assert refusal.value.reason == "pixel_data_mismatch"


def test_a_frame_of_more_samples_than_the_header_says_is_refused(write, load) -> None:
    path = write(np.stack([TALL] * 3, axis=2), photometric="RGB", syntax=JPEG2000Lossless)
    dataset = pydicom.dcmread(path)
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.save_as(path)
    with pytest.raises(CaseError) as refusal:
        load(path)
    assert refusal.value.reason == "pixel_data_mismatch"


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless, RLELossless])
def test_a_cut_frame_is_refused(syntax, write, load) -> None:
    path = write(TALL, syntax=syntax)
    path.write_bytes(path.read_bytes()[:-600])
    with pytest.raises(CaseError) as refusal:
        load(path)
    assert refusal.value.reason == "decode_failed"
