"""Deep JPEG: files of 12 bits, lossless ones of any depth and JPEG-LS are the images they were made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image as Pillow
from pydicom.data import get_testdata_file
from pydicom.encaps import get_frame

from pipeline.errors import CaseError
from pipeline.loaders import decode, read_header
from pipeline.loaders.raster import TURNED
from tests.loaders.files import load_file, reasons
from tests.loaders.lossless import lossless_jpeg

EXTENDED = {(420, 140): 244, (230, 120): 95}
"""(row, column) → stored value of JPGExtended.dcm, from pydicom's own tests."""
DEEP = np.random.default_rng(3).integers(0, 2**12, (17, 23), dtype=np.uint16)


def frame_of(name: str) -> bytes:
    """The codestream of a file that is installed with pydicom."""
    return get_frame(pydicom.dcmread(get_testdata_file(name)).PixelData, 0, number_of_frames=1)


def refused(path: Path) -> str:
    with pytest.raises(CaseError) as refusal:
        load_file(path)
    assert ";" in refusal.value.message
    return refusal.value.reason


def test_twelve_bits_are_read_as_in_the_dicom_file_of_the_same_codestream(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(frame_of("JPGExtended.dcm"))
    image = load_file(path)
    assert image.shape == (1024, 256)
    assert {key: image.attributes[key] for key in ("photometric", "bits_stored", "file_format")} == {
        "photometric": "MONOCHROME2", "bits_stored": "12", "file_format": "JPEG",
    }  # fmt: skip
    for place, value in EXTENDED.items():
        assert image.pixels[place] == pytest.approx(value / 4095, abs=1e-7)
    assert image.display is not None
    assert [image.display.values[place] for place in EXTENDED] == [*EXTENDED.values()]


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("predictor", range(1, 8))
def test_lossless_files_keep_every_value(bits: int, predictor: int, tmp_path: Path) -> None:
    stored = np.random.default_rng(bits).integers(0, 2**bits, (17, 23), dtype=np.uint16)
    path = tmp_path / "a.jpg"
    path.write_bytes(lossless_jpeg(stored, bits=bits, predictor=predictor))
    image = load_file(path)
    np.testing.assert_allclose(image.pixels, stored / (2**bits - 1), atol=1e-7)
    assert image.attributes["bits_stored"] == str(bits)


def test_jpeg_ls_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jls"
    path.write_bytes(frame_of("MR_small_jpeg_ls_lossless.dcm"))
    signed = pydicom.dcmread(get_testdata_file("MR_small.dcm")).pixel_array
    np.testing.assert_allclose(load_file(path).pixels, signed.view(np.uint16) / 65535, atol=1e-7)


def test_lossless_colours_become_luminance(tmp_path: Path) -> None:
    stripes = frame_of("SC_rgb_jpeg_gdcm.dcm")
    (tmp_path / "a.jpg").write_bytes(stripes)  # 8 bits
    luma = {(5, 50): 0.299, (25, 50): 0.587, (45, 50): 0.114, (75, 50): 64 / 255, (95, 50): 1}
    image = load_file(tmp_path / "a.jpg")
    assert {place: pytest.approx(image.pixels[place], abs=1e-6) for place in luma} == luma


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_deep_file_is_turned_as_its_exif_data_say(orientation: int, tmp_path: Path) -> None:
    turns: Sequence[NDArray[np.uint16]] = [
        DEEP, DEEP[:, ::-1], DEEP[::-1, ::-1], DEEP[::-1], DEEP.T, np.rot90(DEEP, -1),
        DEEP[::-1, ::-1].T, np.rot90(DEEP),
    ]  # fmt: skip
    exif = Pillow.Exif()
    exif[274] = orientation
    data = exif.tobytes()
    content = lossless_jpeg(DEEP, bits=12)
    segment = b"\xff\xe1" + (len(data) + 2).to_bytes(2, "big") + data
    path = tmp_path / "a.jpg"
    path.write_bytes(content[:2] + segment + content[2:])
    (source,) = read_header(path, root=tmp_path)
    image = decode(source, case_id="case")
    assert source.shape == image.shape
    np.testing.assert_allclose(image.pixels, turns[orientation - 1] / 4095, atol=1e-7)
    assert (TURNED in reasons(image)) == (orientation > 1)


@pytest.mark.parametrize("content", [frame_of("JPGExtended.dcm"), lossless_jpeg(DEEP, bits=12)])
def test_a_deep_file_that_was_cut_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    for length in (20, len(content) // 2, len(content) - 8):
        path.write_bytes(content[:length])
        assert refused(path) == "decode_failed"


def test_a_deep_header_that_claims_gigapixels_is_refused_before_decoding(tmp_path: Path) -> None:
    content = bytearray(lossless_jpeg(DEEP, bits=12))
    place = content.find(b"\xff\xc3") + 5
    content[place : place + 4] = b"\xff\xff\xff\xff"
    (tmp_path / "a.jpg").write_bytes(content)
    assert refused(tmp_path / "a.jpg") == "too_large"
