"""Gradients of all logits with respect to any tensor of their autograd graph."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from pipeline.errors import ConfigError

REMEDY = "choose another layer, or a method without gradients such as 'occlusion'"
"""What to do if a gradient does not exist; ends error messages."""


def gradients_of(outputs: Tensor, at: Tensor, *, name: str = "the input", logits_per_pass: int = 1) -> Tensor:
    """Gradient of each column of `outputs` (batch, findings) with respect to `at`, (findings, *at.shape).

    `logits_per_pass` columns share one backward pass. Images of a batch do not mix: with batch norm in eval
    mode, a logit depends only on its own image. Raises ConfigError, which calls `at` by `name`, if no logit
    depends on it.
    """
    if not outputs.requires_grad:
        raise ConfigError(f"{name}: no logit depends on it through differentiable operations; {REMEDY}")
    columns = torch.eye(outputs.shape[1], dtype=outputs.dtype, device=outputs.device)
    chunks = [_chunk(outputs, at, selection, name) for selection in columns.split(logits_per_pass)]
    return torch.cat(chunks)


def _chunk(outputs: Tensor, at: Tensor, selection: Tensor, name: str) -> Tensor:
    """Gradients (number, *at.shape) of the columns selected by (number, findings), in one backward pass."""
    batched = selection[:, None].expand(-1, *outputs.shape)
    if len(batched) == 1:
        (gradient,) = torch.autograd.grad(outputs, at, batched[0], retain_graph=True, allow_unused=True)
        gradients = None if gradient is None else gradient[None]
    else:
        (gradients,) = torch.autograd.grad(
            outputs, at, batched, retain_graph=True, allow_unused=True, is_grads_batched=True
        )
    if gradients is None:
        raise ConfigError(f"{name}: no logit depends on it; {REMEDY}")
    return gradients


def can_be_vectorised(outputs: Tensor, at: Tensor) -> bool:
    """Whether one backward pass can compute the gradients of several logits.

    Operations without a vectorised form in torch raise an error, or warn that torch loops over them.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            gradients_of(outputs, at, logits_per_pass=2)
        except (RuntimeError, NotImplementedError, UserWarning):
            return False
    return True
