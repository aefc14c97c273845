"""Gradient check: the engine's gradients (closed form or differentiated tail) equal plain autograd."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from pipeline.contracts import LoadedModel
from pipeline.errors import CheckError

TOLERANCES = {torch.float32: 1e-3, torch.bfloat16: 2e-2}
"""Relative to the largest gradient, by the precision of the network's input.

Rounding through a deep tail stays under 1e-4 in float32 and was 5e-3 in bfloat16 (DenseNet-121, stride 8).
"""


def gradients_equal_autograd(model: LoadedModel) -> str:
    """The largest relative difference over all layers, the input where a method reads it, and findings."""
    differences = [difference for pair in _pairs(model) for difference in _differences(*pair)]
    worst = float(torch.stack(differences).max())  # NaN stays NaN, which the built-in max would lose
    tolerance = TOLERANCES[model.example.dtype]
    if not worst <= tolerance:
        raise CheckError(
            f"the engine's gradients differ from plain autograd by {worst:.1e} of the largest "
            f"(at most {tolerance:.0e} allowed): the maps would be wrong; choose another target layer"
        )
    return f"largest difference {worst:.1e} of the largest gradient"


def _pairs(model: LoadedModel) -> Iterator[tuple[Tensor, Iterator[Tensor]]]:
    """Gradients (findings, batch, channels, *grid) of the engine, and by definition, finding by finding."""
    reading = model.read(model.example)
    for layer, (module, nth) in model.layers.items():
        yield reading.gradients(layer), _autograd(model.network, model.example, module=module, nth=nth)
    if model.reads_input:  # of one image, for the whole network is differentiated
        one = model.example[:1]
        yield model.read(one).input_gradients(), _autograd(model.network, one)


def _differences(ours: Tensor, plain: Iterable[Tensor]) -> Iterator[Tensor]:
    for one, other in zip(ours, plain, strict=True):
        scale = other.abs().max().clamp_min(torch.finfo(torch.float32).tiny)
        yield (one.float() - other).abs().max() / scale


def _autograd(
    network: nn.Module, inputs: Tensor, *, module: str | None = None, nth: int = 1
) -> Iterator[Tensor]:
    """The gradient of each logit at a module, or at the input, by whole forward and backward passes."""
    leaf = inputs.detach().clone().requires_grad_()
    kept: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: object) -> Tensor | None:
        if not isinstance(output, Tensor):
            return None
        kept.append(output)
        return output.clone()

    handles = [] if module is None else [network.get_submodule(module).register_forward_hook(keep)]
    try:
        with torch.enable_grad():
            logits = network(leaf.clone())
    finally:
        for handle in handles:
            handle.remove()
    at = leaf if module is None else kept[nth - 1]
    for finding in range(logits.shape[1]):
        (gradient,) = torch.autograd.grad(logits[:, finding].sum(), at, retain_graph=True)
        yield gradient.float()
