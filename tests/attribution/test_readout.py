"""Readout: outputs that are no findings are left out, and each finding keeps its own output."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pipeline.attribution import METHODS
from pipeline.attribution.explainer import Explainer, open_explainer
from pipeline.attribution.log_odds import log_odds
from pipeline.attribution.openvino import compiled
from pipeline.attribution.readout import ALL, Readout, readout_of, with_readout, without_readout
from pipeline.errors import ConfigError
from tests.attribution.networks import GapHead
from tests.attribution.plain import assert_close, densenet, random_inputs
from tests.attribution.transformers import OF_TRANSFORMERS
from tests.contracts.test_attribution_laws import HEADS_ONLY, layers_of, spec_of

EXPLAINED = (False, True, False, True, False)
ROWS = [1, 3]
"""Of five outputs, those that are findings."""
CASES = [
    (method, layer)
    for method in METHODS
    for layer in layers_of(method)
    if layer in {"last", "stride4"} and method not in OF_TRANSFORMERS
]
TWO = torch.tensor([[[[1.0, 3.0]], [[2.0, 0.0]]]])
"""One image of two channels and two cells, with means 2 and 1."""


def five_outputs() -> nn.Module:
    network = densenet()
    head = network.class_layers.out
    generator = torch.Generator().manual_seed(4)
    network.class_layers.out = nn.Linear(head.in_features, 5)
    network.class_layers.out.weight.data = torch.randn(5, head.in_features, generator=generator)
    return network.eval()


def only(network: nn.Module, rows: list[int]) -> nn.Module:
    """The network whose head has these rows alone."""
    alone = deepcopy(network)
    head = alone.class_layers.out
    head.weight.data, head.bias.data = head.weight.data[rows], head.bias.data[rows]
    return alone


def opened(network: nn.Module, method: str, layer: str, inputs: Tensor, **options: object) -> Explainer:
    spec = spec_of(method, layer)
    return open_explainer(network, methods=[spec], default_layer=layer, example=inputs, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("method", "layer"), CASES)
def test_maps_and_logits_are_those_of_a_network_without_the_other_outputs(method: str, layer: str) -> None:
    network, inputs = five_outputs(), random_inputs(2, 1, 48, 29)
    found = opened(network, method, layer, inputs, explained=EXPLAINED).explain(inputs)
    wanted = opened(only(network, ROWS), method, layer, inputs).explain(inputs)
    assert_close(torch.tensor(found.logits), torch.tensor(wanted.logits), 1e-5)
    assert_close(torch.tensor(found.maps["map"]), torch.tensor(wanted.maps["map"]), 1e-4)


@pytest.mark.parametrize(("method", "layer"), [case for case in CASES if case[0] != "findings"])
def test_in_a_softmax_the_other_outputs_count(method: str, layer: str) -> None:
    network, inputs = five_outputs(), random_inputs(2, 1, 48, 29)
    found = opened(network, method, layer, inputs, explained=EXPLAINED, activation="softmax").explain(inputs)
    wanted = opened(network, method, layer, inputs, activation="softmax").explain(inputs)
    assert_close(torch.tensor(found.logits), torch.tensor(wanted.logits[:, ROWS]), 1e-5)
    assert_close(torch.tensor(found.maps["map"]), torch.tensor(wanted.maps["map"][:, ROWS]), 1e-4)


@pytest.mark.parametrize("layer", ["last", "stride4"])
@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_gradcam_is_that_of_double_precision_autograd(activation: str, layer: str) -> None:
    network, inputs = five_outputs().double(), random_inputs(2, 1, 48, 32).double()
    explainer = opened(network, "gradcam", layer, inputs, explained=EXPLAINED, activation=activation)
    ours = torch.tensor(explainer.explain(inputs).maps["map"])
    kept: list[Tensor] = []
    module = network.get_submodule(explainer.targets[layer].call.module)
    handle = module.register_forward_hook(lambda _m, _i, output: kept.append(output) or output.clone())
    outputs = network(inputs.clone().requires_grad_())
    handle.remove()
    for place, row in enumerate(ROWS):
        p = outputs.softmax(dim=1)[:, row]
        value = (p / (1 - p)).log() if activation == "softmax" else outputs[:, row]
        (gradient,) = torch.autograd.grad(value.sum(), kept[-1], retain_graph=True)
        exact = (gradient.sum(dim=(2, 3), keepdim=True) * kept[-1]).sum(dim=1).detach()
        assert float((ours[:, place] - exact).abs().max() / exact.abs().max()) < 1e-5


def test_the_cam_of_one_class_beside_normal_by_hand() -> None:
    network = GapHead([[1.0, 0.0], [3.0, -4.0]], [0.5, 0.0])
    found = open_explainer(
        network, methods=["cam"], example=TWO, activation="softmax", explained=[False, True]
    ).explain(TWO)
    # The difference of the rows, finding less normal, is (2, -4); the logits are 2.5 and 2.
    assert found.maps["cam"].tolist() == [[[[2 * 1 - 4 * 2, 2 * 3 - 4 * 0]]]]
    assert found.logits.tolist() == [[-0.5]]


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_the_compiled_graph_leaves_the_same_outputs_out(activation: str) -> None:
    network, inputs = five_outputs(), random_inputs(2, 1, 48, 32)
    specs = ["gradcam", "cam"]
    by_torch = open_explainer(
        network, methods=specs, example=inputs, activation=activation, explained=EXPLAINED
    )  # type: ignore[arg-type]
    ours, wanted = compiled(by_torch, example=inputs).explain(inputs), by_torch.explain(inputs)
    for one, other in ((ours.logits, wanted.logits), *((ours.maps[s], wanted.maps[s]) for s in specs)):
        assert one.shape == other.shape
        assert np.abs(one - other).max() / np.abs(other).max() < 1e-4


@pytest.mark.parametrize("count", [2, 4])
def test_another_number_of_outputs_is_refused(count: int) -> None:
    inputs = random_inputs(2, 1, 48, 32)
    with pytest.raises(ConfigError, match=rf"5 listed for {count} outputs of the network; list one"):
        opened(only(five_outputs(), [*range(count)]), "gradcam", "last", inputs, explained=EXPLAINED)


@pytest.mark.parametrize("readout", [Readout(odds=True), Readout(explained=EXPLAINED)])
def test_the_network_keeps_its_outputs_its_modules_and_their_names(readout: Readout) -> None:
    network, inputs = five_outputs(), random_inputs(2, 1, 48, 32)
    read, outputs = with_readout(network, readout), network(inputs)
    wanted = log_odds(outputs) if readout.odds else outputs[:, ROWS]
    assert_close(read(inputs), wanted)
    assert (readout_of(network), readout_of(read)) == (ALL, readout)
    assert [*read.named_modules()][1:] == [*network.named_modules()][1:]
    assert without_readout(network) is network
    assert_close(without_readout(read)(inputs), outputs)
    assert readout_of(read) == readout
    assert_close(deepcopy(read)(inputs), wanted)


def test_a_pooled_head_is_found_behind_the_readout() -> None:
    assert {"cam"} == HEADS_ONLY
    explainer = opened(five_outputs(), "gradcam", "last", random_inputs(2, 1, 48, 32), explained=EXPLAINED)
    assert explainer.targets["last"].tail is not None
