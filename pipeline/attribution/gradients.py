"""Gradients of all logits at once, at any tensor of their graph."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor

from pipeline.errors import ConfigError


def gradients_of(outputs: Tensor, at: Tensor, *, together: int = 1) -> Tensor:
    """(findings, *at.shape): the gradient of each column of `outputs` (batch, findings).

    `together` columns take one backward pass. Images of a batch do not mix: with batch norm in eval mode a
    logit depends on its own image alone. Where no logit depends on `at` it is a ConfigError.
    """
    if not outputs.requires_grad:
        raise ConfigError("no logit depends on it in a way that can be differentiated")
    columns = torch.eye(outputs.shape[1], dtype=outputs.dtype, device=outputs.device)
    chunks = [_chunk(outputs, at, chosen) for chosen in columns.split(together)]
    return torch.cat(chunks)


def _chunk(outputs: Tensor, at: Tensor, chosen: Tensor) -> Tensor:
    """(number, *at.shape) of the columns that are chosen by (number, findings); one backward pass for all."""
    batched = chosen[:, None].expand(-1, *outputs.shape)
    if len(batched) == 1:
        (gradient,) = torch.autograd.grad(outputs, at, batched[0], retain_graph=True, allow_unused=True)
        gradients = None if gradient is None else gradient[None]
    else:
        (gradients,) = torch.autograd.grad(
            outputs, at, batched, retain_graph=True, allow_unused=True, is_grads_batched=True
        )
    if gradients is None:
        raise ConfigError("no logit depends on it")
    return gradients


def can_be_vectorised(outputs: Tensor, at: Tensor) -> bool:
    """Whether one backward pass can serve several logits: torch has no vectorised form of some operations.

    Those fail, or warn that they are looped over.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            gradients_of(outputs, at, together=2)
        except (RuntimeError, NotImplementedError, UserWarning):
            return False
    return True
