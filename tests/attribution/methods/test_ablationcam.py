"""Ablation-CAM, worked by hand, and against channels set to 0 one by one in double precision."""

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from pipeline.attribution.explainer import open_explainer
from tests.attribution.networks import FlatHead, GapHead
from tests.attribution.plain import (
    CORNER,
    CROSS,
    PLACES,
    activations_and_gradients,
    assert_close,
    densenet,
    explained,
    module_of,
    random_inputs,
)


def test_ablationcam_without_pooling_by_hand() -> None:
    gradient = torch.arange(25.0).reshape(5, 5) - 2
    network = FlatHead(torch.stack([gradient, gradient])[None])
    relevance = explained(network, torch.stack([CROSS, CORNER])[None], "ablationcam", "features")
    # Without the cross the logit loses 9 · 10, without the corner -2 · 4.
    assert_close(relevance[0, 0], 90 * CROSS - 8 * CORNER)


def test_ablationcam_on_a_gap_head_by_hand() -> None:
    # Weight × mean activation: 5 · 9/25 and -10 · 4/25. The logit is below 0; the cross still speaks for it.
    network = GapHead(weights=[[5.0, -10.0]], bias=[-3.0])
    relevance = explained(network, torch.stack([CROSS, CORNER])[None], "ablationcam")
    assert_close(relevance[0, 0], 1.8 * CROSS - 1.6 * CORNER)


@pytest.mark.parametrize("layer", PLACES)
@pytest.mark.parametrize("grid", [(48, 32), (32, 24, 16)])
def test_ablationcam_equals_channels_set_to_0_one_by_one(layer: str, grid: tuple[int, ...]) -> None:
    network, inputs = densenet(len(grid)), random_inputs(2, 1, *grid)
    activations, _ = activations_and_gradients(network, inputs, layer)
    module = module_of(network, inputs, layer)
    drops = torch.stack(
        [dropped(network, inputs, module, channel) for channel in range(activations.shape[1])], dim=2
    )
    exact = torch.einsum("bkc,bc...->bk...", drops, activations)
    # A drop is the difference of two float32 logits, 1e-7 of which are rounding, and about 1e-2 of them.
    assert_close(explained(network, inputs, "ablationcam", layer), exact, tolerance=5e-5)


def dropped(network: nn.Module, inputs: Tensor, module: str, channel: int) -> Tensor:
    """(batch, findings): what the logits lose without a channel."""
    exact = deepcopy(network).double()
    whole = exact(inputs.double())

    def ablate(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        output = output.clone()
        output[:, channel] = 0
        return output

    exact.get_submodule(module).register_forward_hook(ablate)
    return (whole - exact(inputs.double())).detach()


def test_a_tight_memory_bound_changes_nothing() -> None:
    network, inputs = densenet(), random_inputs(2, 1, 48, 32)
    bounded = open_explainer(network, methods=["ablationcam@stride4"], example=inputs, memory_mb=1)
    assert bounded.read(inputs).rows < 10
    maps = torch.tensor(bounded.explain(inputs).maps["ablationcam@stride4"])
    assert_close(maps, explained(network, inputs, "ablationcam@stride4"), tolerance=5e-5)
