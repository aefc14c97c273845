from __future__ import annotations

import pytest
import torch

from pipeline.classifiers import load_card
from pipeline.classifiers.network_classes import DENSENETS
from pipeline.classifiers.networks import build_network
from pipeline.errors import ConfigError
from tests.classifiers.conftest import CardWriter


@pytest.mark.parametrize("name", DENSENETS)
def test_every_class_is_built_with_one_logit_per_finding(write_card: CardWriter, name: str) -> None:
    network = build_network(load_card(write_card(**{"architecture.class": name}))).eval()
    assert network(torch.zeros(1, 1, 32, 32)).shape == (1, 2)


def test_layers_and_their_arguments_reach_the_network(write_card: CardWriter) -> None:
    card = load_card(write_card(**{"architecture.arguments.norm": ["group", {"num_groups": 2}]}))
    assert build_network(card).features.norm0.num_groups == 2


@pytest.mark.parametrize(
    ("argument", "value"), [("act", "rellu"), ("norm", "bach"), ("norm", ["group", {"groups": 2}])]
)
def test_arguments_that_monai_refuses_are_named(write_card: CardWriter, argument: str, value: object) -> None:
    card = load_card(write_card(**{f"architecture.arguments.{argument}": value}))
    with pytest.raises(
        ConfigError, match=rf"small: architecture\.arguments: DenseNet cannot be built with .*{argument}="
    ):
        build_network(card)
