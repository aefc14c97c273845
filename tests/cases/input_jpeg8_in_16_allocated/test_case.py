"""An 8-bit JPEG frame under Bits Allocated 16 is read, and the contradiction named.

Right: the grey ramp 0 … 1, as dcmtk shows it.
Source: fo-dicom/fo-dicom#1992, pydicom/pydicom#2010, Efferent-Health/fo-dicom.Codecs#106;
input-jpeg8-in-16-allocated.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture
from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit

from pipeline.errors import CaseError
from pipeline.loaders.description import BITS_CONTRADICTION
from tests.loaders.files import load_file, reasons, write_file, write_frame

RAMP = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (64, 1))


def frame() -> bytes:
    stream = BytesIO()
    Picture.fromarray(RAMP).save(stream, "JPEG", quality=95)
    return stream.getvalue()


@pytest.mark.parametrize("stored", [8, 12, 16])
@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGExtended12Bit])
def test_the_bits_are_those_of_the_frame(stored: int, syntax, tmp_path: Path) -> None:
    bits = {"BitsAllocated": 16, "BitsStored": stored, "HighBit": stored - 1}
    path = write_frame(tmp_path / "a", frame(), RAMP, photometric="MONOCHROME2", syntax=syntax, **bits)
    image = load_file(path)
    assert image.pixels == pytest.approx(RAMP / 255, abs=0.02)
    assert reasons(image) == [BITS_CONTRADICTION]
    message = image.cautions[0].message
    assert f"Bits Stored is {stored} and Bits Allocated 16, but the JPEG frame has 8 bits" in message


def test_signed_samples_contradict_the_frame(tmp_path: Path) -> None:
    path = write_frame(tmp_path / "a", frame(), RAMP, photometric="MONOCHROME2", PixelRepresentation=1)
    image = load_file(path)
    assert reasons(image) == [BITS_CONTRADICTION]
    assert (
        "Pixel Representation is 1 (signed), but samples of a lossy JPEG frame" in image.cautions[0].message
    )


def test_where_nothing_decides_the_message_names_what_contradicts_what(tmp_path: Path) -> None:
    halved = write_file(tmp_path / "a", RAMP, BitsAllocated=16, BitsStored=16, HighBit=15)
    with pytest.raises(CaseError) as refusal:
        load_file(halved)
    assert refusal.value.message == (
        "the pixel data have 4096 bytes, but 64 × 64 pixels × 1, MONOCHROME2, Bits Allocated 16, "
        "Bits Stored 16, unsigned needs 8192; export the file again"
    )
