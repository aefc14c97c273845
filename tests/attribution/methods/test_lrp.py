"""LRP: it conserves relevance, epsilon is input × gradient, Captum agrees, what has no rule is refused."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from captum.attr import LRP
from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule, GammaRule
from monai.networks.nets import SEResNet50
from torch import Tensor, nn
from torch.nn import functional

from pipeline.attribution.explainer import open_explainer
from pipeline.errors import ConfigError
from tests.attribution.families import FAMILIES, GRIDS, family
from tests.attribution.methods.test_guided_backprop import WAYS
from tests.attribution.plain import assert_close, explained, random_inputs

RULES = ("epsilon", "gamma", "zplus")
GATED = {"efficientnet", "squeeze-and-excitation"}
"""Networks with a nonlinearity besides ReLU and maximum."""


def spec(rule: str = "zplus", **options: Any) -> dict[str, Any]:
    return {"method": "lrp", "rule": rule, **options}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("name", FAMILIES)
def test_without_biases_the_cells_sum_to_the_logit(name: str, dimensions: int, rule: str) -> None:
    network, inputs = family(name, dimensions, biases=False), random_inputs(2, 1, *GRIDS[dimensions])
    logits = network(inputs).detach()
    sums = explained(network, inputs, spec(rule)).flatten(2).sum(dim=2)
    assert ((sums - logits).abs() <= 1e-4 * logits.abs()).all()


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("name", [name for name in FAMILIES if name not in GATED])
def test_epsilon_zero_is_input_times_gradient_with_biases_too(name: str, dimensions: int) -> None:
    network, inputs = family(name, dimensions).double(), random_inputs(2, 1, *GRIDS[dimensions]).double()
    ours = explained(network, inputs, spec("epsilon", epsilon=0.0))
    assert_close(ours, explained(network, inputs, "input_x_gradient"), tolerance=1e-6)


def test_gamma_lies_between_epsilon_and_zplus() -> None:
    network, inputs = family("densenet"), random_inputs(2, 1, *GRIDS[2])
    epsilon, zplus = (explained(network, inputs, spec(rule)) for rule in ("epsilon", "zplus"))
    assert_close(explained(network, inputs, spec("gamma", gamma=1e5)), zplus, tolerance=1e-3)
    network = family("squeezenet")  # without batch norm, which the composites treat differently
    epsilon = explained(network, inputs, spec("epsilon"))
    assert_close(explained(network, inputs, spec("gamma", gamma=0.0)), epsilon, tolerance=1e-4)


class Plain(nn.Module):
    """Without biases, and without `nn.Flatten`, for which Captum has no rule."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(1, 4, 3, bias=False), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(4, 6, 3, padding=1, bias=False), nn.ReLU(), nn.AdaptiveAvgPool2d(2)),
            *(nn.Conv2d(6, 5, 2, bias=False), nn.ReLU()),
        )
        self.linear = nn.Linear(5, 3, bias=False)
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.linear(self.features(inputs).flatten(1))


@pytest.mark.parametrize(
    ("ours", "theirs"), [("epsilon", EpsilonRule), ("gamma", GammaRule), ("zplus", Alpha1_Beta0_Rule)]
)
def test_lrp_equals_captums(ours: str, theirs: type) -> None:
    torch.manual_seed(0)
    network, inputs = Plain(), random_inputs(2, 1, 20, 18).abs()  # its rules are for positive inputs
    relevance = explained(network, inputs, spec(ours, gamma=0.25))
    maps = []
    for finding in range(3):
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                module.rule = theirs()
        leaf = inputs.clone().requires_grad_()
        maps.append(LRP(network).attribute(leaf, target=finding)[:, 0].detach())
    assert_close(relevance, torch.stack(maps, dim=1))


def test_monais_squeeze_and_excitation_network_is_served() -> None:
    torch.manual_seed(0)
    network, inputs = SEResNet50(spatial_dims=2, in_channels=1, num_classes=1), random_inputs(1, 1, 32, 32)
    relevance = explained(network.eval(), inputs, spec())
    bias = network.last_linear.bias.detach()
    assert_close(relevance.flatten(2).sum(dim=2), network(inputs).detach() - bias)


class Rectified(nn.Module):
    """Σ over pixels of relu(2 x − 1), and no relevance where it is 0."""

    def __init__(self, relu: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.relu = relu
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.relu(inputs * 2 - 1).flatten(1).sum(dim=1, keepdim=True)


@pytest.mark.parametrize("way", WAYS)
def test_a_relu_is_seen_however_it_is_called(way: str) -> None:
    inputs = torch.tensor([[[[0.25, 1.0, 2.0]]]])
    assert explained(Rectified(WAYS[way]), inputs, spec()).tolist() == [[[[0, 2, 4]]]]


REFUSED: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "exponential": (torch.exp, "no rule for Exp,"),
    "square": (lambda x: x * x, "no rule for Mul,"),
    "two of them": (lambda x: x.abs() + x.exp(), "no rule for Abs, Exp,"),
    "sigmoid": (torch.sigmoid, "a sigmoid or softmax that is not a factor"),
    "sigmoid behind a convolution": (
        lambda x: functional.conv2d(torch.sigmoid(x), torch.ones(1, 1, 1, 1)),
        "a sigmoid or softmax that is not a factor",
    ),
    "dynamic convolution": (lambda x: functional.conv2d(x, x), "no rule for Convolution,"),
    # Normalised values sum to 0; 3 more keep the output from looking like a saturated probability.
    "batch statistics": (lambda x: functional.instance_norm(x) + 3, "no rule for NativeBatchNorm,"),
    "group norm": (lambda x: functional.group_norm(x, 1) + 3, "no rule for NativeGroupNorm,"),
    "attention": (lambda x: x @ x.transpose(2, 3), "no rule for Bmm,"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_operation_without_a_rule_is_refused_by_name(case: str) -> None:
    function, complaint = REFUSED[case]
    with pytest.raises(ConfigError, match=f"{complaint}.*use 'integrated_gradients'"):
        explained(Rectified(function), random_inputs(2, 1, 4, 4), spec())


def test_overwriting_what_a_rule_needs_is_refused() -> None:
    def overwriting(values: Tensor) -> Tensor:
        shifted = values + 1  # shared in proportion to the values, which then are no more
        return shifted + values.relu_()

    with pytest.raises(ConfigError, match="torch cannot compute its maps"):
        explained(Rectified(overwriting), random_inputs(2, 1, 4, 4), spec())


@pytest.mark.parametrize("option", ["epsilon", "gamma"])
def test_negative_options_are_refused(option: str) -> None:
    with pytest.raises(ConfigError, match=r"gamma .*; set both to 0 or more"):
        explained(Plain(), random_inputs(2, 1, 20, 18), spec(**{option: -0.1}))


def test_parameters_can_be_trained_afterwards_even_when_a_network_is_refused() -> None:
    network = nn.Sequential(nn.Conv2d(1, 1, 3), nn.Softplus(), nn.Flatten()).eval()
    network[0].bias.requires_grad_(False)
    with pytest.raises(ConfigError, match="Softplus"):
        explained(network, random_inputs(2, 1, 4, 4), spec())
    assert [parameter.requires_grad for parameter in network.parameters()] == [True, False]


def test_a_bound_on_memory_changes_nothing() -> None:
    network, inputs = family("squeezenet"), random_inputs(3, 1, *GRIDS[2])
    explainer = open_explainer(network, methods=[spec()], example=inputs, memory_mb=0.1)
    assert explainer.read(inputs).rows == 1
    (alone,) = explainer.explain(inputs).maps.values()
    assert_close(torch.tensor(alone), explained(network, inputs, spec()))


@pytest.mark.parametrize("name", ["squeezenet", "alexnet"])
def test_shares_are_float32_in_a_network_of_bfloat16(name: str) -> None:
    network, inputs = family(name, biases=False), random_inputs(2, 1, *GRIDS[2])
    network, inputs = network.to(torch.bfloat16), inputs.to(torch.bfloat16)
    sums = explained(network, inputs, spec()).flatten(2).sum(dim=2)
    assert_close(sums, network(inputs).detach().float(), tolerance=3e-3)
