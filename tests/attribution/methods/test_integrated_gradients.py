"""Integrated Gradients, worked by hand, its completeness, and against Captum."""

from typing import Any

import pytest
import torch
from captum.attr import IntegratedGradients
from torch import Tensor, nn

from pipeline.attribution.absence import absent
from pipeline.attribution.explainer import open_explainer
from pipeline.errors import ConfigError
from tests.attribution.families import GRIDS, family, layers
from tests.attribution.networks import FlatHead
from tests.attribution.plain import assert_close, explained, random_inputs


class Product(nn.Module):
    """The product of an image's pixels, over all of its channels."""

    def __init__(self) -> None:
        super().__init__()
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.flatten(1).prod(dim=1, keepdim=True)


def spec(**options: Any) -> dict[str, Any]:
    return {"method": "integrated_gradients", **options}


def test_two_factors_share_their_product() -> None:
    # On the way t · (2, 3) the gradient is t · (3, 2), on average (1.5, 1): each gets half of 6.
    inputs = torch.tensor([[[[2.0, 3.0]]]])
    assert explained(Product(), inputs, spec()).flatten().tolist() == pytest.approx([3, 3])


def test_the_right_riemann_sum_of_four_steps_by_hand() -> None:
    # (1 + 2 + 3 + 4) / 4 / 4 = 5/8 of the gradient at the end.
    inputs = torch.tensor([[[[2.0, 3.0]]]])
    relevance = explained(Product(), inputs, spec(steps=4, quadrature="riemann"))
    assert relevance.flatten().tolist() == pytest.approx([2 * 3 * 5 / 8, 3 * 2 * 5 / 8])


def test_channels_are_summed_and_the_way_begins_at_the_baseline() -> None:
    # From (1, 1) to (2, 3): the gradient of the product, (b, a), is on average (2, 1.5); times (1, 2).
    inputs = torch.tensor([[[[2.0]], [[3.0]]]])
    assert explained(Product(), inputs, spec(baseline=1.0)).item() == pytest.approx(1 * 2 + 2 * 1.5)


def test_the_darkest_pixel_is_found_channel_by_channel_and_image_by_image() -> None:
    inputs = torch.tensor([[[[2.0, 1.0]], [[3.0, 9.0]]], [[[0.0, 5.0]], [[-4.0, 7.0]]]])
    assert absent(inputs, "minimum").flatten().tolist() == [1, 3, 0, -4]
    assert absent(inputs, 0.5).flatten().tolist() == [0.5] * 4
    assert absent(inputs, 0.5).shape == (2, 2, 1, 1)


@pytest.mark.parametrize(("dimensions", "baseline"), [(2, 0.0), (2, -1.0), (2, "minimum"), (3, 0.0)])
def test_the_cells_sum_to_what_the_logit_rose_by(dimensions: int, baseline: float | str) -> None:
    network, inputs = smooth(dimensions), random_inputs(2, 1, *GRIDS[dimensions])
    relevance = explained(network, inputs, spec(baseline=baseline, steps=24))
    start = absent(inputs, baseline).expand_as(inputs)
    risen = (network(inputs) - network(start)).detach()
    assert_close(
        relevance.flatten(2).sum(dim=2),
        risen,
    )


def smooth(dimensions: int) -> nn.Module:
    """Without ReLUs: at a bend a quadrature is off."""
    convolution, *_ = layers(dimensions)
    torch.manual_seed(0)
    features = [convolution(1, 4, 3), nn.Tanh(), convolution(4, 4, 3, stride=2), nn.SiLU()]
    return nn.Sequential(*features, nn.Flatten(), nn.LazyLinear(3)).eval()


@pytest.mark.parametrize(
    ("ours", "theirs"), [("gauss_legendre", "gausslegendre"), ("riemann", "riemann_right")]
)
def test_integrated_gradients_equal_captums(ours: str, theirs: str) -> None:
    network, inputs = family("densenet"), random_inputs(2, 1, *GRIDS[2])
    captum = IntegratedGradients(network)
    maps = [captum.attribute(inputs, -2.0, target=k, n_steps=7, method=theirs)[:, 0] for k in range(3)]
    relevance = explained(network, inputs, spec(steps=7, quadrature=ours, baseline=-2.0))
    assert_close(relevance, torch.stack(maps, dim=1).float())


def test_the_weights_of_the_steps_are_float32_in_a_network_of_bfloat16() -> None:
    # Three times a third, rounded to bfloat16, is 1.002; all else here is exact.
    network = FlatHead(torch.tensor([[[[2.0, -3.0]]]])).to(torch.bfloat16)
    inputs = torch.tensor([[[[1.0, 0.5]]]], dtype=torch.bfloat16)
    relevance = explained(network, inputs, spec(steps=3, quadrature="riemann"))
    assert relevance.flatten().tolist() == pytest.approx([2, -1.5], rel=1e-6)


def test_steps_go_through_the_network_a_few_at_a_time() -> None:
    network, inputs = family("resnet"), random_inputs(2, 1, *GRIDS[2])
    explainer = open_explainer(network, methods=[spec(steps=5)], example=inputs, memory_mb=1)
    assert explainer.read(inputs).rows < 5
    (few,) = explainer.explain(inputs).maps.values()
    assert_close(torch.tensor(few), explained(network, inputs, spec(steps=5)))


def test_less_than_one_step_is_refused() -> None:
    with pytest.raises(ConfigError, match="steps: found 0, wanted 1 or more; set for example 32"):
        explained(Product(), torch.ones(1, 1, 1, 2), spec(steps=0))
