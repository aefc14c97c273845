"""Batch check: whatever makes an image's result depend on its batch is found."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pipeline.attribution.explainer import open_explainer
from pipeline.attribution.methods.gradcam import gradcam
from pipeline.checks.batch import batch_equals_one_by_one
from pipeline.contracts import Forward
from pipeline.errors import CheckError
from tests.checks.models import FixedExplanation, honest, in_training_mode, mixing_images


def test_a_batch_that_equals_its_images_is_confirmed() -> None:
    assert batch_equals_one_by_one(honest()).startswith("largest differences ")


@pytest.mark.parametrize("kind", [nn.BatchNorm2d, nn.Dropout2d])
def test_a_layer_left_in_training_mode_is_found(kind: type[nn.Module]) -> None:
    with pytest.raises(CheckError, match="depends on its batch"):
        batch_equals_one_by_one(in_training_mode(kind))


def test_a_network_that_mixes_images_is_found() -> None:
    with pytest.raises(CheckError, match="depends on its batch"):
        batch_equals_one_by_one(mixing_images())


def noisy(forward: Forward, layer: str) -> Tensor:
    """Grad-CAM with numbers added that are drawn image after image."""
    relevance = gradcam(forward, layer)
    generator = torch.Generator().manual_seed(0)
    return relevance + relevance.abs().max() * torch.rand(relevance.shape, generator=generator)


def test_a_method_that_draws_other_numbers_for_each_image_of_a_batch_is_found() -> None:
    model = honest()
    explainer = open_explainer(model.network, methods=["gradcam"], example=model.example)
    planted = replace(explainer.methods[0], maps=partial(noisy, layer="last"))
    with pytest.raises(CheckError, match="use methods that draw the same random numbers for each image"):
        batch_equals_one_by_one(replace(model, explain=replace(explainer, methods=(planted,)).explain))


@pytest.mark.parametrize(("factor", "found"), [(1.04, False), (1.06, True)])
def test_maps_may_move_by_rounding_but_not_more(factor: float, found: bool) -> None:  # noqa: FBT001
    explain = honest().explain

    def moved(inputs: Tensor) -> FixedExplanation:
        explained = explain(inputs)
        scale = factor if len(inputs) > 1 else 1
        return FixedExplanation(
            explained.logits, {name: scale * maps for name, maps in explained.maps.items()}
        )

    model = replace(honest(), explain=moved)
    if found:
        with pytest.raises(CheckError, match=r"maps by 6.0e-02 \(5e-02\)"):
            batch_equals_one_by_one(model)
    else:
        assert "4.0e-02 in maps" in batch_equals_one_by_one(model)


def test_maps_that_are_never_finite_do_not_accuse_the_batch() -> None:
    def explain(inputs: Tensor) -> FixedExplanation:
        cells = np.ones((len(inputs), 2, 1, 1), np.float32)
        return FixedExplanation(cells[..., 0, 0], {"gradcam": cells * np.nan})

    with pytest.raises(CheckError, match="not finite; the weights may be broken"):
        batch_equals_one_by_one(replace(honest(), explain=explain))


def test_large_maps_are_compared_without_overflow() -> None:
    def explain(inputs: Tensor) -> FixedExplanation:
        cells = np.full((len(inputs), 2, 4, 4), 1e30, np.float32)
        return FixedExplanation(cells[..., 0, 0], {"gradcam": cells})

    assert "0.0e+00 in maps" in batch_equals_one_by_one(replace(honest(), explain=explain))


@pytest.mark.parametrize("value", [7.0, np.nan])
def test_maps_that_depend_on_the_batch_are_found_where_logits_do_not(value: float) -> None:
    def explain(inputs: Tensor) -> FixedExplanation:
        cells = np.ones((len(inputs), 2, 1, 1), np.float32)
        return FixedExplanation(cells[..., 0, 0], {"gradcam": cells * (value if len(inputs) > 1 else 1)})

    with pytest.raises(CheckError, match="depends on its batch"):
        batch_equals_one_by_one(replace(honest(), explain=explain))
