"""Explainer: three lines in a notebook, from any network to maps; and what is refused at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pipeline.attribution import METHODS, explainer
from pipeline.attribution.explainer import Explainer, open_explainer
from pipeline.errors import ConfigError
from tests.attribution.networks import VGG, FlatHead, GapHead


def lines_of_the_docstring() -> str:
    """The code that the module shows a reader."""
    shown = [line.strip() for line in (explainer.__doc__ or "").splitlines() if line.startswith("    ")]
    assert len(shown) == 3
    return "\n".join(shown)


@pytest.mark.parametrize("grid", [(32, 48), (16, 32, 32)], ids=["2d", "3d"])
def test_the_three_lines_that_the_module_shows_explain_any_network(grid: tuple[int, ...]) -> None:
    network, inputs = VGG(len(grid)).eval(), torch.rand(2, 1, *grid)
    names: dict[str, Any] = {"network": network, "inputs": inputs}
    exec(lines_of_the_docstring(), names)
    assert names["relevance"].shape == (2, 2, *(side // 16 for side in grid))
    assert names["relevance"].dtype == np.float32
    assert set(names["explainer"].explain(inputs).maps) == {"gradcam", "layercam@stride8"}
    with torch.no_grad():
        assert np.allclose(names["explainer"].explain(inputs).logits, network(inputs), atol=1e-6)


def opened(network: nn.Module, *methods: Any, inputs: Tensor | None = None, **options: Any) -> Explainer:
    example = torch.rand(2, 1, 8, 8) if inputs is None else inputs
    return open_explainer(network, methods=methods, example=example, **options)


def units(found: Explainer) -> dict[str, str]:
    return {method.name: found.unit(method) for method in found.methods}


POOLED = GapHead(weights=[[1.0], [-2.0]], bias=[0.0, 0.0])
FLAT = FlatHead(torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(0)))


def test_units_are_logits_where_the_method_and_the_head_make_them_so() -> None:
    assert units(opened(POOLED, "gradcam", "cam", "eigencam", "input_x_gradient")) == {
        "gradcam": "logit",
        "cam": "logit",
        "eigencam": "relative",
        "input_x_gradient": "logit",
    }
    assert units(opened(FLAT, "gradcam@features"))["gradcam@features"] == "relative"


def test_the_unit_of_a_wrapper_that_keeps_it_is_that_of_what_it_wraps() -> None:
    found = opened(POOLED, {"method": "flips", "of": "gradcam"}, {"method": "flips", "of": "eigencam"})
    assert units(found) == {"flips(gradcam)": "logit", "flips(eigencam)": "relative"}
    assert units(opened(FLAT, {"method": "flips", "of": "gradcam@features"})) == {
        "flips(gradcam@features)": "relative"
    }


def test_the_modules_that_a_method_reads_are_named() -> None:
    network = VGG().eval()
    wrapper = {"method": "layers", "of": ["gradcam@stride4", "gradcam@stride2", "saliency"]}
    found = opened(network, "gradcam", "saliency", wrapper, inputs=torch.rand(2, 1, 32, 32))
    assert [found.modules(method) for method in found.methods] == [
        ("features",), (), ("features.13", "features.8"),
    ]  # fmt: skip


def test_maps_of_the_input_lie_on_its_grid_and_maps_of_a_layer_on_that_of_the_layer() -> None:
    found = opened(VGG().eval(), "saliency", "gradcam@stride4", inputs=torch.rand(2, 1, 32, 24))
    maps = found.explain(torch.rand(3, 1, 32, 24)).maps
    assert {name: relevance.shape for name, relevance in maps.items()} == {
        "saliency": (3, 2, 32, 24),
        "gradcam@stride4": (3, 2, 8, 6),
    }


@pytest.mark.parametrize(
    ("network", "method", "complaint"),
    [
        (FLAT, "cam@features", "method 'cam' at layer 'features': the layer is not followed by a global"),
        (FLAT, "guided_backprop", "no ReLU"),
        (FLAT, "gradcam@stride4", "layer 'stride4': the network has no activation of stride 4, only [1]"),
        (
            FLAT,
            "gradcam@featurs",
            "layer 'featurs': the network has no such module; did you mean 'features'?",
        ),
        (FLAT, "saliency@features", "methods: saliency@features: saliency takes no layer"),
        (FLAT, "gradcma", "methods: unknown attribution method 'gradcma'; did you mean 'gradcam'?"),
        (FLAT, {"method": "rise", "sample": 3}, "methods: rise: sample: unknown option of rise"),
    ],
)
def test_a_method_that_the_network_cannot_support_is_refused_at_start(
    network: nn.Module, method: Any, complaint: str
) -> None:
    with pytest.raises(ConfigError) as error:
        opened(network, method)
    assert complaint in str(error.value)


class Frozen(torch.autograd.Function):
    """An operation that has no gradient."""

    @staticmethod
    def forward(_ctx: Any, values: Tensor) -> Tensor:
        return values * 1


class NoGradient(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.features, self.linear = nn.Identity(), nn.Linear(1, 2)
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.linear(Frozen.apply(self.features(inputs)).square().mean(dim=(2, 3)))


def test_an_error_of_torch_names_the_method_but_not_torchs_text() -> None:
    complaint = (
        r"^methods: gradcam@features: the method fails on this network \(torch cannot compute [^)]*\); "
    )
    with pytest.raises(ConfigError, match=complaint):
        opened(NoGradient(), "gradcam@features")
    opened(NoGradient(), "eigencam@features")


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_weights_that_are_not_finite_are_refused(value: float) -> None:
    network = VGG().eval()
    network.classifier[-1].bias.data[0] = value
    with pytest.raises(ConfigError, match="the network gives values that are not finite; check weights"):
        opened(network, "gradcam", inputs=torch.rand(2, 1, 32, 32))


def test_the_memory_bound_reaches_the_methods() -> None:
    inputs = torch.rand(4, 1, 32, 32)
    assert opened(VGG().eval(), "saliency", inputs=inputs, memory_mb=1e-3).read(inputs).rows == 1
    assert opened(VGG().eval(), "saliency", inputs=inputs).read(inputs).rows > 4


@pytest.mark.parametrize("shape", [(1, 4, 4), (1, 1, 4, 4), (2, 3, 4, 4), (1, 3, 4)])
def test_maps_of_a_wrong_shape_are_refused_with_the_method(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...]
) -> None:
    broken = replace(METHODS["saliency"], maps=lambda _forward: torch.zeros(shape))
    monkeypatch.setitem(METHODS._loaded, "saliency", broken)
    with pytest.raises(
        ConfigError, match=r"methods: saliency: found maps of shape .*, wanted \(1, 3, 8, 8\): images"
    ):
        open_explainer(
            GapHead([[1.0], [2.0], [3.0]], [0.0] * 3), methods=["saliency"], example=torch.rand(2, 1, 8, 8)
        )


def test_an_error_in_a_methods_own_code_names_the_method(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = replace(METHODS["saliency"], maps=lambda forward: forward.no_such_thing)
    monkeypatch.setitem(METHODS._loaded, "saliency", broken)
    with pytest.raises(
        ConfigError, match=r"methods: saliency: the method fails on this network \(.*no_such_thing"
    ):
        open_explainer(
            GapHead([[1.0], [2.0], [3.0]], [0.0] * 3), methods=["saliency"], example=torch.rand(2, 1, 8, 8)
        )
