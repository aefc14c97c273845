"""The network of every layout is read, and gives the outputs of the one that was saved."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from pipeline.classifiers import ModelCard
from pipeline.classifiers.networks import build_network
from pipeline.classifiers.weights import load_weights
from pipeline.errors import ConfigError
from tests.classifiers.layouts import LAYOUTS, lightning, shifted, state, under

IMAGES = torch.linspace(0, 1, 2 * 32 * 32).reshape(2, 1, 32, 32)
ROUNDED = {"half": 0.02, "bfloat16": 0.1}


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_outputs_are_those_of_the_network_that_was_saved(
    network: nn.Module, card: ModelCard, tmp_path: Path, name: str
) -> None:
    layout = LAYOUTS[name]
    torch.save(layout.save(network), tmp_path / "w.pth", _use_new_zipfile_serialization=not layout.older)
    fresh = build_network(card).eval()
    loaded = load_weights(
        fresh, tmp_path / "w.pth", sha256=None, allow_pickle=True, state_dict=layout.state_dict
    )
    torch.testing.assert_close(fresh(IMAGES), network(IMAGES), rtol=0, atol=ROUNDED.get(name, 1e-6))
    said = " ".join(notice.text() for notice in loaded.notices)
    assert [word for word in layout.shown if word not in said] == []
    assert bool(said) == bool(layout.shown)


@pytest.mark.parametrize("name", [name for name, layout in LAYOUTS.items() if layout.state_dict])
def test_of_two_networks_none_is_taken_unless_the_card_names_it(
    network: nn.Module, card: ModelCard, tmp_path: Path, name: str
) -> None:
    layout = LAYOUTS[name]
    torch.save(layout.save(network), tmp_path / "w.pth")
    with pytest.raises(
        ConfigError, match=r"holds 2 different networks, under .*, as state_dict: '"
    ) as refused:
        load_weights(build_network(card), tmp_path / "w.pth", sha256=None, allow_pickle=True)
    assert f"'{layout.state_dict}'" in str(refused.value)


def test_a_name_that_the_file_does_not_have_is_refused(
    network: nn.Module, card: ModelCard, tmp_path: Path
) -> None:
    torch.save({"model": state(network), "ema": shifted(state(network))}, tmp_path / "w.pth")
    with pytest.raises(
        ConfigError, match="no network under 'swa', as state_dict states, but under 'model' and 'e"
    ):
        load_weights(
            build_network(card), tmp_path / "w.pth", sha256=None, allow_pickle=True, state_dict="swa"
        )


def test_a_tensor_that_may_take_part_is_refused_beside_what_training_needs(
    network: nn.Module, card: ModelCard, tmp_path: Path
) -> None:
    checkpoint = lightning(network)
    checkpoint["state_dict"]["temperature"] = torch.ones(1)
    torch.save(checkpoint, tmp_path / "w.pth")
    with pytest.raises(
        ConfigError, match=r"1 tensors are outside 'model\.', the network's prefix: temperature"
    ):
        load_weights(build_network(card), tmp_path / "w.pth", sha256=None, allow_pickle=True)


def test_a_missing_tensor_of_a_whole_network_is_named(
    network: nn.Module, card: ModelCard, tmp_path: Path
) -> None:
    del network.features.norm0.bias
    torch.save(network, tmp_path / "w.pth")
    with pytest.raises(ConfigError, match=r"1 missing: features\.norm0\.bias"):
        load_weights(build_network(card), tmp_path / "w.pth", sha256=None, allow_pickle=True)


def test_of_a_hundred_networks_three_are_named(network: nn.Module, card: ModelCard, tmp_path: Path) -> None:
    first = {"features.conv0.weight": state(network)["features.conv0.weight"]}
    many = {k: v + n for n in range(300) for k, v in under(f"fold{n}.", first).items()}
    torch.save(many, tmp_path / "w.pth")
    with pytest.raises(ConfigError, match="under 'fold0' and 'fold1' and 'fold10' and 97 more; state"):
        load_weights(build_network(card), tmp_path / "w.pth", sha256=None, allow_pickle=True)
