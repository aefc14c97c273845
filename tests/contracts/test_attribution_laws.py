"""Laws that every registered attribution method obeys, on networks in 2D and 3D, at every kind of layer."""

import inspect
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.attribution import METHODS
from pipeline.attribution.explainer import Explainer, open_explainer
from pipeline.errors import ConfigError
from tests.attribution.plain import densenet, random_inputs
from tests.attribution.transformers import OF_TRANSFORMERS, vit

LAYERS = ("last", "stride4", "features.denseblock1")
"""A layer with a closed form, an average pool, and a concatenation without a ReLU after it."""
HEADS_ONLY = {"cam"}
OPTIONS: dict[str, dict[str, Any]] = {
    "smoothgrad": {"samples": 3},
    "integrated_gradients": {"steps": 4},
    "occlusion": {"patch": 9},
    "rise": {"samples": 30},
}
"""Fewer passes than the defaults. Patches start every 5 pixels; as 29 = 9 + 4 · 5, they are symmetric."""
RANDOM = {"smoothgrad", "rise"}
"""Methods whose random noise or masks are not mirrored with the image."""
TOLERANCES = {"ablationcam": 1e-4, "occlusion": 1e-4, "xgradcam": 1e-4}
"""Relative to a map's largest value; 1e-5 for other methods. The first two subtract nearly equal logits; the
third divides by sums in which, before a ReLU, positive and negative values cancel."""
GRIDS = {2: (48, 29), 3: (24, 16, 29)}
"""Widths that halve symmetrically (29 → 15, 8, 4), so that a mirrored input gives a mirrored map."""


def layers_of(method: str) -> tuple[str, ...]:
    """The layers at which a method is tested; only "last" if it reads no layer."""
    takes_layer = (
        METHODS[method].reads == "method" or "layer" in inspect.signature(METHODS[method].maps).parameters
    )
    return LAYERS if takes_layer and method not in HEADS_ONLY | OF_TRANSFORMERS else ("last",)


def spec_of(method: str, layer: str, **options: Any) -> dict[str, Any]:
    options = OPTIONS.get(method, {}) | options
    if METHODS[method].of_many:
        options["of"] = [f"gradcam@{layer}", f"layercam@{layer}"]
    elif METHODS[method].reads == "method":
        options["of"] = f"gradcam@{layer}"
    return {"method": method, "name": "map", **options}


CASES = [(method, layer, 2) for method in METHODS for layer in layers_of(method)]
CASES += [(method, "last", 3) for method in METHODS]


Networks: TypeAlias = Mapping[tuple[str, int], nn.Module]
"""Method and dimensions → its network."""


@pytest.fixture(scope="module")
def networks() -> Networks:
    made = {dimensions: densenet(dimensions, mirrored=True) for dimensions in GRIDS}
    for network in made.values():
        network.class_layers.out.weight.data[0].abs_()  # so that one finding's maps have a positive part
    # What reads attention is tested on a transformer instead of a DenseNet.
    others = {dimensions: vit(grid, mirrored=True, registers=1) for dimensions, grid in GRIDS.items()}
    return {
        (method, dimensions): (others if method in OF_TRANSFORMERS else made)[dimensions]
        for method in METHODS
        for dimensions in GRIDS
    }


def inputs_of(dimensions: int) -> Tensor:
    return random_inputs(3, 1, *GRIDS[dimensions])


def opened(network: nn.Module, method: str, layer: str, dimensions: int, **options: Any) -> Explainer:
    return open_explainer(
        network,
        methods=[spec_of(method, layer, **options)],
        default_layer=layer,
        example=inputs_of(dimensions),
    )


def relevance_of(explainer: Explainer, inputs: Tensor) -> NDArray[np.float32]:
    return explainer.explain(inputs).maps["map"]


@pytest.mark.parametrize(("method", "layer", "dimensions"), CASES)
def test_maps_are_finite_and_on_the_right_grid(
    networks: Networks, method: str, layer: str, dimensions: int
) -> None:
    explainer = opened(networks[method, dimensions], method, layer, dimensions)
    relevance = relevance_of(explainer, inputs_of(dimensions))
    of_layer = explainer.targets[layer].call.grid if explainer.targets else None
    grid = GRIDS[dimensions] if METHODS[method].reads == "input" else of_layer
    assert relevance.shape == (3, 3, *grid)
    assert relevance.dtype == np.float32
    assert np.isfinite(relevance).all()
    assert np.ptp(relevance) > 0


@pytest.mark.parametrize(("method", "layer", "dimensions"), CASES)
def test_a_batch_equals_its_images_one_by_one(
    networks: Networks, method: str, layer: str, dimensions: int
) -> None:
    explainer, inputs = opened(networks[method, dimensions], method, layer, dimensions), inputs_of(dimensions)
    together = relevance_of(explainer, inputs)
    alone = np.concatenate([relevance_of(explainer, inputs[i : i + 1]) for i in range(3)])
    assert_equal(together, alone, TOLERANCES.get(method, 1e-5))


@pytest.mark.parametrize(("method", "layer", "dimensions"), CASES)
def test_the_same_input_gives_the_same_map(
    networks: Networks, method: str, layer: str, dimensions: int
) -> None:
    explainer, inputs = opened(networks[method, dimensions], method, layer, dimensions), inputs_of(dimensions)
    first, second = (relevance_of(explainer, inputs) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize(("method", "layer", "dimensions"), CASES)
def test_nothing_is_changed_but_the_answer_given(
    networks: Networks, method: str, layer: str, dimensions: int
) -> None:
    network, inputs = networks[method, dimensions], inputs_of(dimensions)
    before, random_state = state_of(network), torch.get_rng_state()
    relevance_of(opened(network, method, layer, dimensions), inputs)
    after = state_of(network)
    assert before.keys() == after.keys()
    for key, value in before.items():
        assert torch.equal(value, after[key]) if isinstance(value, Tensor) else value == after[key], key
    assert torch.equal(inputs, inputs_of(dimensions))
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.is_grad_enabled()


def state_of(network: nn.Module) -> dict[str, object]:
    """Weights and buffers, gradients, modes, hooks and plain settings of every module."""
    state: dict[str, object] = dict(deepcopy(network.state_dict()))
    for name, parameter in network.named_parameters():
        state[f"{name}.requires_grad"] = parameter.requires_grad
        state[f"{name}.grad"] = parameter.grad
    for name, module in network.named_modules():
        for key, value in vars(module).items():
            if isinstance(value, bool | int | float | str):
                state[f"{name}.{key}"] = value
            elif "hooks" in key:
                state[f"{name}.{key}"] = list(value)
        state[f"{name}.forward"] = "forward" in vars(module)
        state[f"{name}.type"] = type(module)
    return state


@pytest.mark.parametrize("place", ["class_layers.out", "features.conv0"])
@pytest.mark.parametrize(("method", "layer", "dimensions"), [case for case in CASES if case[2] == 2])
def test_a_network_whose_weights_are_not_finite_is_refused(
    networks: Networks, method: str, layer: str, dimensions: int, place: str
) -> None:
    broken = deepcopy(networks[method, dimensions])
    broken.get_submodule(place).weight.data.view(-1)[0] = torch.nan
    with pytest.raises(ConfigError):
        opened(broken, method, layer, dimensions)


@pytest.mark.parametrize(("method", "layer", "dimensions"), CASES)
def test_a_mirrored_image_has_the_mirrored_map_on_a_network_that_treats_both_sides_alike(
    networks: Networks, method: str, layer: str, dimensions: int
) -> None:
    network, inputs = networks[method, dimensions], inputs_of(dimensions)
    explainer = opened(network, method, layer, dimensions)
    relevance = relevance_of(explainer, inputs)
    mirrored = relevance_of(explainer, inputs.flip(-1))[..., ::-1]
    if method not in RANDOM:
        assert_equal(mirrored, relevance, 10 * TOLERANCES.get(method, 1e-5))
        return
    # With few random samples the maps differ, but not more than with another seed.
    reseeded = relevance_of(opened(network, method, layer, dimensions, seed=1), inputs)
    assert np.linalg.norm(mirrored - relevance) <= 1.5 * np.linalg.norm(reseeded - relevance)


def assert_equal(ours: NDArray[np.float32], theirs: NDArray[np.float32], tolerance: float) -> None:
    """Compares maps, relative to the largest value of the batch."""
    assert np.abs(ours - theirs).max() <= tolerance * np.abs(theirs).max()


def with_head(network: nn.Module, weight: Tensor, bias: Tensor) -> nn.Module:
    """A copy of the network whose last layer has another weight (findings, channels) and bias."""
    changed = deepcopy(network)
    changed.class_layers.out.weight.data, changed.class_layers.out.bias.data = weight.clone(), bias.clone()
    return changed


@pytest.mark.parametrize(("method", "layer"), [case[:2] for case in CASES if case[2] == 2])
def test_what_is_added_to_all_logits_of_a_softmax_changes_no_map(
    networks: Networks, method: str, layer: str
) -> None:
    """Neither a constant nor anything that depends on the image changes a probability."""
    network, inputs = networks[method, 2], inputs_of(2)
    head, added = network.class_layers.out, torch.linspace(-1, 2, network.class_layers.out.in_features)
    other = with_head(network, head.weight.data + added, head.bias.data + 3)
    softmax = [
        open_explainer(
            one,
            methods=[spec_of(method, layer)],
            default_layer=layer,
            example=inputs,
            activation="softmax",
        ).explain(inputs)
        for one in (network, other)
    ]
    assert np.allclose(softmax[0].logits, softmax[1].logits, atol=1e-5)
    assert_equal(softmax[1].maps["map"], softmax[0].maps["map"], 10 * TOLERANCES.get(method, 2e-5))


@pytest.mark.parametrize(("method", "layer"), [case[:2] for case in CASES if case[2] == 2])
def test_a_softmax_of_two_has_the_maps_of_a_sigmoid_of_their_difference(
    networks: Networks, method: str, layer: str
) -> None:
    network, inputs = networks[method, 2], inputs_of(2)
    weight, bias = (
        value.data[:2] for value in (network.class_layers.out.weight, network.class_layers.out.bias)
    )
    two = with_head(network, weight, bias)
    differences = with_head(network, weight - weight.flip(0), bias - bias.flip(0))
    spec = {"methods": [spec_of(method, layer)], "default_layer": layer, "example": inputs}
    softmax = open_explainer(two, **spec, activation="softmax").explain(inputs)
    sigmoid = open_explainer(differences, **spec).explain(inputs)
    assert np.allclose(softmax.logits, sigmoid.logits, atol=1e-5)
    assert_equal(softmax.maps["map"], sigmoid.maps["map"], 10 * TOLERANCES.get(method, 2e-5))


class Reader(nn.Module):
    """A network that reads one corner only: convolution, ReLU, mask, global average pool, linear."""

    def __init__(self, mask: Tensor) -> None:
        """`mask` (*grid): 1 where the network reads, else 0."""
        super().__init__()
        torch.manual_seed(0)
        self.convolution = (nn.Conv2d if mask.dim() == 2 else nn.Conv3d)(1, 4, 3, padding=1)
        self.relu = nn.ReLU()
        self.mask = Mask(mask)
        self.linear = nn.Linear(4, 2)
        for layer in (self.convolution, self.linear):
            layer.weight.data.abs_()
            layer.bias.data.zero_()
        self.linear.weight.data *= mask.numel() / mask.sum()
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.linear(self.mask(self.relu(self.convolution(inputs))).flatten(2).mean(dim=2))


class Mask(nn.Module):
    def __init__(self, mask: Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", mask)

    def forward(self, activations: Tensor) -> Tensor:
        return activations * self.mask


def corners(grid: tuple[int, ...]) -> Iterator[Tensor]:
    """Masks of three corners, a third of every axis wide: the first, flipped along first and last axis."""
    corner = torch.zeros(grid)
    corner[tuple(slice(side // 3) for side in grid)] = 1
    yield from (corner, corner.flip(0), corner.flip(-1))


@pytest.mark.parametrize("grid", [(24, 33), (12, 15, 18)])
@pytest.mark.parametrize(
    "method", [method for method in METHODS if method not in OF_TRANSFORMERS | {"flips"}]
)  # flips marks both sides
def test_a_network_that_reads_one_corner_lights_that_corner(method: str, grid: tuple[int, ...]) -> None:
    rise = {"samples": 1000, "cells": 3, "activation": "none"}
    options = {"occlusion": {"patch": 3}, "rise": rise}.get(method, {})
    inputs = 0.5 + torch.rand(2, 1, *grid, generator=torch.Generator().manual_seed(0))
    for corner in corners(grid):
        explainer = open_explainer(
            Reader(corner), methods=[spec_of(method, "last", **options)], example=inputs
        )
        relevance = relevance_of(explainer, inputs)
        inside = corner.bool().numpy()
        assert relevance[..., inside].mean() > relevance[..., ~inside].mean()
        for found in relevance.reshape(4, *grid):
            assert inside[np.unravel_index(found.argmax(), grid)]


@pytest.mark.parametrize(
    "method", [method for method in METHODS if method not in OF_TRANSFORMERS | {"flips", "rise"}]
)
def test_what_a_network_cannot_see_has_no_relevance(method: str) -> None:
    options = {"occlusion": {"patch": 3}}.get(method, {})
    corner = next(corners((24, 33)))
    inputs = 0.5 + torch.rand(2, 1, 24, 33, generator=torch.Generator().manual_seed(0))
    explainer = open_explainer(Reader(corner), methods=[spec_of(method, "last", **options)], example=inputs)
    relevance = relevance_of(explainer, inputs)
    # The convolution sees one pixel beyond the corner, an occlusion patch of three pixels two more.
    assert np.abs(relevance[..., 11:, :]).max() <= 1e-6 * np.abs(relevance).max()
    assert np.abs(relevance[..., 14:]).max() <= 1e-6 * np.abs(relevance).max()
