"""Window Center and Width of two pairs, the first empty: the first complete pair counts.

Right: 1000 / 500. With `window: full` or a window of the card, none is read. Unusable values are named.
Source: marcelvanherk/Conquest-DICOM-Server#39, DIAGNijmegen/rse-grand-challenge#1376;
input-window-first-pair-empty.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.loaders.files import load_file, reasons, write_file

RAMP = np.linspace(0, 4095, 64).round().astype(np.uint16).reshape(8, 8)
BITS = {"BitsStored": 12, "HighBit": 11}


def windowed(center: float, width: float) -> np.ndarray:
    """Brightness by PS3.3, C.11.2.1.2.1."""
    return np.clip((RAMP - (center - 0.5)) / (width - 1) + 0.5, 0, 1)


@pytest.mark.parametrize(
    ("centers", "widths"),
    [
        (["", "1000"], ["", "500"]),
        (["40", "1000"], ["", "500"]),
        (["", "1000"], ["80", "500"]),
        (["40", "1000"], ["0", "500"]),
        (["40", "1000"], ["-1", "500"]),
        (["x", "1000"], ["80", "500"]),
        (["1000", ""], ["500", ""]),
    ],
)
def test_the_first_complete_pair_counts(centers: list[str], widths: list[str], tmp_path: Path) -> None:
    image = load_file(write(tmp_path, centers, widths))
    assert image.pixels == pytest.approx(windowed(1000, 500), abs=1e-6)
    assert reasons(image) == ["element_not_used"]
    assert "Window Center" in image.cautions[0].message


@pytest.mark.parametrize(("center", "width"), [("", ""), ("1000", ""), ("x", "500"), ("1000", "NaN")])
def test_without_a_complete_pair_the_range_is_full(center: str, width: str, tmp_path: Path) -> None:
    image = load_file(write(tmp_path, [center], [width]))
    assert image.pixels == pytest.approx(RAMP / 4095, abs=1e-6)
    assert reasons(image) == ["element_not_used"] * bool(center or width)


def test_windows_that_are_not_needed_are_not_read(tmp_path: Path) -> None:
    path = write(tmp_path, ["x"], ["y"])
    full = load_file(path, window="full")
    assert full.pixels == pytest.approx(RAMP / 4095, abs=1e-6)
    chosen = load_file(path, window=(1000.0, 500.0))
    assert chosen.pixels == pytest.approx(windowed(1000, 500), abs=1e-6)
    assert not full.cautions
    assert not chosen.cautions


def write(folder: Path, centers: list[str], widths: list[str]) -> Path:
    """A file with these window values as they are, also where they are no decimal strings."""
    path = write_file(folder / "a", RAMP, WindowCenter="11111111", WindowWidth="22222222", **BITS)
    content = path.read_bytes()
    for place, values in ((b"11111111", centers), (b"22222222", widths)):
        content = content.replace(place, "\\".join(values).ljust(8).encode())
    path.write_bytes(content)
    return path
