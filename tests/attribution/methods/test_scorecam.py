"""Score-CAM, worked by hand, and against a loop in double precision."""

import math
from collections.abc import Sequence
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from pipeline.attribution.explainer import open_explainer
from pipeline.errors import ConfigError
from pipeline.records import Cells
from tests.attribution.networks import GapHead
from tests.attribution.plain import (
    CORNER,
    CROSS,
    activations_and_gradients,
    assert_close,
    cells_of,
    densenet,
    explained,
    interpolated,
    random_inputs,
)


def test_scorecam_of_a_cross_and_a_corner_by_hand() -> None:
    # Masked by the cross, only the cross is left, logit w · 9/25; by the corner, only the corner, w · 4/25.
    network = GapHead(weights=[[25 / 9 * math.log(3), 0.0], [0.0, 25 / 4 * math.log(4)]], bias=[0.3, -7.0])
    relevance = explained(network, torch.stack([CROSS, CORNER])[None], "scorecam")
    assert_close(relevance[0, 0], 3 / 4 * CROSS + 1 / 4 * CORNER)
    assert_close(relevance[0, 1], 1 / 5 * CROSS + 4 / 5 * CORNER)


def test_masks_run_from_0_to_1_whatever_the_channels_range() -> None:
    # The second channel, 2 to 6, is 2 + the corner; as a mask it is 0 but for the corner.
    network = GapHead(weights=[[25 / 9 * math.log(3), 0.0]], bias=[0.0])
    relevance = explained(network, torch.stack([CROSS, 2 + CORNER])[None], "scorecam")
    assert_close(relevance[0, 0], 3 / 4 * CROSS + 1 / 4 * (2 + CORNER))


def test_a_constant_channel_masks_nothing_and_has_no_weight() -> None:
    network = GapHead(weights=[[1.0, 5.0]], bias=[0.0])
    relevance = explained(network, torch.stack([CROSS, torch.full((5, 5), 7.0)])[None], "scorecam")
    assert torch.equal(relevance[0, 0], CROSS)


def test_an_image_whose_channels_are_all_constant_has_a_map_of_nothing() -> None:
    class NoEmptyBatch(GapHead):
        def forward(self, inputs: Tensor) -> Tensor:
            assert len(inputs)
            return super().forward(inputs)

    inputs = torch.stack([torch.ones(2, 5, 5), torch.stack([CROSS, CORNER])])
    relevance = explained(NoEmptyBatch(weights=[[1.0, 5.0]], bias=[0.0]), inputs, "scorecam")
    assert torch.equal(relevance[0, 0], torch.zeros(5, 5))
    assert relevance[1, 0].max() > 0


def test_only_the_most_varied_channels_are_taken() -> None:
    network = GapHead(weights=[[1.0, 5.0]], bias=[0.0])
    inputs = torch.stack([CROSS, CORNER])[None]  # standard deviations 0.48 and 0.80
    relevance = explained(network, inputs, {"method": "scorecam", "top_channels": 1})
    assert torch.equal(relevance[0, 0], CORNER)


def test_no_channel_at_all_is_refused() -> None:
    with pytest.raises(ConfigError, match="top_channels: found 0, wanted 1 or more; set for example 64"):
        explained(densenet(), random_inputs(2, 1, 32, 32), {"method": "scorecam", "top_channels": 0})


@pytest.mark.parametrize(
    ("layer", "grid"), [("last", (32, 48)), ("stride4", (48, 32)), ("last", (32, 24, 16))]
)
def test_scorecam_equals_the_algorithm_channel_by_channel(layer: str, grid: tuple[int, ...]) -> None:
    network, inputs = densenet(len(grid)), random_inputs(2, 1, *grid)
    activations, _ = activations_and_gradients(network, inputs, layer)
    cells = cells_of(network, inputs, "gradcam", layer)
    maps = [
        plain_scorecam(network, image, channels, cells)
        for image, channels in zip(inputs, activations, strict=True)
    ]
    assert_close(explained(network, inputs, "scorecam", layer), torch.stack(maps))


def plain_scorecam(network: nn.Module, image: Tensor, activations: Tensor, cells: Sequence[Cells]) -> Tensor:
    """Algorithm 1 for one image, with a dark image as the baseline."""
    exact = deepcopy(network).double()
    increases, kept = [], []
    for channel in activations:
        if channel.max() > channel.min():
            mask = (channel - channel.min()) / (channel.max() - channel.min())
            large = interpolated(mask[None, None], cells, image.shape[1:])
            baseline = exact(torch.zeros_like(image[None]).double())
            increases.append((exact(image[None] * large) - baseline)[0])
            kept.append(channel)
    weights = torch.stack(increases).softmax(dim=0)
    return torch.einsum("ck,c...->k...", weights, torch.stack(kept)).detach()


def test_a_tight_memory_bound_changes_nothing() -> None:
    network, inputs = densenet(), random_inputs(2, 1, 48, 32)
    bounded = open_explainer(network, methods=["scorecam"], example=inputs, memory_mb=1)
    assert bounded.read(inputs).rows < 10
    maps = torch.tensor(bounded.explain(inputs).maps["scorecam"])
    assert_close(maps, explained(network, inputs, "scorecam"))
