"""Tests of fills: membranes equal harmonic functions; clones bring a texture at another brightness."""

import numpy as np
import pytest
from scipy.ndimage import laplace

from pipeline.probes.fills import cloned, inpainted, membrane
from pipeline.probes.regions import Shift


def disc(shape: tuple[int, int], centre: tuple[int, int], radius: float) -> np.ndarray:
    rows, columns = np.indices(shape)
    return np.hypot(rows - centre[0], columns - centre[1]) <= radius


def test_membrane_restores_harmonic_functions() -> None:
    rows, columns = np.indices((40, 50)).astype(np.float64)
    region = disc((40, 50), (18, 24), 11)
    for harmonic in (3 + 0.5 * rows - 0.25 * columns, rows * columns, rows**2 - columns**2):
        hidden = np.where(region, 7.0, harmonic)
        # Five-point differences are exact for polynomials of degree two.
        np.testing.assert_allclose(membrane(hidden, region), harmonic, rtol=1e-10, atol=1e-8)


def test_membrane_solves_laplace_and_keeps_the_rest() -> None:
    values = np.random.default_rng(1).random((30, 30))
    region = disc((30, 30), (15, 15), 8)
    solved = membrane(values, region)
    np.testing.assert_array_equal(solved[~region], values[~region])
    assert np.abs(laplace(solved))[region].max() < 1e-10
    assert values[~region].min() <= solved[region].min() <= solved[region].max() <= values[~region].max()


def test_membrane_at_the_edge_has_no_slope_across_it() -> None:
    values = np.tile(np.arange(20.0)[:, None], (1, 12))
    region = np.zeros((20, 12), bool)
    region[15:] = True
    np.testing.assert_allclose(membrane(values, region)[15:], 14.0, atol=1e-9)


@pytest.mark.parametrize("covers", [True, False])
def test_membrane_of_everything_and_of_nothing(*, covers: bool) -> None:
    values = np.ones((4, 5))
    expected = 0.0 if covers else 1.0
    np.testing.assert_array_equal(membrane(values, np.full((4, 5), covers)), np.full((4, 5), expected))


def test_inpainting_removes_a_lesion_from_a_smooth_image() -> None:
    rows, columns = np.indices((240, 200))
    background = (0.2 + 0.002 * rows + 0.001 * columns).astype(np.float32)
    lesion = disc((240, 200), (110, 90), 60)
    image = np.where(lesion, background + 0.15, background).astype(np.float32)
    wide = disc((240, 200), (110, 90), 64)
    filled = inpainted(image, wide)
    # Off by the coarse grid on which large regions are solved, and by the soft edge.
    assert np.abs(filled - background).max() < 0.01
    far = ~disc((240, 200), (110, 90), 72)
    np.testing.assert_array_equal(filled[far], image[far])


def test_clone_brings_the_texture_at_the_brightness_around_it() -> None:
    random = np.random.default_rng(3)
    texture = 0.05 * random.standard_normal((100, 220))
    ramp = np.linspace(0.3, 0.7, 220)[None]
    image = (ramp + texture).astype(np.float32)
    region = disc((100, 220), (50, 60), 20)
    filled = cloned(image, region, Shift(0, 100, 0.0))
    inside = disc((100, 220), (50, 60), 16)
    # The texture 100 columns to the right, without its higher brightness.
    found, wanted = filled[inside] - ramp.repeat(100, 0)[inside], np.roll(texture, -100, axis=1)[inside]
    assert np.corrcoef(found, wanted)[0, 1] > 0.95
    assert abs(float(found.mean() - wanted.mean())) < 0.02


def test_fills_stay_within_the_range() -> None:
    image = np.zeros((64, 64), np.float32)
    image[:, 32:] = 1.0
    region = disc((64, 64), (32, 20), 8)
    filled = cloned(image, region, Shift(0, 24, 0.0))
    assert filled.min() >= 0.0
    assert filled.max() <= 1.0
