"""Transformers of torchvision and timm, where they are installed: the same tokens, places and maps.

Networks with the operations of theirs are tested in any case, in `test_transformers.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from importlib import import_module
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from pipeline.attribution.explainer import open_explainer
from pipeline.records import Cells
from tests.attribution.plain import assert_close, explained, random_inputs

SMALL = {"num_heads": 3, "num_classes": 3}
VIT = {"img_size": (64, 48), "embed_dim": 24, "depth": 2, **SMALL}
SIXTEENS = (Cells(7.5, 16, 4), Cells(7.5, 16, 3))
EIGHTS = (Cells(3.5, 8, 8), Cells(3.5, 8, 6))
Found = tuple[str, tuple[int, int] | None, tuple[Cells, ...]]


def of_timm(name: str, **arguments: Any) -> nn.Module:
    return library("timm").create_model(name, **arguments)


def of_torchvision(name: str, *sizes: Any) -> nn.Module:
    return getattr(library("torchvision.models"), name)(*sizes, num_classes=3)


def library(name: str) -> Any:
    try:
        return import_module(name)
    except (ImportError, RuntimeError) as error:  # RuntimeError: it was built for another torch
        pytest.skip(f"{name} cannot be imported beside this torch ({type(error).__name__}): it is an extra")


NETWORKS: dict[str, tuple[Callable[[], nn.Module], Found]] = {
    "torchvision ViT": (
        lambda: of_torchvision("VisionTransformer", 64, 16, 2, 3, 24, 48),
        ("encoder.layers.encoder_layer_1.ln_1", (1, 0), (SIXTEENS[0], SIXTEENS[0])),
    ),
    "torchvision Swin": (
        lambda: of_torchvision("SwinTransformer", [4, 4], 24, [2, 2], [3, 6], [4, 4]),
        ("permute", None, EIGHTS),
    ),
    "timm ViT": (lambda: of_timm("vit_tiny_patch16_224", **VIT), ("blocks.1.norm1", (1, 0), SIXTEENS)),
    "timm ViT, mean": (
        lambda: of_timm("vit_tiny_patch16_224", global_pool="avg", **VIT),
        ("norm", (1, 0), SIXTEENS),
    ),
    "timm DeiT, distilled": (
        lambda: of_timm("deit_tiny_distilled_patch16_224", **VIT),
        ("blocks.1.norm1", (2, 0), SIXTEENS),
    ),
    "timm DINOv2, registers": (
        lambda: of_timm("vit_small_patch14_reg4_dinov2", **VIT | {"img_size": (56, 42)}),
        ("blocks.1.norm1", (5, 0), (Cells(6.5, 14, 4), Cells(6.5, 14, 3))),
    ),
    "timm Swin": (
        lambda: of_timm(
            "swin_tiny_patch4_window7_224", img_size=(64, 48), window_size=4, depths=(2, 2), embed_dim=24,
            num_heads=(3, 6), num_classes=3,
        ),
        ("norm", None, EIGHTS),
    ),
}  # fmt: skip
"""Network, and module, tokens beside the grid and cells of its layer "last"."""
OF_TIMM = [name for name in NETWORKS if name.startswith("timm") and "Swin" not in name]


def lively(name: str) -> tuple[nn.Module, Tensor]:
    """The network with weights of which none is as small as at the start of training, and a batch."""
    torch.manual_seed(0)
    network = NETWORKS[name][0]().eval().requires_grad_(requires_grad=False)
    for parameter in network.parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, std=0.3)
    sides = (64, 64) if name == "torchvision ViT" else (56, 42) if "DINO" in name else (64, 48)
    return network, random_inputs(2, 3, *sides)


@pytest.mark.parametrize("name", NETWORKS)
def test_last_is_where_patches_still_matter_and_its_map_that_of_plain_autograd(name: str) -> None:
    network, inputs = lively(name)
    explainer = open_explainer(network, methods=["gradcam"], example=inputs)
    call = explainer.targets["last"].call
    assert (call.module, call.tokens, call.cells) == NETWORKS[name][1]
    exact, kept = deepcopy(network).double(), []
    exact.get_submodule(call.module).register_forward_hook(lambda _m, _i, output: kept.append(output))
    logits = exact(inputs.double().requires_grad_())
    maps = [on_grid(kept[0], logits[:, k], call.tokens, call.grid) for k in range(3)]
    found = torch.from_numpy(explainer.explain(inputs).maps["gradcam"])
    assert_close(found, torch.stack(maps, dim=1), 1e-4)


def on_grid(values: Tensor, logit: Tensor, beside: tuple[int, int] | None, grid: tuple[int, ...]) -> Tensor:
    """Grad-CAM (batch, *grid) of values whose gradient is taken."""
    (gradient,) = torch.autograd.grad(logit.sum(), values, retain_graph=True)
    if beside is not None:
        patches = slice(beside[0], values.shape[1] - beside[1])
        weights = gradient[:, patches].sum(dim=1, keepdim=True)
        return (weights * values[:, patches]).sum(dim=2).detach().unflatten(1, grid)
    channels = 1 if values.shape[2:] == grid else 3
    cells = [dim for dim in (1, 2, 3) if dim != channels]
    return (gradient.sum(dim=cells, keepdim=True) * values).sum(dim=channels).detach()


@pytest.mark.parametrize("name", OF_TIMM)
def test_chefers_relevance_is_that_of_the_attention_that_timm_computes_without_fused_kernels(
    name: str,
) -> None:
    network, inputs = lively(name)
    exact, attention = deepcopy(network).double(), []
    for block in exact.blocks:
        block.attn.fused_attn = False
        block.attn.attn_drop.register_forward_hook(lambda _m, _i, output: attention.append(output))
    logits = exact(inputs.double().requires_grad_())
    before, grid = NETWORKS[name][1][1][0], [axis.size for axis in NETWORKS[name][1][2]]
    rows = {1: [0], 2: [0, 1], 5: [0]}[before] if "mean" not in name else list(range(1, 13))
    maps = []
    for finding in range(3):
        gradients = torch.autograd.grad(logits[:, finding].sum(), attention, retain_graph=True)
        itself = relevance = torch.eye(attention[0].shape[-1]).double()
        for block, gradient in zip(attention, gradients, strict=True):
            relevance = relevance + (block * gradient).clamp(min=0).mean(dim=1).detach() @ relevance
        maps.append((relevance - itself)[:, rows].mean(dim=1)[:, before:].unflatten(1, grid))
    assert_close(explained(network, inputs, "chefer"), torch.stack(maps, dim=1), 1e-4)
