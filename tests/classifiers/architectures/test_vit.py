"""ViT: the network that MONAI's file of weights was trained with, and cards whose sizes do not fit."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from monai.networks import nets
from monai.networks.blocks import patchembedding, selfattention
from torch import Tensor, nn

from pipeline.attribution.explainer import open_explainer
from pipeline.classifiers.networks import build_network
from pipeline.errors import ConfigError
from tests.classifiers.architectures.networks import card_of, fill, wave_image

SMALL: dict[str, Any] = {
    "img_size": [64, 48], "patch_size": [16, 8], "hidden_size": 24, "mlp_dim": 40, "num_layers": 2,
    "num_heads": 3,
}  # fmt: skip


class Rearrange(nn.Module):
    """The three orders that MONAI's ViT takes from einops, which its installation lacks by default."""

    def __init__(self, pattern: str, **sizes: int) -> None:
        super().__init__()
        self.pattern, self.sizes = pattern, sizes

    def forward(self, values: Tensor) -> Tensor:
        sizes = self.sizes
        if self.pattern == "b h (qkv l d) -> qkv b l h d":
            return values.unflatten(2, (sizes["qkv"], sizes["l"], -1)).permute(2, 0, 3, 1, 4)
        if self.pattern == "b l h d -> b h (l d)":
            return values.transpose(1, 2).flatten(2)
        assert self.pattern == "b c (h p1) (w p2) -> b (h w) (p1 p2 c)"
        cut = values.unflatten(3, (-1, sizes["p2"])).unflatten(2, (-1, sizes["p1"]))
        return cut.permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)


@pytest.mark.parametrize("proj_type", ["conv", "perceptron"])
@pytest.mark.parametrize("qkv_bias", [False, True])
@pytest.mark.parametrize("post_activation", ["Tanh", "none"])
def test_tensors_and_outputs_are_those_of_monai(
    monkeypatch: pytest.MonkeyPatch, proj_type: str, post_activation: str, *, qkv_bias: bool
) -> None:
    for module in (patchembedding, selfattention):
        monkeypatch.setattr(module, "Rearrange", Rearrange)
    options = {"proj_type": proj_type, "qkv_bias": qkv_bias, "post_activation": post_activation, **SMALL}
    monais = nets.ViT(3, spatial_dims=2, classification=True, num_classes=2, **options).eval().double()
    fill(monais)
    ours = build_network(card_of("ViT", size=(64, 48), **options)).eval().double()
    ours.load_state_dict(monais.state_dict())
    image = wave_image(64, 48)
    with torch.no_grad():
        torch.testing.assert_close(ours(image), monais(image)[0], rtol=1e-9, atol=1e-9)


def test_what_a_card_leaves_out_is_as_in_monai(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (patchembedding, selfattention):
        monkeypatch.setattr(module, "Rearrange", Rearrange)
    with torch.device("meta"):
        monais = nets.ViT(3, 64, 16, spatial_dims=2, classification=True)
        ours = build_network_on_meta({"img_size": 64, "patch_size": 16})
    shapes = {key: tensor.shape for key, tensor in monais.state_dict().items()}
    assert {key: tensor.shape for key, tensor in ours.state_dict().items()} == shapes
    assert isinstance(ours.classification_head[1], nn.Tanh)


def build_network_on_meta(arguments: dict[str, Any]) -> nn.Module:
    from pipeline.classifiers.architectures.vit import ViT  # noqa: PLC0415  beside monai's of the same name

    return ViT(in_channels=3, out_channels=2, **arguments)


@pytest.mark.parametrize(
    ("size", "arguments", "complaint"),
    [
        ((48, 64), {}, r"cannot compute an input of 48 x 64 px; enlarge .*, or set it to the size that the"),
        ((64, 64), {}, "cannot compute an input of 64 x 64 px"),
        ((64, 48), {"num_heads": 5}, r"ViT cannot be built with .*num_heads=5"),
        ((64, 48), {"img_size": [64, 48, 1]}, r"img_size"),
        ((64, 48), {"patch_size": 0}, r"patch_size"),
        ((64, 48), {"classification": False}, r"classification"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(
    size: tuple[int, int], arguments: dict[str, Any], complaint: str
) -> None:
    with pytest.raises((ConfigError, ValueError), match=complaint):
        build_network(card_of("ViT", size=size, **{**SMALL, **arguments}))


@pytest.mark.parametrize("proj_type", ["conv", "perceptron"])
def test_its_tokens_lie_where_its_patches_do(proj_type: str) -> None:
    network = build_network(card_of("ViT", size=(64, 48), proj_type=proj_type, **SMALL)).eval()
    fill(network)
    inputs = torch.rand(2, 3, 64, 48, generator=torch.Generator().manual_seed(0))
    call = open_explainer(network, methods=["gradcam"], example=inputs).targets["last"].call
    assert (call.module, call.tokens, call.grid) == ("blocks.1.norm1", (1, 0), (4, 6))
    assert call.cells is not None
    assert [(axis.start, axis.step) for axis in call.cells] == [(7.5, 16), (3.5, 8)]


def test_a_head_of_layers_replaces_the_linear_one_behind_the_class_token() -> None:
    network = build_network(
        card_of("ViT", size=(64, 48), ending={"head": [{"linear": 5}, "linear"]}, **SMALL)
    )
    assert [tuple(layer.weight.shape) for layer in network.classification_head[0]] == [(5, 24), (2, 5)]
