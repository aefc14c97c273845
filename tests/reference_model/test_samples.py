"""Samples: what the network is trained on is what a study set shows it."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from pipeline.phantoms.lesions import FINDINGS
from pipeline.phantoms.radiograph import phantom
from tests.reference_model.samples import INPUT_SIZE, labels_of, mask_bits, network_input, samples


def test_samples_are_the_films_of_the_seed_in_order() -> None:
    made = samples(3, 2, size=2 * INPUT_SIZE, with_masks=True, processes=1)
    for index in range(2):
        film = phantom(3, index, size=2 * INPUT_SIZE)
        assert np.array_equal(made.inputs[index], network_input(film.pixels).astype(np.float16))
        assert made.labels[index].tolist() == labels_of(film)
        assert np.array_equal(made.masks[index], mask_bits(film))


def test_a_network_sees_a_film_of_512_as_it_saw_films_of_256() -> None:
    small, large = (network_input(phantom(3, 1, size=size).pixels) for size in (256, 512))
    # Photon noise differs, and so do edges by the finer steps.
    assert np.abs(small - large).mean() < 0.002
    assert (small - large).mean() == pytest.approx(0, abs=2e-4)


def test_resampling_is_antialiased_bilinear_in_floating_point() -> None:
    pixels = np.random.default_rng(0).random((300, 300), np.float32)
    expected = functional.interpolate(
        torch.from_numpy(pixels)[None, None], (INPUT_SIZE, INPUT_SIZE), mode="bilinear", antialias=True
    )
    assert network_input(pixels) == pytest.approx(expected[0, 0].numpy(), abs=1e-5)


def test_bit_k_marks_the_lesions_of_finding_k() -> None:
    film = phantom(8, 3, size=64)
    bits = mask_bits(film)
    for number, finding in enumerate(FINDINGS):
        union = np.any([np.zeros((64, 64), bool), *film.masks[finding]], axis=0)
        assert np.array_equal(bits >> number & 1 == 1, union)
