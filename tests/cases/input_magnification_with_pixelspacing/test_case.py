"""Pixel Spacing equal to Imager Pixel Spacing, without a calibration type, is the detector's.

Right: .1 mm at a magnification of 2 is .05 mm in the patient. PS3.3, 10.7.1.3.
Source: cornerstonejs/cornerstone3D#2387, OHIF/Viewers#1555; input-magnification-with-pixelspacing.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.loaders.spacing import SPACING
from tests.loaders.files import load_file, reasons, write_file

BLOCK = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4


def test_the_magnification_applies_to_the_detectors_spacing(tmp_path: Path) -> None:
    elements = {
        "PixelSpacing": [0.1, 0.1],
        "ImagerPixelSpacing": [0.1, 0.1],
        "EstimatedRadiographicMagnificationFactor": 2,
    }
    image = load_file(write_file(tmp_path / "a", BLOCK, Modality="MG", **elements))
    assert image.spacing_mm == pytest.approx((0.05, 0.05))
    assert reasons(image) == [SPACING]


def test_a_factor_below_1_is_not_used(tmp_path: Path) -> None:
    elements = {"ImagerPixelSpacing": [0.1, 0.1], "EstimatedRadiographicMagnificationFactor": 0.5}
    image = load_file(write_file(tmp_path / "a", BLOCK, Modality="MG", **elements))
    assert image.spacing_mm == pytest.approx((0.1, 0.1))
    assert "is below 1" in image.cautions[0].message
