"""Codestream: the size stated in a compressed frame."""

from __future__ import annotations

import struct

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import get_frame
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from pipeline.errors import CaseError
from pipeline.loaders.codestream import Extent, read_codestream, without_colour_transform
from tests.loaders.files import fields, jpeg, jpeg_2000, with_adobe, with_ids, with_jfif

TALL = np.random.default_rng(0).integers(0, 256, (64, 32), dtype=np.uint8)


def extent_of(frame: bytes) -> Extent | None:
    found = read_codestream(frame)
    return found and found.extent


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
    assert extent_of(get_frame(data, 0, number_of_frames=1)) == extent


def test_fill_bytes_and_other_segments_are_passed_over() -> None:
    comment = b"\xff\xfe\x00\x04hi"
    frame = b"\xff\xc0\x00\x0b\x08\x00\x05\x00\x07\x01"
    assert extent_of(b"\xff\xd8" + comment + b"\xff\xff\xff" + frame) == (5, 7, 1)
    assert extent_of(b"\xff\xd8" + frame.replace(b"\x00\x05", b"\x00\x00")) is None
    assert extent_of(b"\xff\xd8" + b"no markers here") is None
    assert extent_of(b"\xff\xd8\xff\xd7" + frame) is None
    with pytest.raises(struct.error):
        extent_of(b"\xff\xd8" + comment)


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
def test_a_truncated_frame_is_refused(syntax, write, load) -> None:
    path = write(TALL, syntax=syntax)
    path.write_bytes(path.read_bytes()[:-600])
    with pytest.raises(CaseError) as refusal:
        load(path)
    assert refusal.value.reason == "decode_failed"


def test_what_a_colour_frame_says_of_its_components() -> None:
    frame = jpeg(fields(), model="YBR", subsampled=True)
    plain = read_codestream(frame)
    assert plain is not None
    assert (plain.family, plain.extent, plain.bits) == ("JPEG", (32, 32, 3), 8)
    assert (plain.model, plain.numbered, plain.subsampled) == (None, True, True)

    def stated(changed: bytes) -> tuple[str | None, str]:
        found = read_codestream(changed)
        assert found is not None
        return found.model, found.by

    assert stated(with_jfif(frame)) == ("YBR", "the JFIF marker")
    assert stated(with_adobe(frame, 0)) == ("RGB", "the Adobe marker's colour transform 0")
    assert stated(with_adobe(with_jfif(frame), 0)) == ("RGB", "the Adobe marker's colour transform 0")
    assert stated(with_adobe(frame, 2)) == (None, "")
    assert stated(with_ids(frame, b"RGB")) == ("RGB", "the component numbers R, G, B")
    transformed = read_codestream(jpeg_2000(fields(), transform=True))
    assert transformed is not None
    assert (transformed.family, transformed.model, transformed.bits) == ("JPEG 2000", "RGB", 8)
    assert stated(jpeg_2000(fields(), transform=False)) == (None, "")


def test_a_frame_without_colour_transform_differs_in_its_markers_alone() -> None:
    frame = jpeg(fields(), model="YBR")
    expected = with_adobe(frame, 0)
    for marked in (frame, with_jfif(frame), with_adobe(frame, 1), with_jfif(with_adobe(frame, 2))):
        assert without_colour_transform(marked) == expected
