"""RISE, worked by hand, and against its definition."""

from typing import Any

import pytest
import torch
from torch import Tensor

from pipeline.attribution.explainer import open_explainer
from pipeline.attribution.methods.rise import Masks, draw_masks
from pipeline.errors import ConfigError
from tests.attribution.families import GRIDS, family
from tests.attribution.networks import FlatHead
from tests.attribution.plain import assert_close, densenet, explained, random_inputs


def spec(**options: Any) -> dict[str, Any]:
    return {"method": "rise", **options}


def test_a_mask_of_two_cells_is_enlarged_and_shifted_by_hand() -> None:
    # 4 pixels, 2 cells, so 2 pixels a cell and 3 cells' width to cut from: 0 1 becomes 0 0 1/3 2/3 1 1.
    masks = Masks(torch.tensor([[0.0, 1.0]] * 2), shifts=torch.tensor([[0], [1]]), grid=(4,))
    first, second = [0, 0, 1 / 3, 2 / 3], [0, 1 / 3, 2 / 3, 1]
    assert masks.on_the_grid(0, 2).flatten().tolist() == pytest.approx(first + second, abs=1e-6)
    assert masks.on_the_grid(1, 9).flatten().tolist() == pytest.approx(second, abs=1e-6)


def test_two_masks_of_five_by_five_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    # One mask lets all through; the other the last of its 2 × 2 cells, which shifted by 2 leaves 1/18 … 17/18
    # along each axis. The logit is the last pixel: of ones, 1 and (17/18)². Divided by 2 masks · 1/2.
    coarse = torch.tensor([[[1.0, 1.0], [1.0, 1.0]], [[0.0, 0.0], [0.0, 1.0]]])
    masks = Masks(coarse, shifts=torch.tensor([[0, 0], [2, 2]]), grid=(5, 5))
    monkeypatch.setattr("pipeline.attribution.methods.rise.draw_masks", lambda *_args, **_options: masks)
    weights = torch.zeros(1, 1, 5, 5)
    weights[0, 0, 4, 4] = 1
    relevance = explained(FlatHead(weights), torch.ones(1, 1, 5, 5), spec(samples=2, activation="none"))
    axis = torch.tensor([1.0, 5.0, 9.0, 13.0, 17.0]) / 18
    assert_close(relevance[0, 0], 1 + (17 / 18) ** 2 * axis[:, None] * axis[None, :])


@pytest.mark.parametrize("activation", ["sigmoid", "softmax", "none"])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_rise_is_the_mean_of_masks_weighted_by_their_scores(dimensions: int, activation: str) -> None:
    network, inputs = family("vgg", dimensions), random_inputs(2, 1, *GRIDS[dimensions])
    options = {"samples": 6, "cells": 3, "keep": 0.4, "seed": 5}
    relevance = explained(network, inputs, spec(**options, activation=activation, fill="minimum"))
    masks = draw_masks(GRIDS[dimensions], **options).on_the_grid(0, 6).double()
    for image, ours in zip(inputs.double(), relevance, strict=True):
        shown = image * masks[:, None] + image.min() * (1 - masks[:, None])
        scores = activated(network.double()(shown).detach(), activation)
        network.float()
        exact = sum(
            score.reshape(-1, *[1] * dimensions) * mask for score, mask in zip(scores, masks, strict=True)
        )
        assert_close(ours, exact / (6 * 0.4))


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_the_probability_of_a_softmax_is_the_score_whatever_it_is_computed_from(activation: str) -> None:
    network, inputs = densenet(), random_inputs(2, 1, 24, 16)
    plain, odds = (
        open_explainer(
            network,
            methods=[spec(samples=6, activation=of_scores)],
            example=inputs,
            activation=of_network,
        )
        for of_scores, of_network in (("softmax", "sigmoid"), (activation, "softmax"))
    )
    assert_close(*(torch.tensor(one.explain(inputs).maps["rise"]) for one in (odds, plain)), 1e-4)


def activated(logits: Tensor, activation: str) -> Tensor:
    return {"sigmoid": torch.sigmoid, "softmax": lambda x: x.softmax(1), "none": lambda x: x}[activation](
        logits
    )


def test_the_mask_hides_what_the_fill_says() -> None:
    # With no fill but 0 an image of zeros looks alike under every mask.
    network, black = FlatHead(torch.ones(1, 1, 4, 4)), torch.zeros(1, 1, 4, 4)
    options = {"samples": 4, "cells": 2, "activation": "none"}
    assert not explained(network, black, spec(**options)).any()
    assert explained(network, black, spec(**options, fill=1.0)).any()


def test_masks_let_through_their_share_everywhere() -> None:
    masks = draw_masks((11, 8), samples=4000, cells=3, keep=0.3, seed=0)
    assert masks.on_the_grid(0, 4000).mean(dim=0) == pytest.approx(torch.full((11, 8), 0.3), abs=0.04)
    assert [sorted(set(shifts)) for shifts in masks.shifts.T.tolist()] == [[0, 1, 2, 3], [0, 1, 2]]
    assert masks.coarse.unique().tolist() == [0, 1]


def test_masks_depend_on_the_seed_alone() -> None:
    options = {"samples": 20, "cells": 4, "keep": 0.5}
    first, again, other = (draw_masks((9, 9), **options, seed=seed).on_the_grid(0, 20) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_every_image_meets_the_same_masks_whatever_the_bound_on_memory() -> None:
    network, inputs = family("resnet"), random_inputs(2, 1, *GRIDS[2])
    few = open_explainer(network, methods=[spec(samples=20)], example=inputs, memory_mb=1)
    assert few.read(inputs).rows < 20
    (second,) = few.explain(inputs[1:]).maps.values()
    assert_close(torch.tensor(second), explained(network, inputs, spec(samples=20))[1:])


@pytest.mark.parametrize("options", [{"samples": 0}, {"cells": 0}, {"keep": 0.0}, {"keep": 1.5}])
def test_masks_that_cannot_be_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(
        ConfigError, match="samples to at least 1, cells to at least 1, and keep above 0, up to 1"
    ):
        explained(FlatHead(torch.ones(1, 1, 2, 2)), torch.ones(1, 1, 2, 2), spec(**options))
