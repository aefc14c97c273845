"""Fitting: few steps on a bright spot, the same weights every time."""

import pytest
import torch
from torch import Tensor

from tests.reference_model import fitting
from tests.reference_model.fitting import BATCH, build, fit
from tests.reference_model.measuring import grad_cam


def spots() -> tuple[Tensor, Tensor]:
    """Films of 64 pixels, the first half with a bright spot around (16, 40), called by all four findings."""
    inputs = 0.1 * torch.rand((2 * BATCH, 64, 64), generator=torch.Generator().manual_seed(0))
    inputs[:BATCH, 12:20, 36:44] += 0.8
    labels = torch.zeros((2 * BATCH, 4))
    labels[:BATCH] = 1
    return inputs, labels


def trained(epochs: int) -> fitting.DenseNet:
    torch.manual_seed(0)
    network = build()
    fit(network, *spots(), epochs=epochs, seed=0, device=torch.device("cpu"))
    return network


def test_the_same_seed_trains_the_same_weights() -> None:
    first, second = trained(1).state_dict(), trained(1).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_bright_spot_is_learnt_and_pointed_at() -> None:
    network = trained(12)
    inputs, labels = spots()
    with torch.no_grad():
        answers = network(inputs[:, None])
    assert answers[labels == 1].min() > answers[labels == 0].max()
    row, column = divmod(int(grad_cam(network, inputs[:1, None], "class_layers.relu")[0, 0].argmax()), 8)
    assert (row, column) in {(r, c) for r in (1, 2) for c in (4, 5)}


def test_the_network_is_left_ready_to_answer() -> None:
    assert not trained(1).training


@pytest.mark.parametrize("shift", [0, 3])
def test_variation_keeps_a_films_shape_and_range(shift: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "LARGEST_SHIFT", shift)
    films = torch.rand((2, 1, 16, 16), generator=torch.Generator().manual_seed(0))
    varied = fitting._varied(films, torch.Generator().manual_seed(1))
    assert varied.shape == films.shape
    assert varied.min() >= 0
    assert varied.max() <= 1
    assert not torch.equal(varied, films)
