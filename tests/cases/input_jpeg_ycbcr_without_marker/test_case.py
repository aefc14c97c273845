"""JPEG of Y, Cb and Cr, numbered 1, 2, 3, chroma halved both ways, no marker, labelled RGB: it is YCbCr.

Right: brightness is Y. Components of which two are subsampled can only be YCbCr, whatever the label says.
Source: pydicom/pydicom#2280, Enet4/dicom-rs#829, dcm4che/dcm4che#565; input-jpeg-ycbcr-without-marker.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.loaders.colours import CONTRADICTION
from tests.loaders.files import LUMA, field_brightness, fields, jpeg, load_file, reasons, write_frame


def test_brightness_is_the_first_component(tmp_path: Path) -> None:
    frame = jpeg(fields(), model="YBR", subsampled=True)
    image = load_file(write_frame(tmp_path / "a", frame, fields(), photometric="RGB"))
    assert field_brightness(image) == pytest.approx(LUMA, abs=0.02)
    assert reasons(image) == [CONTRADICTION]
    assert "Photometric Interpretation is RGB" in image.cautions[0].message
