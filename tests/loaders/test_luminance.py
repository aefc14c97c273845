"""Luminance: brightness of every colour model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import ExplicitVRBigEndian

from pipeline.errors import CaseError
from pipeline.loaders.luminance import luminance

PRIMARIES = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [77, 77, 77]]], np.uint8)
LUMA = [0.299, 0.587, 0.114, 1, 77 / 255]


def test_rgb_by_bt601(write, load) -> None:
    assert load(write(PRIMARIES, photometric="RGB")).pixels[0] == pytest.approx(LUMA)


def test_rgb_by_planes(write, load) -> None:
    planes = np.ascontiguousarray(PRIMARIES.transpose(2, 0, 1)).reshape(1, 5, 3)
    path = write(PRIMARIES, photometric="RGB", PlanarConfiguration=1, PixelData=planes.tobytes() + b"\0")
    assert load(path).pixels[0] == pytest.approx(LUMA)


def test_rgb_of_sixteen_bits(write, load) -> None:
    assert load(write(PRIMARIES.astype(np.uint16) * 257, photometric="RGB")).pixels[0] == pytest.approx(LUMA)


def test_grey_stored_as_colour_is_grey() -> None:
    grey = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, axis=2)
    assert luminance(grey, "RGB", bits=8)[0] == pytest.approx(np.arange(256) / 255, abs=1e-7)


def test_ybr_full_is_its_own_luminance(write, load) -> None:
    path = write(np.array([[[51, 128, 128], [255, 9, 200]]], np.uint8), photometric="YBR_FULL")
    assert load(path).pixels[0] == pytest.approx([0.2, 1])


def test_ybr_full_422_shares_colour_between_neighbours(write, load) -> None:
    data = bytes([51, 102, 30, 200, 0, 255, 128, 128])  # Y Y Cb Cr, twice
    path = write(np.zeros((1, 4, 3), np.uint8), photometric="YBR_FULL_422", PixelData=data)
    assert load(path).pixels[0] == pytest.approx([0.2, 0.4, 0, 1])


def test_partial_range_goes_from_16_to_235() -> None:
    samples = np.array([[[16, 0, 0], [235, 0, 0], [0, 0, 0], [255, 0, 0]]], np.uint8)
    assert luminance(samples, "YBR_PARTIAL_422", bits=8)[0].tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("photometric", ["HSV", "CMYK", "ARGB"])
def test_retired_colour_models_are_refused(photometric: str, write, load) -> None:
    with pytest.raises(CaseError) as refusal:
        load(write(PRIMARIES, photometric=photometric))
    assert refusal.value.reason == "unsupported_photometric"


@pytest.mark.parametrize(("photometric", "pixels"), [("RGB", [[1]]), ("MONOCHROME2", PRIMARIES)])
def test_samples_that_contradict_the_photometric_interpretation(
    photometric: str, pixels, write, load
) -> None:
    with pytest.raises(CaseError) as refusal:
        load(write(pixels, photometric=photometric))
    assert refusal.value.reason == "pixel_data_mismatch"


def palette(*, bits: int, first: int = 0, **data: bytes) -> dict[str, object]:
    elements: dict[str, object] = {}
    for colour in ("Red", "Green", "Blue"):
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [4, first, bits]
    return elements | data


def test_palette_of_sixteen_bits(write, load) -> None:
    words = {"Red": [0, 65535, 0, 65535], "Green": [0, 0, 65535, 65535], "Blue": [0, 0, 0, 65535]}
    data = {f"{c}PaletteColorLookupTableData": np.array(w, "<u2").tobytes() for c, w in words.items()}
    path = write([[0, 1], [2, 3]], photometric="PALETTE COLOR", **palette(bits=16, **data))
    assert load(path).pixels.ravel() == pytest.approx([0, 0.299, 0.587, 1])


def test_palette_of_eight_bits_begins_at_its_first_index(write, load) -> None:
    data = {f"{c}PaletteColorLookupTableData": bytes([0, 51, 102, 255]) for c in ("Red", "Green", "Blue")}
    path = write([[9, 10], [11, 200]], photometric="PALETTE COLOR", **palette(bits=8, first=10, **data))
    assert load(path).pixels.ravel() == pytest.approx([0, 0, 0.2, 1])


def test_segmented_palette(write, load) -> None:
    # A discrete segment of one entry 0, then a linear one of three up to 65535: 0, 21845, 43690, 65535.
    segments = np.array([0, 1, 0, 1, 3, 65535], "<u2").tobytes()
    data = {f"Segmented{c}PaletteColorLookupTableData": segments for c in ("Red", "Green", "Blue")}
    path = write([[0, 1], [2, 3]], photometric="PALETTE COLOR", **palette(bits=16, **data))
    assert load(path).pixels.ravel() == pytest.approx([0, 1 / 3, 2 / 3, 1], abs=1e-4)


def test_a_real_palette_image(load) -> None:
    image = load(Path(get_testdata_file("examples_palette.dcm", download=False)))
    assert image.shape == (350, 800)
    assert image.pixels.max() > 0.5


def test_a_palette_that_would_be_read_wrongly_is_refused(write, load) -> None:
    data = {f"{c}PaletteColorLookupTableData": bytes(300) for c in ("Red", "Green", "Blue")}
    elements = palette(bits=8, **data)
    for colour in ("Red", "Green", "Blue"):
        elements[f"{colour}PaletteColorLookupTableDescriptor"] = [300, 0, 8]
    wide = write(np.array([[299]], np.uint16), photometric="PALETTE COLOR", name="wide", **elements)
    swapped = write(
        [[0]], photometric="PALETTE COLOR", name="swapped", syntax=ExplicitVRBigEndian, **elements
    )
    for path in (wide, swapped):
        with pytest.raises(CaseError) as refusal:
            load(path)
        assert refusal.value.reason == "unsupported_photometric"


def test_a_colour_image_has_no_window(write, load) -> None:
    path = write(PRIMARIES, photometric="RGB", WindowCenter=1, WindowWidth=2)
    for window in ("header", "full", (40.0, 400.0)):
        assert load(path, window=window).pixels[0] == pytest.approx(LUMA)
