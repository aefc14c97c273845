"""Proof: in every architecture the engine's results are those of plain autograd in double precision, to 1e-5.

A gradient is defined on either side of a kink, not on it: where rounding carries the input of a ReLU over
zero, or another cell of a maximum pool to the top, float32 and double precision answer different questions.
One such cell was seen to move a gradient of a ResNet-50 by 6 % of its largest value. Inputs on which that
happens are not used; without them the largest difference seen is 3e-6.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor, nn

from pipeline.attribution.engine import Engine, open_engine
from pipeline.attribution.layers import Call
from tests.attribution.networks import FINDINGS, NETWORKS, built

TOLERANCE = 1e-5
"""Of the largest number, for a network of few layers, whose sums have thousands of terms."""
GRIDS = {2: (64, 48), 3: (32, 32, 64)}
LAYERS = ("last", "stride8")
TRIES = 20
IN_3D = (
    *("DenseNet121", "DenseNet264", "resnet18", "resnet50", "SEResNet50", "efficientnet-b0"),
    *("VGG", "AlexNet", "SqueezeNet"),
)
"""Some of each family, for time; in 2D there are all."""


@dataclass
class Proof:
    """A network and its inputs, read by the engine, and the same in double precision."""

    network: nn.Module
    exact: nn.Module
    inputs: Tensor
    engine: Engine
    tolerance: float


@pytest.fixture(
    scope="module",
    params=[(name, 2) for name in NETWORKS] + [(name, 3) for name in IN_3D],
    ids=lambda param: f"{param[0]}-{param[1]}d",
)
def proof(request: pytest.FixtureRequest) -> Proof:
    name, dimensions = request.param
    network = built(name, dimensions)
    exact = deepcopy(network).double()
    tolerance = max(TOLERANCE, torch.finfo(torch.float32).eps * depth(network))
    inputs = next(inputs for inputs in random_inputs(dimensions) if away_from_kinks(network, exact, inputs))
    return Proof(
        network, exact, inputs, open_engine(network, inputs, layers=LAYERS, memory_mb=1024), tolerance
    )


def depth(network: nn.Module) -> int:
    """The number of layers, each of which may round its numbers by a unit in the last place."""
    return sum(not list(module.children()) for module in network.modules())


def random_inputs(dimensions: int) -> Iterator[Tensor]:
    for seed in range(TRIES):
        yield torch.randn(2, 1, *GRIDS[dimensions], generator=torch.Generator().manual_seed(seed))


def away_from_kinks(network: nn.Module, exact: nn.Module, inputs: Tensor) -> bool:
    """Whether every ReLU and maximum pool decides alike in both precisions, and image by image."""
    wanted = decisions(exact, inputs.double())
    one_by_one = zip(*(decisions(network, image[None]) for image in inputs), strict=True)
    found = [decisions(network, inputs), [torch.cat(parts) for parts in one_by_one]]
    return all(torch.equal(*pair) for one in found for pair in zip(one, wanted, strict=True))


def decisions(network: nn.Module, inputs: Tensor) -> list[Tensor]:
    """What is positive behind each ReLU, and which cell each maximum pool takes."""
    found: list[Tensor] = []

    def pooled(module: nn.Module, inputs: tuple[Tensor]) -> None:
        pool = nn.functional.max_pool2d if isinstance(module, nn.MaxPool2d) else nn.functional.max_pool3d
        found.append(
            pool(
                inputs[0], module.kernel_size, module.stride, module.padding,
                ceil_mode=module.ceil_mode, return_indices=True,
            )[1]
        )  # fmt: skip

    handles = []
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            handles.append(module.register_forward_hook(lambda _m, _i, output: found.append(output > 0)))
        elif isinstance(module, nn.MaxPool2d | nn.MaxPool3d):
            handles.append(module.register_forward_pre_hook(pooled))
    with torch.no_grad():
        network(inputs)
    for handle in handles:
        handle.remove()
    return found


def plain(network: nn.Module, inputs: Tensor, calls: Sequence[Call]) -> list[tuple[Tensor, Tensor]]:
    """Of each call activations (batch, channels, *grid) and gradients (findings, batch, channels, *grid)."""
    kept: dict[str, list[Tensor]] = {call.module: [] for call in calls}
    handles = [
        network.get_submodule(module).register_forward_hook(
            lambda _m, _i, output, outputs=outputs: outputs.append(output) or output.clone()
        )
        for module, outputs in kept.items()
    ]
    logits = network(inputs.clone().requires_grad_())
    for handle in handles:
        handle.remove()
    at = [kept[call.module][call.nth - 1] for call in calls]
    by_finding = [
        torch.autograd.grad(logits[:, finding].sum(), at, retain_graph=True) for finding in range(FINDINGS)
    ]
    return [
        (activations.detach(), torch.stack(gradients))
        for activations, gradients in zip(at, zip(*by_finding, strict=True), strict=True)
    ]


def gradcam(activations: Tensor, gradients: Tensor) -> Tensor:
    return torch.einsum("kbc,bc...->bk...", gradients.flatten(3).sum(dim=3), activations)


def assert_close(ours: Tensor, exact: Tensor, tolerance: float, *, summed: Tensor | None = None) -> None:
    """Rounding is relative to the largest number; in sums that may cancel to `summed`, the terms' sizes."""
    assert ours.dtype == torch.float32
    assert ours.shape == exact.shape
    assert (ours - exact).abs().max() <= tolerance * (exact if summed is None else summed).abs().max()


def test_activations_gradients_and_maps_are_those_of_plain_autograd_in_double_precision(proof: Proof) -> None:
    reading = proof.engine.read(proof.inputs)
    calls = [proof.engine.targets[layer].call for layer in LAYERS]
    for layer, (activations, gradients) in zip(
        LAYERS, plain(proof.exact, proof.inputs.double(), calls), strict=True
    ):
        assert_close(reading.activations(layer), activations, proof.tolerance)
        assert_close(reading.gradients(layer), gradients, proof.tolerance)
        ours = gradcam(reading.activations(layer), reading.gradients(layer))
        summed = gradcam(activations.abs(), gradients.abs())
        assert_close(ours, gradcam(activations, gradients), proof.tolerance, summed=summed)


def test_a_batch_equals_its_images_one_by_one(proof: Proof) -> None:
    together = proof.engine.read(proof.inputs)
    for number, image in enumerate(proof.inputs):
        alone = proof.engine.read(image[None])
        for layer in LAYERS:
            assert_close(together.gradients(layer)[:, number], alone.gradients(layer)[:, 0], proof.tolerance)
            assert_close(together.activations(layer)[number], alone.activations(layer)[0], proof.tolerance)


def test_nothing_of_the_network_is_changed(proof: Proof) -> None:
    network = proof.network
    before = {key: value.clone() for key, value in network.state_dict().items()}
    assert all(parameter.requires_grad for parameter in network.parameters())
    reading = proof.engine.read(proof.inputs)
    for layer in LAYERS:
        reading.gradients(layer)
    reading.scores_with("stride8", reading.activations("stride8"), reading.inputs)
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.parameters())
    assert not any(
        module.training or module._forward_hooks or module._forward_pre_hooks for module in network.modules()
    )
