"""Laws of every registered self-check: a correct model passes, a model with the planted defect fails."""

from collections.abc import Callable, Mapping

import pytest
from torch import nn

from pipeline.checks import CHECKS
from pipeline.contracts import LoadedModel
from pipeline.errors import CheckError
from tests.checks.models import (
    RECIPES,
    honest,
    in_training_mode,
    shifted,
    with_cells,
    with_gradients,
    with_logits,
    with_maps,
)

DEFECTS: Mapping[str, Callable[[], LoadedModel]] = {
    "findings": lambda: with_logits(honest(), [[0.1, 0.2, 0.3], [1.1, 1.2, 1.3]]),
    "gradients": lambda: with_gradients(honest(), lambda gradients: gradients * 1.01),
    "batch": lambda: in_training_mode(nn.BatchNorm2d),
    "cells": lambda: with_cells(honest(), shifted),
    "corner": lambda: with_maps(honest(), lambda maps: maps.max() - maps),
}
"""Check → a model that differs from a correct one only by the defect that the check detects."""


def test_every_check_has_a_planted_defect() -> None:
    assert set(DEFECTS) == set(CHECKS)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("name", CHECKS)
def test_an_honest_model_passes_and_the_sentence_says_what_was_measured(name: str, recipe: str) -> None:
    sentence = CHECKS[name](honest(recipe))
    assert any(character.isdigit() for character in sentence)
    assert sentence == CHECKS[name](honest(recipe))


@pytest.mark.parametrize("name", CHECKS)
def test_the_planted_defect_is_found(name: str) -> None:
    with pytest.raises(CheckError) as caught:
        CHECKS[name](DEFECTS[name]())
    assert len(str(caught.value)) > 40  # what was found, what was wanted, and what to do


@pytest.mark.parametrize("name", CHECKS)
def test_the_network_is_left_as_it_was(name: str) -> None:
    model = honest()
    before = {key: value.clone() for key, value in model.network.state_dict().items()}
    CHECKS[name](model)
    assert all(value.equal(before[key]) for key, value in model.network.state_dict().items())
    assert not any(module.training or module._forward_hooks for module in model.network.modules())
    assert all(parameter.grad is None for parameter in model.network.parameters())
