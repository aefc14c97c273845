"""Pixels: each transfer syntax on a file with known pixels, and the position of stored values in words."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from pipeline.errors import CaseError
from pipeline.loaders import jpeg12, pixels
from pipeline.loaders.pixels import decodable, without_unused_bits

SIGNED_16 = {(0, 31): 422, (0, 32): 319, (31, 0): 366, (63, 63): 862}
"""(row, column) → stored value of MR_small.dcm, from pydicom's own tests; the same for the files below."""
STRIPES = {(5, 50): 0.299 * 255, (25, 50): 0.587 * 255, (45, 50): 0.114 * 255, (75, 50): 64, (95, 50): 255}
"""Values of the red, green, blue, grey and white stripes of SC_rgb."""
STRIPES_YBR = {(5, 50): 76, (15, 50): 166, (25, 50): 150, (45, 50): 29, (75, 50): 64, (95, 50): 255}
EXTENDED = {(420, 140): 244, (230, 120): 95}

# (transfer syntax, pydicom test file, lowest possible stored value, value range, pixel → stored value)
KNOWN = [
    (ImplicitVRLittleEndian, "MR_small_implicit.dcm", -32768, 65535, SIGNED_16),
    (ExplicitVRLittleEndian, "MR_small.dcm", -32768, 65535, SIGNED_16),
    (ExplicitVRLittleEndian, "MR_small_padded.dcm", -32768, 65535, SIGNED_16),
    (ExplicitVRLittleEndian, "SC_ybr_full_422_uncompressed.dcm", 0, 255, STRIPES_YBR),
    (ExplicitVRBigEndian, "MR_small_bigendian.dcm", -32768, 65535, SIGNED_16),
    (DeflatedExplicitVRLittleEndian, "image_dfl.dcm", 0, 255, {(300, 255): 138, (300, 262): 35}),
    (RLELossless, "MR_small_RLE.dcm", -32768, 65535, SIGNED_16),
    (RLELossless, "SC_rgb_rle.dcm", 0, 255, STRIPES),
    (JPEGBaseline8Bit, "SC_rgb_dcmtk_+eb+cr.dcm", 0, 255, STRIPES),
    (JPEGBaseline8Bit, "SC_rgb_dcmtk_+eb+cy+n2.dcm", 0, 255, STRIPES_YBR),
    (JPEGBaseline8Bit, "SC_rgb_dcmtk_+eb+cy+s2.dcm", 0, 255, STRIPES_YBR),
    (JPEGExtended12Bit, "JPGExtended.dcm", 0, 4095, EXTENDED),
    (JPEGExtended12Bit, "JPEG-lossy.dcm", 0, 4095, EXTENDED),
    (JPEGLosslessSV1, "SC_rgb_jpeg_gdcm.dcm", 0, 255, STRIPES),
    (JPEGLSLossless, "MR_small_jpeg_ls_lossless.dcm", -32768, 65535, SIGNED_16),
    (JPEG2000Lossless, "MR_small_jp2klossless.dcm", -32768, 65535, SIGNED_16),
    (JPEG2000Lossless, "J2K_pixelrep_mismatch.dcm", -4096, 8191, {(0, 0): -2000, (47, 279): 621}),
    (JPEG2000Lossless, "GDCMJ2K_TextGBR.dcm", 0, 255, {(46, 140): 0.299 * 255, (350, 195): 128}),
]  # fmt: skip
# Codestreams that are also valid under the second transfer syntax, for which there is no test file.
RELABELLED = [
    (JPEGLosslessSV1, JPEGLossless, "SC_rgb_jpeg_gdcm.dcm", 0, 255, STRIPES),
    (JPEG2000Lossless, JPEG2000, "MR_small_jp2klossless.dcm", -32768, 65535, SIGNED_16),
    (JPEGLSLossless, JPEGLSNearLossless, "MR_small_jpeg_ls_lossless.dcm", -32768, 65535, SIGNED_16),
]
SLOPE = (7 * np.arange(16)[:, None] + 3 * np.arange(16)).astype(np.uint8)
SLOPE_HTJ2K = base64.b64decode(
    """
    /0//UQApQAAAAAAQAAAAEAAAAAAAAAAAAAAAEAAAABAAAAAAAAAAAAABBwEB/1AACAACAAAAAv9SAAwAAgABAAUEBEAB/1wAEyBI
    UFBQUFBQUFBQUFBQSEhI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAAGAAAf+TwCWjAQd0AADAEsASgPYAB3QA/gCH
    dADAEsASgKoAwnQAvgADVADAE8ATgCT5oKdCdQDe3cHJ7LUAwCpgFWAAAOfp6enidwBMkiT9knv2Sey4AP/Z
    """
)
"""`SLOPE` encoded losslessly by OpenJPH."""


def bundled(name: str) -> Path:
    return Path(get_testdata_file(name, download=False))


def stored(image, low: float, span: float) -> np.ndarray:
    return image.pixels.astype(np.float64) * span + low


@pytest.mark.parametrize(("syntax", "name", "low", "span", "values"), KNOWN)
def test_known_pixels(syntax: UID, name: str, low: int, span: int, values: dict, load) -> None:
    assert pydicom.dcmread(bundled(name)).file_meta.TransferSyntaxUID == syntax
    found = stored(load(bundled(name), window="full"), low, span)
    assert {pixel: found[pixel] for pixel in values} == pytest.approx(values, abs=span * 1e-7)


@pytest.mark.parametrize(("syntax", "other", "name", "low", "span", "values"), RELABELLED)
def test_the_same_codestream_under_its_other_transfer_syntax(
    syntax: UID, other: UID, name: str, low: int, span: int, values: dict, load, tmp_path: Path
) -> None:
    content = bundled(name).read_bytes()
    path = tmp_path / "relabelled"
    path.write_bytes(content.replace(syntax.encode(), other.encode(), 1))
    found = stored(load(path, window="full"), low, span)
    assert {pixel: found[pixel] for pixel in values} == pytest.approx(values, abs=span * 1e-7)


@pytest.mark.parametrize("syntax", [HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K])
def test_high_throughput_jpeg_2000(syntax: UID, write, load) -> None:
    path = write(SLOPE)
    dataset = pydicom.dcmread(path)
    dataset.PixelData = encapsulate([SLOPE_HTJ2K])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path, enforce_file_format=True)
    assert (stored(load(path), 0, 255).round() == SLOPE).all()


def test_every_transfer_syntax_that_can_be_decoded_has_a_known_file() -> None:
    known = (
        {row[0] for row in KNOWN} | {row[1] for row in RELABELLED} | {HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K}
    )
    assert known == {UID(uid) for uid in decoders()}
    assert all(decodable(syntax) for syntax in known)
    assert not decodable(UID("1.2.840.10008.1.2.4.100"))


def decoders() -> list[str]:
    from pydicom.pixels.decoders.base import _PIXEL_DATA_DECODERS  # noqa: PLC0415 – no public list

    return list(_PIXEL_DATA_DECODERS)


@pytest.mark.parametrize(
    "syntax",
    [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian,
     RLELossless, JPEGLSLossless, JPEG2000Lossless],
)  # fmt: skip
@pytest.mark.parametrize(("dtype", "bits"), [("u1", 8), ("u2", 12), ("u2", 16), ("i2", 12), ("i2", 16)])
def test_what_was_written_is_read_bit_for_bit(syntax: UID, dtype: str, bits: int, write, load) -> None:
    low = -(2 ** (bits - 1)) if dtype == "i2" else 0
    ramp = np.linspace(low, low + 2**bits - 1, 32 * 40).round().astype(dtype).reshape(32, 40)
    path = write(ramp, syntax=syntax, BitsStored=bits, HighBit=bits - 1)
    assert (stored(load(path), low, 2**bits - 1).round() == ramp).all()


def test_near_lossless_stays_within_its_bound(write, load) -> None:
    ramp = np.linspace(0, 255, 32 * 40).astype(np.uint8).reshape(32, 40)
    path = write(ramp)
    dataset = pydicom.dcmread(path)
    dataset.compress(JPEGLSNearLossless, jls_error=2)
    dataset.save_as(path)
    assert np.abs(stored(load(path), 0, 255) - ramp).max() <= 2.001


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_thirty_two_bits(syntax: UID, write, load) -> None:
    deep = np.array([[0, 2**31], [2**32 - 1, 51 * (2**32 - 1) // 255]], np.uint32)
    assert load(write(deep, syntax=syntax)).pixels.ravel() == pytest.approx([0, 0.5, 1, 0.2])


def test_one_bit(write, load) -> None:
    path = write(np.zeros((2, 4), np.uint8), BitsAllocated=1, BitsStored=1, HighBit=0, PixelData=b"\xa5\0")
    assert load(path).pixels.tolist() == [[1, 0, 1, 0], [0, 1, 0, 1]]


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless])
def test_overlays_in_unused_bits_are_taken_off(syntax: UID, write, load) -> None:
    words = np.array([[0x0FFF, 0xF000, 0x8333]], np.uint16)
    path = write(words, syntax=syntax, BitsStored=12, HighBit=11)
    assert load(path).pixels[0] == pytest.approx([1, 0, 0x333 / 4095])


def test_values_at_the_top_of_their_words(write, load) -> None:
    words = np.array([[0xFFF7, 0x0008, 0x333F]], np.uint16)
    assert load(write(words, BitsStored=12, HighBit=15)).pixels[0] == pytest.approx([1, 0, 0x333 / 4095])


def test_the_sign_is_that_of_the_stored_bits() -> None:
    words = np.array([0x0FFF, 0x0800, 0x07FF], np.uint16).view(np.int16)
    assert without_unused_bits(words, stored=12, high=11).tolist() == [-1, -2048, 2047]


def test_a_codestream_of_more_bits_than_announced_is_refused(write, load) -> None:
    path = write(np.full((32, 32), 4095, np.uint16), syntax=JPEG2000Lossless, BitsStored=12, HighBit=11)
    dataset = pydicom.dcmread(path)
    dataset.BitsStored, dataset.HighBit = 10, 9
    dataset.save_as(path)
    with pytest.raises(CaseError) as refusal:
        load(path)
    assert refusal.value.reason == "pixel_data_mismatch"


def test_pixel_data_that_are_too_short(write, load) -> None:
    with pytest.raises(CaseError) as refusal:
        load(write([[1, 2], [3, 4]], PixelData=b"\1\2"))
    assert refusal.value.reason == "pixel_data_mismatch"


def test_a_frame_too_large_is_refused_before_it_is_decoded(
    write, load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pixels, "LARGEST_FRAME", 3)
    with pytest.raises(CaseError) as refusal:
        load(write([[1, 2], [3, 4]]))
    assert refusal.value.reason == "too_large"


def test_twelve_bit_jpeg_says_nothing_on_the_terminal(load, capfd: pytest.CaptureFixture[str]) -> None:
    load(bundled("JPGExtended.dcm"))
    assert capfd.readouterr() == ("", "")


def test_twelve_bit_jpeg_is_for_greyscale_and_its_syntax_alone() -> None:
    class Colour:
        samples_per_pixel = 3

    with pytest.raises(ValueError, match="colour"):
        jpeg12.decode_frame(b"", Colour())
    assert not jpeg12.is_available(JPEGBaseline8Bit)
