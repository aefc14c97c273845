"""Gradient check: the engine's gradients (closed form or differentiated tail) equal plain autograd."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from pipeline.contracts import LoadedModel
from pipeline.errors import CheckError

TOLERANCES = {torch.float32: 1e-3, torch.bfloat16: 2e-2}
"""Relative to the largest gradient, by the precision of the network's input.

Rounding through a deep tail stays under 1e-4 in float32 and was 5e-3 in bfloat16 (DenseNet-121, stride 8).
"""


def gradients_equal_autograd(model: LoadedModel) -> str:
    """The largest relative difference over all layers and findings."""
    reading = model.read(model.example)
    differences = []
    for layer, (module, nth) in model.layers.items():
        ours = reading.gradients(layer).float()
        plain_of = _autograd(model.network, model.example, module=module, nth=nth)
        for finding, plain in enumerate(plain_of):
            scale = plain.abs().max().clamp_min(torch.finfo(torch.float32).tiny)
            differences.append((ours[finding] - plain).abs().max() / scale)
    worst = float(torch.stack(differences).max())  # NaN stays NaN, which the built-in max would lose
    tolerance = TOLERANCES[model.example.dtype]
    if not worst <= tolerance:
        raise CheckError(
            f"the engine's gradients differ from plain autograd by {worst:.1e} of the largest "
            f"(at most {tolerance:.0e} allowed): the maps would be wrong; choose another target layer"
        )
    return f"largest difference {worst:.1e} of the largest gradient"


def _autograd(network: nn.Module, inputs: Tensor, *, module: str, nth: int) -> Iterator[Tensor]:
    """The gradient of each finding's logit at one module, by whole forward and backward passes."""
    kept: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        kept.append(output)
        return output.clone()

    handle = dict(network.named_modules())[module].register_forward_hook(keep)
    try:
        with torch.enable_grad():
            logits = network(inputs.detach().requires_grad_())
    finally:
        handle.remove()
    for finding in range(logits.shape[1]):
        (gradient,) = torch.autograd.grad(logits[:, finding].sum(), kept[nth - 1], retain_graph=True)
        yield gradient.float()
