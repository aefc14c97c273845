"""Plain: the maps of one method as tensors, and the quantities of the papers in double precision."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from monai.networks.nets import DenseNet
from torch import Tensor, nn

from pipeline.attribution.explainer import open_explainer
from pipeline.records import Cells

CROSS = torch.tensor(
    [
        [0.0, 0, 1, 0, 0],
        [0, 0, 1, 0, 0],
        [1, 1, 1, 1, 1],
        [0, 0, 1, 0, 0],
        [0, 0, 1, 0, 0],
    ]
)
"""Nine cells."""
CORNER = torch.zeros(5, 5)
CORNER[0, 0] = 4.0
PLACES = ("last", "features", "features.transition1.relu", "features.denseblock1")
"""Layers of `densenet`: behind a ReLU, the first with the closed form, and not."""


def explained(
    network: nn.Module, inputs: Tensor, method: str | Mapping[str, Any], layer: str = "last"
) -> Tensor:
    """The method's maps (batch, findings, *grid), by way of the explainer."""
    explainer = open_explainer(network, methods=[method], default_layer=layer, example=inputs)
    (maps,) = explainer.explain(inputs).maps.values()
    return torch.tensor(maps)


def module_of(network: nn.Module, inputs: Tensor, layer: str) -> str:
    explainer = open_explainer(network, methods=["gradcam"], default_layer=layer, example=inputs)
    return explainer.targets[layer].call.module


def densenet(dimensions: int = 2, *, mirrored: bool = False) -> nn.Module:
    """A small DenseNet with batch norm statistics unlike 0 and 1; `mirrored`: kernels are symmetric."""
    torch.manual_seed(0)
    network = DenseNet(dimensions, 1, 3, init_features=8, growth_rate=4, block_config=(2, 2)).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2)
        if mirrored and isinstance(module, nn.Conv2d | nn.Conv3d):
            module.weight.data = (module.weight.data + module.weight.data.flip(-1)) / 2
    return network


def random_inputs(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def interpolated(maps: Tensor, cells: Sequence[Cells], sides: Sequence[int]) -> Tensor:
    """Maps (batch, maps, *grid) at every pixel of the input, by numpy's interpolation axis by axis."""
    values = maps.double().numpy()
    for dim, (axis, side) in enumerate(zip(cells, sides, strict=True), start=2):
        centres = axis.start + axis.step * np.arange(axis.size)
        values = np.apply_along_axis(
            lambda line, c=centres, n=side: np.interp(np.arange(n), c, line), dim, values
        )
    return torch.from_numpy(values)


def cells_of(network: nn.Module, inputs: Tensor, method: str | Mapping[str, Any], layer: str = "last") -> Any:
    """Where the cells of the method's maps lie, per axis."""
    explainer = open_explainer(network, methods=[method], default_layer=layer, example=inputs)
    (cells,) = explainer.explain(inputs).cells.values()
    return cells


def activations_and_gradients(network: nn.Module, inputs: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """(batch, channels, *grid) and (findings, batch, channels, *grid), one autograd call a finding."""
    exact = deepcopy(network).double()
    kept: list[Tensor] = []
    module = exact.get_submodule(module_of(network, inputs, layer))
    module.register_forward_hook(lambda _m, _i, output: kept.append(output) or output.clone())
    logits = exact(inputs.double().requires_grad_())
    gradients = [torch.autograd.grad(logits[:, k].sum(), kept[-1], retain_graph=True)[0] for k in range(3)]
    return kept[-1].detach(), torch.stack(gradients)


def assert_close(ours: Tensor, exact: Tensor, tolerance: float = 1e-5) -> None:
    assert ours.shape == exact.shape
    assert (ours - exact).abs().max() <= tolerance * exact.abs().max()
