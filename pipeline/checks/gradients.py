"""Gradient check: the engine's gradients, closed form or partial backward pass, equal plain autograd."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from pipeline.contracts import LoadedModel
from pipeline.errors import CheckError

TOLERANCES = {torch.float32: 1e-3, torch.bfloat16: 2e-2}
"""Tolerance by precision of the network's input, relative to the largest gradient.

Rounding errors stay below 1e-4 in float32 and were 5e-3 in bfloat16 (DenseNet-121, stride 8).
"""


def gradients_equal_autograd(model: LoadedModel) -> str:
    """Largest relative difference over findings and layers, and the input if a method reads it."""
    differences = [difference for pair in _pairs(model) for difference in _differences(*pair)]
    worst = float(torch.stack(differences).max())  # unlike the built-in max, keeps NaN
    tolerance = TOLERANCES[model.example.dtype]
    if not worst <= tolerance:
        raise CheckError(
            f"the engine's gradients differ from plain autograd by {worst:.1e} of the largest gradient "
            f"(at most {tolerance:.0e} allowed), so maps would be wrong; choose another target layer"
        )
    return f"largest difference {worst:.1e} of the largest gradient"


def _pairs(model: LoadedModel) -> Iterator[tuple[Tensor, Iterator[Tensor]]]:
    """Gradients (findings, batch, channels, *grid) of the engine and of autograd, per layer and input."""
    reading = model.read(model.example)
    for layer, (module, nth) in model.layers.items():
        plain = _autograd(model.network, model.example, module=module, nth=nth)
        yield reading.gradients(layer), (reading.on_grid(layer, gradient) for gradient in plain)
    if model.reads_input:  # one image only, because the graph spans the whole network
        one = model.example[:1]
        yield model.read(one).input_gradients(), _autograd(model.network, one)


def _differences(gradients: Tensor, references: Iterable[Tensor]) -> Iterator[Tensor]:
    """Largest difference per finding, relative to the largest gradient of the reference."""
    for gradient, reference in zip(gradients, references, strict=True):
        scale = reference.abs().max().clamp_min(torch.finfo(torch.float32).tiny)
        yield (gradient.float() - reference).abs().max() / scale


def _autograd(
    network: nn.Module, inputs: Tensor, *, module: str | None = None, nth: int = 1
) -> Iterator[Tensor]:
    """Gradient of each logit with respect to a module's output or the input, by full autograd passes."""
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
    target = leaf if module is None else kept[nth - 1]
    if not (logits.requires_grad and target.requires_grad):
        raise CheckError(
            "it computes without gradients (torch.no_grad, inference_mode or detach in its forward), "
            "so maps cannot be compared with autograd; leave these out of its forward"
        )
    for finding in range(logits.shape[1]):
        (gradient,) = torch.autograd.grad(logits[:, finding].sum(), target, retain_graph=True)
        yield gradient.float()
