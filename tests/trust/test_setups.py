"""Tests of the setups: which films and network a seed has."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pipeline.phantoms.radiograph import shown
from tests.reference_model.samples import network_input
from tests.trust import setups, shortcuts
from tests.trust.setups import CARDS, SIZES, clean, network_number, network_of, reference_tensors, size_of


def test_sizes_and_networks_vary_independently(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setups, "CARDS", CARDS[:1] * 3)
    for first in (2, 3):
        pairs = {(size_of(seed), network_number(seed)) for seed in range(first, first + 12, 2)}
        assert pairs == {(size, network) for size in SIZES for network in range(3)}


def test_the_first_seeds_have_the_shipped_network_and_the_smaller_films() -> None:
    """What `make trust-quick` compares with its baseline."""
    setup = clean(1, count=1)
    assert setup.network == 0
    assert setup.films[0].stored.shape == (SIZES[0], SIZES[0])
    assert all(torch.equal(setup.tensors[name], tensor) for name, tensor in reference_tensors(0).items())


@pytest.mark.parametrize("number", range(len(CARDS)))
def test_a_shortcut_head_sees_the_marker_in_the_features_of_its_own_network(number: int) -> None:
    card = setups.card_without_weights(CARDS[number])
    network = network_of(reference_tensors(number), card)
    weight, bias = shortcuts._reading("marker", SIZES[0], number)
    films = setups.drawn(1, 16)
    inputs = [
        np.stack([network_input(change(shown(film))) for film in films])
        for change in (lambda pixels: pixels, shortcuts.marker)
    ]
    plain, marked = (shortcuts.features(network, batch) @ weight + bias for batch in inputs)
    assert plain.max() < marked.min()
