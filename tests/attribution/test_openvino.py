"""OpenVINO: the compiled graph gives what torch gives, or is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from monai.networks.nets import DenseNet
from torch import Tensor, nn

from pipeline.attribution.explainer import Explainer, open_explainer
from pipeline.attribution.openvino import compiled, openvino
from pipeline.errors import ConfigError
from tests.attribution.networks import FlatHead, GapHead

EXACT = 1e-5
"""Relative to the largest value, in float32."""


def densenet(dimensions: int = 2) -> nn.Module:
    torch.manual_seed(0)
    network = DenseNet(
        spatial_dims=dimensions,
        in_channels=1,
        out_channels=3,
        init_features=8,
        growth_rate=4,
        block_config=(2, 2),
        bn_size=2,
    )
    return network.eval()


def inputs(dimensions: int = 2, count: int = 3) -> Tensor:
    torch.manual_seed(1)
    return torch.randn(count, 1, *(32, 24, 16)[:dimensions])


def opened(network: nn.Module, example: Tensor, methods: Sequence[str] = ("gradcam", "cam")) -> Explainer:
    return open_explainer(network, methods=methods, example=example)


def apart(ours: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.abs(ours - wanted).max() / np.abs(wanted).max())


@pytest.fixture(scope="module")
def explainer() -> Explainer:
    return opened(densenet(), inputs())


@pytest.fixture(scope="module")
def fast(explainer: Explainer) -> Explainer:
    return compiled(explainer, example=inputs())


@pytest.mark.parametrize("findings", [2, 3])
def test_the_compiled_graph_gives_log_odds_and_their_maps(findings: int) -> None:
    network, batch = densenet(), inputs()
    head = network.class_layers.out
    head.weight.data, head.bias.data = 4 * head.weight.data[:findings], head.bias.data[:findings]
    by_torch = open_explainer(network, methods=["gradcam", "cam"], example=batch, activation="softmax")
    ours, wanted = compiled(by_torch, example=batch).explain(batch), by_torch.explain(batch)
    assert apart(ours.logits, wanted.logits) < EXACT
    for name, relevance in wanted.maps.items():
        assert apart(ours.maps[name], relevance) < EXACT


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_compiled_graph_gives_what_torch_gives(dimensions: int) -> None:
    batch = inputs(dimensions)
    by_torch = opened(densenet(dimensions), batch)
    ours, wanted = compiled(by_torch, example=batch).explain(batch), by_torch.explain(batch)
    assert ours.logits.dtype == np.float32
    assert apart(ours.logits, wanted.logits) < EXACT
    assert list(ours.maps) == ["gradcam", "cam"]
    for name, relevance in wanted.maps.items():
        assert ours.maps[name].shape == relevance.shape
        assert apart(ours.maps[name], relevance) < EXACT


def test_a_hand_worked_head() -> None:
    """Two channels of 1 × 2 cells; logit = weights · mean + bias, map = weights · activations."""
    network = GapHead([[1.0, -2.0], [0.5, 4.0]], [0.25, 0.0])
    image = torch.tensor([[[[1.0, 3.0]], [[2.0, 0.0]]]])
    example = torch.cat([image, 2 * image])
    found = compiled(opened(network, example), example=example).explain(example)
    assert found.maps["cam"][0].tolist() == [[[-3.0, 3.0]], [[8.5, 1.5]]]
    assert found.logits[0].tolist() == [0.25, 5.0]  # means 0 and 5, plus the bias
    assert found.maps["cam"][1].tolist() == [[[-6.0, 6.0]], [[17.0, 3.0]]]


def test_an_in_place_relu_behind_the_layer_does_not_reach_the_map() -> None:
    """The cell below 0 counts 0 in the logit, so the layer before the ReLU is no head, but the ReLU is."""
    network = GapHead([[1.0]], [0.0], inplace=True)
    example = torch.tensor([[[[-4.0, 2.0]]], [[[-1.0, 6.0]]]])
    found = compiled(opened(network, example, ["cam@relu"]), example=example).explain(example)
    assert found.maps["cam@relu"][0].tolist() == [[[0.0, 2.0]]]
    assert found.logits[:, 0].tolist() == [1.0, 3.0]


class Shifted(nn.Module):
    """Activations → GAP → linear for the logits; behind the capture they are overwritten in place."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Identity()
        self.linear = nn.Linear(1, 1, bias=False)
        nn.init.ones_(self.linear.weight)
        self.eval()

    def forward(self, batch: Tensor) -> Tensor:
        activations = self.features(batch.clone())
        logits = self.linear(activations.mean(dim=(2, 3)))
        activations.mul_(0)
        return logits + 0 * activations.sum()


def test_activations_that_are_overwritten_later_are_kept() -> None:
    example = torch.tensor([[[[1.0, 2.0]]], [[[3.0, 4.0]]]])
    found = compiled(opened(Shifted(), example, ["cam@features"]), example=example).explain(example)
    assert found.maps["cam@features"][:, 0, 0].tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_a_batch_of_any_size_is_the_same_to_the_last_bit(fast: Explainer) -> None:
    batch = inputs(count=7)
    together = fast.explain(batch)
    for row in (0, 3, 6):
        alone = fast.explain(batch[row : row + 1])
        np.testing.assert_array_equal(alone.logits[0], together.logits[row])
        np.testing.assert_array_equal(alone.maps["cam"][0], together.maps["cam"][row])


def test_inputs_may_lie_in_memory_as_they_like(fast: Explainer) -> None:
    batch = inputs().to(memory_format=torch.channels_last)
    transposed = inputs().transpose(2, 3).contiguous().transpose(2, 3)
    for other in (batch, transposed):
        np.testing.assert_array_equal(fast.explain(other).logits, fast.explain(inputs()).logits)


def test_all_but_the_explanation_is_the_torch_explainers(explainer: Explainer, fast: Explainer) -> None:
    assert fast.methods == explainer.methods
    assert fast.targets == explainer.targets
    assert [fast.unit(method) for method in fast.methods] == ["logit", "logit"]
    assert torch.equal(fast.read(inputs()).logits, explainer.read(inputs()).logits)


def test_nothing_of_the_network_is_changed() -> None:
    network = GapHead([[1.0], [2.0]], [0.0, 0.5])
    before = {name: value.clone() for name, value in network.state_dict().items()}
    compiled(opened(network, inputs()), example=inputs()).explain(inputs())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert not any(module.training or module._forward_hooks for module in network.modules())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in network.parameters())


@pytest.mark.skipif(
    "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"),
    reason="this CPU does not compute in bfloat16",
)
def test_bfloat16_rounds_and_float32_does_not(explainer: Explainer, fast: Explainer) -> None:
    wanted = explainer.explain(inputs()).logits
    rounded = compiled(explainer, example=inputs(), precision="bfloat16").explain(inputs()).logits
    assert apart(fast.explain(inputs()).logits, wanted) < EXACT < apart(rounded, wanted) < 0.03


class Picky(nn.Module):
    """A GAP head whose way depends on the numbers, which no fixed graph can follow."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Identity()
        self.linear = nn.Linear(1, 1)
        self.eval()

    def forward(self, batch: Tensor) -> Tensor:
        activations = self.features(batch.clone())
        if batch.sum() > 1e9:
            return activations.amax(dim=(2, 3))
        return self.linear(activations.mean(dim=(2, 3)))


@pytest.mark.parametrize(
    ("network", "methods", "complaint"),
    [
        (densenet, ["saliency"], r"^methods: saliency: backend openvino supports only cam and gradcam;"),
        (densenet, ["layercam"], r"^methods: layercam: backend openvino supports only cam and gradcam;"),
        (densenet, ["gradcam", "gradcam@stride4"], r"^methods: gradcam@stride4: .* computes no gradients"),
        (
            lambda: FlatHead(torch.ones(2, 1, 32, 24)),
            ["gradcam@features"],
            "is not followed by a global average pool",
        ),
        (
            Picky,
            ["cam@features"],
            r"^backend: openvino cannot convert the network; set backend: torch$",
        ),
    ],
)
def test_what_cannot_be_compiled_is_refused_with_the_reason(
    network: Callable[[], nn.Module], methods: list[str], complaint: str
) -> None:
    explainer = opened(network(), inputs(), methods)
    with pytest.raises(ConfigError, match=complaint):
        compiled(explainer, example=inputs())


def test_another_device_or_precision_of_the_network_is_refused(explainer: Explainer) -> None:
    with pytest.raises(ConfigError, match=r"runs float32 networks on the CPU, found torch\.bfloat16 on cpu"):
        compiled(explainer, example=inputs().bfloat16())
    with pytest.raises(ConfigError, match=r"found torch\.float32 on meta; set device: cpu"):
        compiled(explainer, example=inputs().to("meta"))


def test_a_precision_that_the_cpu_lacks_is_refused(
    explainer: Explainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino.Core, "get_property", lambda *_: ["FP32", "INT8"])
    with pytest.raises(ConfigError, match="this CPU does not compute in bfloat16; set precision: float32"):
        compiled(explainer, example=inputs(), precision="bfloat16")


def test_nothing_is_reported_to_anybody(tmp_path: Path) -> None:
    """OpenVINO counts its users, by an id below the home folder, as soon as it is imported."""
    code = (
        "import sys, warnings\nfrom pipeline.attribution import BACKENDS\nBACKENDS['openvino']\n"
        "import openvino.tools.ovc.convert_impl as convert\n"
        "assert convert.tm.__name__ == 'openvino.tools.ovc.telemetry_stub', convert.tm\n"
        "assert not sys.modules.get('openvino_telemetry')\n"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "HOME": str(tmp_path)},
    )
    assert list(tmp_path.iterdir()) == []


def test_without_openvino_the_complaint_names_the_extra() -> None:
    code = (
        "import sys\nsys.modules['openvino'] = None\n"
        "from pipeline.attribution import BACKENDS\nfrom pipeline.errors import ConfigError\n"
        "try:\n    BACKENDS['openvino']\nexcept ConfigError as error:\n    print(error)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert ended.stdout.startswith(
        "backend: openvino is not installed; run pip install 'heatproof[openvino]'"
    )
    assert "heatproof[openvino]" in ended.stdout
