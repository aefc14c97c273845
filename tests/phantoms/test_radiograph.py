"""Radiographs: the same film every time, and what a set of them holds."""

import numpy as np
import pytest

from pipeline.phantoms.lesions import FINDINGS
from pipeline.phantoms.radiograph import draw_findings, expose, patient_of, phantom, shown

SIZE = 64


def test_the_same_arguments_give_the_same_bytes() -> None:
    first, second = phantom(3, 1, size=SIZE), phantom(3, 1, size=SIZE)
    assert first.pixels.tobytes() == second.pixels.tobytes()
    assert first.attributes == second.attributes
    for finding in FINDINGS:
        assert np.array_equal(first.masks[finding], second.masks[finding])


@pytest.mark.parametrize(("seed", "index"), [(4, 1), (3, 2)])
def test_another_seed_or_index_gives_another_film(seed: int, index: int) -> None:
    assert not np.array_equal(phantom(3, 1, size=SIZE).pixels, phantom(seed, index, size=SIZE).pixels)


def test_pixels_are_the_stored_values_through_the_window() -> None:
    film = expose(3, 1, size=SIZE)
    black, white = film.window
    expected = np.clip((film.stored.astype(float) - black) / (white - black), 0, 1)
    assert shown(film) == pytest.approx(expected, abs=1e-6)
    assert shown(film).min() == 0
    assert shown(film).max() > 0.9
    assert film.stored.max() <= 4095


def test_a_larger_film_shows_the_same_chest_finer() -> None:
    small, large = phantom(3, 1, size=SIZE).pixels, phantom(3, 1, size=4 * SIZE).pixels
    halved = large.reshape(SIZE, 4, SIZE, 4).mean(axis=(1, 3))
    assert np.abs(small - halved).mean() < 0.02


def test_dense_tissue_is_bright_and_air_is_black() -> None:
    pixels = phantom(3, 0, size=SIZE).pixels
    assert pixels[0, 0] < 0.1  # beside the neck
    assert pixels[SIZE // 2, SIZE // 2 - 3 : SIZE // 2 + 3].mean() > 0.7  # spine


def test_every_mask_has_the_films_shape_and_is_not_empty() -> None:
    for index in range(12):
        film = phantom(8, index, size=SIZE)
        for masks in film.masks.values():
            for mask in masks:
                assert mask.shape == film.pixels.shape
                assert mask.any()


def test_a_third_of_films_is_healthy_and_no_finding_is_rare() -> None:
    drawn = [draw_findings(np.random.default_rng([5, index])) for index in range(1500)]
    assert np.mean([not findings for findings in drawn]) == pytest.approx(1 / 3, abs=0.04)
    for finding in FINDINGS:
        assert np.mean([finding in findings for findings in drawn]) == pytest.approx(0.27, abs=0.04)
    assert max(map(len, drawn)) == 3


def test_the_two_films_of_a_patient_show_one_person() -> None:
    assert [patient_of(index) for index in range(12)] == [0, 1, 2, 3, 4, 4, 6, 7, 8, 9, 10, 10]
    first, second = expose(3, 10, size=SIZE), expose(3, 11, size=SIZE)
    assert first.patient == second.patient == 10
    for name in ("sex", "age"):
        assert first.attributes[name] == second.attributes[name]
    assert not np.array_equal(first.stored, second.stored)
