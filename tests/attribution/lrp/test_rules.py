"""The rules of LRP, each worked by hand on a unit or two."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.attribution.plain import explained

RULES = ("epsilon", "gamma", "zplus")


class Row(nn.Module):
    """The sum of what a function makes of a row of pixels, as the one logit."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.function(inputs).flatten(1).sum(dim=1, keepdim=True)


class Filter(nn.Module):
    """One unit that sees the whole row, and perhaps a batch norm behind it."""

    def __init__(
        self, weights: list[float], bias: float = 0.0, norm: tuple[float, float] | None = None
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, 1, (1, len(weights)))
        self.convolution.weight.data = torch.tensor([[[weights]]], dtype=torch.float32)
        self.convolution.bias.data = torch.tensor([float(bias)])
        self.norm = nn.Identity() if norm is None else batch_norm(*norm)
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.norm(self.convolution(inputs)).flatten(1)


def batch_norm(scale: float, shift: float) -> nn.Module:
    norm = nn.BatchNorm2d(1, eps=0).eval()
    norm.weight.data, norm.bias.data = torch.tensor([float(scale)]), torch.tensor([float(shift)])
    return norm


def relevance(network: nn.Module, pixels: list[float], rule: str, **options: Any) -> list[float]:
    inputs = torch.tensor([[[pixels]]], dtype=torch.float32)
    return explained(network, inputs, {"method": "lrp", "rule": rule, **options}).flatten().tolist()


def test_terms_of_a_positive_unit() -> None:
    # Terms 2, -2, 3; z = 3. With gamma 1 the positive ones count twice: 4, -2, 6 of 8.
    unit, pixels = Filter([2, -1, 1]), [1.0, 2.0, 3.0]
    assert relevance(unit, pixels, "epsilon") == pytest.approx([2, -2, 3])
    assert relevance(unit, pixels, "gamma", gamma=1.0) == pytest.approx([3 * 4 / 8, -3 * 2 / 8, 3 * 6 / 8])
    assert relevance(unit, pixels, "zplus") == pytest.approx([3 * 2 / 5, 0, 3 * 3 / 5])


def test_epsilon_absorbs() -> None:
    assert relevance(Filter([2, -1, 1]), [1.0, 2.0, 3.0], "epsilon", epsilon=1.0) == pytest.approx(
        [3 * 2 / 4, -3 * 2 / 4, 3 * 3 / 4]
    )
    # A negative sum is made more negative: terms 2, -6; z = -4.
    assert relevance(Filter([2, -3]), [1.0, 2.0], "epsilon", epsilon=1.0) == pytest.approx(
        [4 * 2 / 5, -4 * 6 / 5]
    )


def test_a_positive_bias_takes_its_share() -> None:
    # z = 4; the bias 1 is among the positive terms.
    unit, pixels = Filter([2, -1, 1], bias=1), [1.0, 2.0, 3.0]
    assert relevance(unit, pixels, "epsilon") == pytest.approx([2, -2, 3])
    assert relevance(unit, pixels, "gamma", gamma=1.0) == pytest.approx([4 * 4 / 10, -4 * 2 / 10, 4 * 6 / 10])
    assert relevance(unit, pixels, "zplus") == pytest.approx([4 * 2 / 6, 0, 4 * 3 / 6])


def test_a_negative_bias_is_a_negative_term() -> None:
    # z = 2; gamma shares 4, -2, 6 and -1 of 7, z-plus 2 and 3 of 5.
    unit, pixels = Filter([2, -1, 1], bias=-1), [1.0, 2.0, 3.0]
    assert relevance(unit, pixels, "gamma", gamma=1.0) == pytest.approx([2 * 4 / 7, -2 * 2 / 7, 2 * 6 / 7])
    assert relevance(unit, pixels, "zplus") == pytest.approx([2 * 2 / 5, 0, 2 * 3 / 5])


def test_negative_pixels_with_negative_weights_are_positive_terms() -> None:
    # Terms 2, -2, 3 again, from pixels of both signs.
    unit, pixels = Filter([-2, -1, 1]), [-1.0, 2.0, 3.0]
    assert relevance(unit, pixels, "epsilon") == pytest.approx([2, -2, 3])
    assert relevance(unit, pixels, "gamma", gamma=1.0) == pytest.approx([3 * 4 / 8, -3 * 2 / 8, 3 * 6 / 8])
    assert relevance(unit, pixels, "zplus") == pytest.approx([3 * 2 / 5, 0, 3 * 3 / 5])


def test_a_negative_unit_is_shared_among_its_negative_terms() -> None:
    # Terms -2, -2, 3 and the bias -1; z = -2. Gamma shares -4, -4, 3 and -2 of -7, z-plus -2 and -2 of -5.
    unit, pixels = Filter([2, -1, 1], bias=-1), [-1.0, 2.0, 3.0]
    assert relevance(unit, pixels, "epsilon") == pytest.approx([-2, -2, 3])
    assert relevance(unit, pixels, "gamma", gamma=1.0) == pytest.approx([-2 * 4 / 7, -2 * 4 / 7, 2 * 3 / 7])
    assert relevance(unit, pixels, "zplus") == pytest.approx([-2 * 2 / 5, -2 * 2 / 5, 0])


def test_batch_norm_is_merged_into_the_convolution_before_it() -> None:
    # z = 3 becomes -z + 5 = 2: the weights turn round, to terms -2, 2, -3, and the bias is 5.
    unit, pixels = Filter([2, -1, 1], norm=(-1, 5)), [1.0, 2.0, 3.0]
    assert relevance(unit, pixels, "epsilon") == pytest.approx([-2, 2, -3])
    assert relevance(unit, pixels, "zplus") == pytest.approx([0, 2 * 2 / 7, 0])
    assert relevance(unit, pixels, "gamma", gamma=1.0) == pytest.approx([-2 * 2 / 9, 2 * 4 / 9, -2 * 3 / 9])


def test_merging_sees_the_bias_of_the_convolution_and_the_mean_of_the_batch_norm() -> None:
    # (2 x + 1 - 0.5) · 4 / 2 + 3 = 4 x + 4 at x = 1: half for the pixel.
    unit = Filter([2], bias=1, norm=(4, 3))
    unit.norm.running_mean.fill_(0.5)
    unit.norm.running_var.fill_(4)
    for rule in RULES:
        assert relevance(unit, [1.0], rule, gamma=0.0) == pytest.approx([4])


def test_batch_norm_without_a_convolution_before_it_by_the_absolute_rule() -> None:
    # 2 x - 1 of 1 and 2 is 1 and 3, of which the pixels get 2/3 and 4/5; by the epsilon rule 2 x.
    network = Row(nn.Sequential(batch_norm(2, -1), nn.ReLU()))
    assert relevance(network, [1.0, 2.0], "epsilon") == pytest.approx([2, 4])
    for rule in ("gamma", "zplus"):
        assert relevance(network, [1.0, 2.0], rule) == pytest.approx([2 / 3, 3 * 4 / 5])


def test_linear_layers_follow_the_epsilon_rule_in_every_composite() -> None:
    linear = nn.Linear(2, 1)
    linear.weight.data, linear.bias.data = torch.tensor([[2.0, -3.0]]), torch.tensor([5.0])
    for rule in RULES:  # terms 2, -3, 5; z = 4, and 4 of 5 with epsilon 1
        network = Row(nn.Sequential(nn.Flatten(), linear))
        assert relevance(network, [1.0, 1.0], rule, epsilon=1.0) == pytest.approx([2 * 4 / 5, -3 * 4 / 5])


OPERATIONS: dict[str, tuple[Callable[[Tensor], Tensor], list[float], list[float]]] = {
    # a residual: 1 + 2 and 2 + 1, each shared as 1 : 2
    "an addition": (lambda x: x + x.flip(-1), [1, 2], [2, 4]),
    "an addition in place": (lambda x: x.clone().add_(x.flip(-1)), [1, 2], [2, 4]),
    "a difference": (lambda x: 3 * x - x.flip(-1), [1, 2], [3 - 1, 6 - 2]),
    "a constant takes its share": (lambda x: x + 1, [1, 2], [1, 2]),
    "a constant less the image": (lambda x: 1 - x, [2, 3], [-2, -3]),
    "a constant factor": (lambda x: (x + 1) * 2, [1, 2], [2, 4]),
    "a constant divisor": (lambda x: (x + 1) / 2, [1, 2], [0.5, 1]),
    "an average pool": (lambda x: functional.avg_pool2d(x, (1, 2)), [1, 3, 0, 4], [0.5, 1.5, 0, 2]),
    "an adaptive pool": (lambda x: functional.adaptive_avg_pool2d(x, (1, 2)), [1, 3, 0, 4], [0.5, 1.5, 0, 2]),
    "a mean": (lambda x: x.mean(dim=3), [1, 3], [0.5, 1.5]),
    "a maximum pool": (lambda x: functional.max_pool2d(x, (1, 2)), [1, 3, 5, 4], [0, 3, 5, 0]),
    # 1, 3/4 · 1 + 1/4 · 5, 1/4 · 1 + 3/4 · 5 and 5: twice each pixel
    "an interpolation": (
        lambda x: functional.interpolate(x, scale_factor=(1, 2), mode="bilinear"),
        [1, 5],
        [2, 10],
    ),
    "padding": (lambda x: functional.pad(x, (1, 1), value=7.0)[..., 1:], [1, 3], [1, 3]),
    "a concatenation": (lambda x: torch.cat([x[..., :1], x], dim=3), [1, 3], [2, 3]),
    "a gate": (lambda x: x * torch.sigmoid(x.mean(dim=3, keepdim=True) - 2), [1, 3], [0.5, 1.5]),
    "a gate first": (lambda x: torch.sigmoid(x.mean(dim=3) - 2).view(1, 1, 1, 1) * x, [1, 3], [0.5, 1.5]),
    "leaky": (lambda x: functional.leaky_relu(x - 1, 0.5), [3, 0.5], [3, 0.25]),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_other_operations(operation: str, rule: str) -> None:
    function, pixels, expected = OPERATIONS[operation]
    assert relevance(Row(function), pixels, rule) == pytest.approx(expected)


def test_channels_are_summed() -> None:
    linear = nn.Linear(2, 1, bias=False)
    linear.weight.data = torch.tensor([[2.0, -3.0]])
    inputs = torch.tensor([[[[5.0]], [[1.0]]]])
    assert explained(Row(nn.Sequential(nn.Flatten(), linear)), inputs, "lrp").item() == pytest.approx(10 - 3)
