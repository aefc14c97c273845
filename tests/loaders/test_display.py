import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.loaders.display import brightness_display, stored_display
from pipeline.loaders.greyscale import Greyscale, Rescale, Table, Window, presentation_values
from pipeline.records import Display

PLAIN = Greyscale(bits=12, signed=False, modality=Rescale(), voi=None, inverted=False, padding=None)


def scale(**changed: object) -> Greyscale:
    return Greyscale(**{name: getattr(PLAIN, name) for name in PLAIN.__slots__} | changed)  # type: ignore[arg-type]


def brightness(display: Display) -> NDArray[np.float64]:
    return np.clip((display.values.astype(float) - display.low) / (display.high - display.low), 0, 1)


def test_a_ct_slice_keeps_its_hounsfield_units_behind_the_window() -> None:
    ct = scale(bits=12, signed=True, modality=Rescale(1, -1000), voi=Window(40, 401))
    found = stored_display(np.array([[-2048, 0, 840, 1040, 1240, 2047]], np.int16), ct, unit="HU")
    assert found is not None
    assert found.values.tolist() == [[0, 2048, 2888, 3088, 3288, 4095]]
    assert (found.slope, found.intercept, found.unit) == (1, -3048, "HU")
    assert (found.values[0].astype(float) + found.intercept).tolist() == [-3048, -1000, -160, 40, 240, 1047]
    assert (found.low + found.intercept, found.high + found.intercept) == (-160.5, 239.5)


def test_of_an_inverted_image_the_lowest_stored_value_is_the_brightest() -> None:
    film = scale(bits=8, inverted=True, modality=Rescale(2, 10))
    found = stored_display(np.array([[0, 100, 255]], np.uint8), film)
    assert found is not None
    assert found.values.tolist() == [[255, 155, 0]]
    assert (found.values[0].astype(float) * found.slope + found.intercept).tolist() == [10, 210, 520]


@pytest.mark.parametrize(
    "shown",
    [
        scale(),
        scale(bits=8),
        scale(inverted=True),
        scale(signed=True, modality=Rescale(2.5, -300)),
        scale(voi=Window(1000, 500)),
        scale(voi=Window(1000, 500, "LINEAR_EXACT"), inverted=True),
        scale(modality=Rescale(0.5, 7), voi=Window(300, 99), inverted=True, padding=(0, 3)),
        scale(bits=16, padding=(4000, 4095)),
    ],
)
def test_through_its_first_window_the_display_is_the_image(shown: Greyscale) -> None:
    low, high = (int(bound) for bound in shown.stored)
    stored = np.linspace(low, high, 600).astype(np.int32).reshape(20, 30)
    stored.flat[:5] = [max(low, 0), max(low, 1), 3, 4, high]
    found = stored_display(stored, shown)
    assert found is not None
    assert np.abs(brightness(found) - presentation_values(stored, shown)).max() < 1e-6


def test_sixteen_signed_bits_do_not_overflow() -> None:
    found = stored_display(np.array([[-32768, 0, 32767]], np.int16), scale(bits=16, signed=True))
    assert found is not None
    assert found.values.tolist() == [[0, 32768, 65535]]


@pytest.mark.parametrize(
    "bent",
    [
        scale(voi=Window(100, 50, "SIGMOID")),
        scale(voi=Table(np.array([0.0, 9.0, 10.0]), 0, 255)),
        scale(modality=Table(np.array([0.0, 9.0, 10.0]), 0, 255)),
        scale(bits=20),
    ],
)
def test_where_brightness_is_no_straight_line_there_is_no_window_of_stored_values(bent: Greyscale) -> None:
    assert stored_display(np.zeros((2, 2), np.int32), bent) is None


def test_brightness_itself_can_always_be_shown() -> None:
    pixels = np.array([[0, 0.5, 1]], np.float32)
    assert brightness_display(pixels, bits=8).values.tolist() == [[0, 128, 255]]
    deep = brightness_display(pixels, bits=12)
    assert deep.values.tolist() == [[0, 32768, 65535]]
    assert (deep.low, deep.high, deep.slope) == (0, 65535, None)


def test_a_file_is_decoded_with_its_display(write, load) -> None:
    image = load(write([[0, 100], [200, 255]], RescaleType="HU", RescaleSlope=2, RescaleIntercept=-5))
    assert image.display.values.tolist() == [[0, 100], [200, 255]]
    assert (image.display.slope, image.display.intercept, image.display.unit) == (2, -5, "HU")
    assert np.allclose(brightness(image.display), image.pixels, atol=1e-6)


def test_free_text_is_no_unit(write, load) -> None:
    assert load(write([[0, 1]], RescaleType="<b>Dr Who</b>", RescaleSlope=1)).display.unit == ""
