"""SmoothGrad: the mean over noisy copies, worked by hand on networks whose maps are their inputs."""

import pytest
import torch

from pipeline.attribution.explainer import open_explainer
from pipeline.errors import ConfigError
from tests.attribution.networks import GapHead
from tests.attribution.plain import CROSS, assert_close, densenet, explained, random_inputs

SPEC = {"method": "smoothgrad", "of": "gradcam"}
AS_IT_IS = GapHead(weights=[[1.0]], bias=[0.0])
"""Its map is its input, where that is not below 0."""


@pytest.mark.parametrize("method", ["gradcam", "layercam@features.denseblock1", "scorecam", "findings"])
@pytest.mark.parametrize("grid", [(48, 32), (32, 24, 16)])
def test_one_sample_without_noise_is_the_method(method: str, grid: tuple[int, ...]) -> None:
    network, inputs = densenet(len(grid)), random_inputs(2, 1, *grid)
    of = {"method": "findings", "of": "gradcam"} if method == "findings" else method
    smooth = explained(network, inputs, {"method": "smoothgrad", "of": of, "samples": 1, "sigma": 0})
    assert_close(smooth, explained(network, inputs, of), tolerance=1e-6)


def test_noise_is_a_share_of_each_images_range_and_the_same_for_every_image() -> None:
    ramp = torch.linspace(0, 1, 40 * 50).reshape(1, 40, 50)
    inputs = torch.stack([100 + 2 * ramp, 100 + 10 * ramp])
    relevance = explained(AS_IT_IS, inputs, SPEC | {"samples": 1, "sigma": 0.25})
    noise = relevance - inputs
    assert_close(noise[1], noise[0] * 5, tolerance=1e-3)
    assert noise[0].std().item() == pytest.approx(0.25 * 2, rel=0.05)  # 2000 cells: a standard error of 1.6 %
    assert noise[0].mean().item() == pytest.approx(0, abs=4 * 0.5 / 2000**0.5)


def test_the_mean_of_n_samples_has_noise_smaller_by_the_root_of_n() -> None:
    inputs = 100 + torch.linspace(0, 1, 40 * 50).reshape(1, 1, 40, 50)
    noise = explained(AS_IT_IS, inputs, SPEC | {"samples": 16, "sigma": 0.2}) - inputs
    assert noise.std().item() == pytest.approx(0.2 / 4, rel=0.08)


def test_an_image_without_contrast_gets_no_noise() -> None:
    inputs = torch.stack([torch.full((1, 5, 5), 3.0), CROSS[None]])
    relevance = explained(AS_IT_IS, inputs, SPEC | {"samples": 2})
    assert torch.equal(relevance[0, 0], torch.full((5, 5), 3.0))
    assert not torch.equal(relevance[1, 0], CROSS)


def test_another_seed_is_other_noise() -> None:
    first, again, second = (
        explained(AS_IT_IS, CROSS[None, None], SPEC | {"samples": 2, "seed": seed}) for seed in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, second)


def test_the_seed_of_everybody_else_is_left_alone() -> None:
    torch.manual_seed(7)
    wanted = torch.rand(3)
    torch.manual_seed(7)
    explained(AS_IT_IS, CROSS[None, None], SPEC)
    assert torch.equal(torch.rand(3), wanted)


def test_smoothgrad_of_the_input_gradient_is_the_mean_over_noisy_images() -> None:
    network, inputs = densenet(), random_inputs(2, 1, 32, 32)
    relevance = explained(network, inputs, {"method": "smoothgrad", "of": "gradcam@features", "samples": 3})
    generator = torch.Generator().manual_seed(0)
    reach = 0.15 * (inputs.amax((1, 2, 3)) - inputs.amin((1, 2, 3)))[:, None, None, None]
    copies = [inputs + reach * torch.randn(1, 32, 32, generator=generator) for _ in range(3)]
    assert_close(relevance, sum(explained(network, copy, "gradcam@features") for copy in copies) / 3)


def test_a_tight_memory_bound_changes_nothing() -> None:
    network, inputs = densenet(), random_inputs(5, 1, 48, 32)
    bounded = open_explainer(network, methods=[SPEC], example=inputs, memory_mb=0.5)
    assert bounded.read(inputs).rows < 5
    (maps,) = bounded.explain(inputs).maps.values()
    assert_close(torch.tensor(maps), explained(network, inputs, SPEC))


@pytest.mark.parametrize("wrong", [{"samples": 0}, {"sigma": -0.1}])
def test_no_sample_and_less_than_no_noise_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="set samples to at least 1 and sigma to at least 0"):
        explained(AS_IT_IS, CROSS[None, None], SPEC | wrong)
