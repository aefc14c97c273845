"""Values 0 … 4095 with Bits Stored 16 and no window: dark by the standard, and the audit says so.

Right: brightness 0 … .062 (dcmtk shows the same), with a warning that names the values and Bits Stored.
Source: dcmjs-org/dcmjs#9, pydicom/pydicom#1426, fo-dicom/fo-dicom#816; input-12bit-in-16-without-window.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.loaders.plausibility import NARROW_RANGE
from tests.loaders.files import load_file, reasons, write_file

TWELVE_BITS = np.linspace(0, 4095, 64 * 64).round().astype(np.uint16).reshape(64, 64)


@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
@pytest.mark.parametrize("window", ["header", "full"])
def test_a_dark_image_is_read_by_the_standard_with_a_warning(
    photometric: str, window: str, tmp_path: Path
) -> None:
    image = load_file(write_file(tmp_path / "a", TWELVE_BITS, photometric=photometric), window=window)
    stored = TWELVE_BITS / 65535
    assert image.pixels == pytest.approx(1 - stored if photometric == "MONOCHROME1" else stored, abs=1e-6)
    assert reasons(image) == [NARROW_RANGE]
    assert "its values are 0 … 4095, and Bits Stored is 16" in image.cautions[0].message


def test_a_window_or_the_right_bits_stored_need_no_warning(tmp_path: Path) -> None:
    windowed = write_file(tmp_path / "a", TWELVE_BITS, WindowCenter=2048, WindowWidth=4096)
    assert not load_file(windowed).cautions
    assert not load_file(write_file(tmp_path / "b", TWELVE_BITS, BitsStored=12, HighBit=11)).cautions


def test_a_bright_marker_does_not_hide_a_dark_image(tmp_path: Path) -> None:
    marked = TWELVE_BITS.copy()
    marked[:2, :2] = 65535  # 4 of 4096 pixels
    assert reasons(load_file(write_file(tmp_path / "a", marked))) == [NARROW_RANGE]
