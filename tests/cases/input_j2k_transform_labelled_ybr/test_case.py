"""JPEG 2000 with the multiple component transform on, labelled YBR_FULL_422, is RGB.

Right: PS3.5, 8.2.4: the decoder hands out RGB, so brightness is 0.299 R + 0.587 G + 0.114 B.
Source: malaterre/GDCM#122, openslide/openslide#772, imi-bigpicture/wsidicomizer#158;
input-j2k-transform-labelled-ybr.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from pydicom.uid import JPEG2000Lossless

from pipeline.loaders.colours import CONTRADICTION
from tests.loaders.files import LUMA, field_brightness, fields, jpeg_2000, load_file, reasons, write_frame


def test_the_transform_is_believed_and_both_statements_are_named(tmp_path: Path) -> None:
    frame = jpeg_2000(fields(), transform=True)
    path = write_frame(tmp_path / "a", frame, fields(), photometric="YBR_FULL_422", syntax=JPEG2000Lossless)
    image = load_file(path)
    assert field_brightness(image) == pytest.approx(LUMA, abs=1e-5)
    assert reasons(image) == [CONTRADICTION]
    assert "YBR_FULL_422" in image.cautions[0].message
    assert "multiple component transform" in image.cautions[0].message
