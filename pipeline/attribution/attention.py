"""Attention: the probabilities with which tokens attend to each other, as tensors to read and to change.

Fused kernels never make them. So a `TorchFunctionMode` computes every attention as softmax · values while the
network runs, however the network calls it; the network is not modified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from pipeline.attribution.heads import TOLERANCE, TOLERANCES
from pipeline.contracts import Forward
from pipeline.errors import ConfigError

SQUARE = 4
"""Dimensions of probabilities (batch, heads, queries, keys)."""
GRAPHS = 8
"""Memory of the graph of attention divided by that of the network, whose kernels are fused: of a ViT-B, 4 for
197 tokens and 8 for 1025."""


class AttentionMode(TorchFunctionMode):
    """Inside `with`, the probabilities (…, queries, keys) of every attention pass through `change`."""

    def __init__(self, change: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.change = change
        self.unsupported: list[str] = []
        """Why attentions were left as they are."""

    def __torch_function__(self, function: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if function is functional.scaled_dot_product_attention:
            return self._attended(*args, **kwargs)
        if function is functional.multi_head_attention_forward:
            return self._of_heads(*args, **kwargs)
        output = function(*args, **kwargs)
        is_softmax = getattr(function, "__name__", "") == "softmax"
        return self.change(output) if is_softmax and _is_over_keys(output, *args[1:2], **kwargs) else output

    def _attended(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        attn_mask: Tensor | None = None,
        dropout_p: float = 0.0,
        is_causal: bool = False,  # noqa: FBT001, FBT002  torch's signature
        scale: float | None = None,
        enable_gqa: bool = False,  # noqa: FBT001, FBT002
    ) -> Tensor:
        """`functional.scaled_dot_product_attention` in evaluation mode, as its documentation defines it."""
        if is_causal or enable_gqa or dropout_p:
            self.unsupported.append("attention that is causal, shares keys between heads, or drops some")
            return functional.scaled_dot_product_attention(
                query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa
            )
        scores = query @ key.mT * (query.shape[-1] ** -0.5 if scale is None else scale)
        if attn_mask is not None:
            hides = attn_mask.dtype == torch.bool
            scores = scores.masked_fill(~attn_mask, -torch.inf) if hides else scores + attn_mask
        return self.change(scores.softmax(dim=-1)) @ value

    def _of_heads(
        self, query: Tensor, key: Tensor, value: Tensor, width: int, heads: int, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor | None]:
        """`functional.multi_head_attention_forward` of tokens (tokens, batch, channels) to each other."""
        given = dict(zip(OF_HEADS, args, strict=False)) | kwargs
        if (query is not key or key is not value) or any(given.get(name) is not None for name in UNUSUAL):
            self.unsupported.append("nn.MultiheadAttention with masks, more keys, or queries of other tokens")
            found: tuple[Tensor, Tensor | None] = functional.multi_head_attention_forward(
                query, key, value, width, heads, *args, **kwargs
            )
            return found
        projected = functional.linear(query, given["in_proj_weight"], given["in_proj_bias"])
        tokens, batch, _ = query.shape
        parts = projected.reshape(tokens, batch, 3, heads, -1).permute(2, 1, 3, 0, 4)  # (3, batch, heads, …)
        attended = self._attended(*parts).permute(2, 0, 1, 3).flatten(2)
        return functional.linear(attended, given["out_proj_weight"], given["out_proj_bias"]), None


OF_HEADS = (
    "in_proj_weight", "in_proj_bias", "bias_k", "bias_v", "add_zero_attn", "dropout_p", "out_proj_weight",
    "out_proj_bias",
)  # fmt: skip
"""Arguments of `functional.multi_head_attention_forward` from the sixth on."""
UNUSUAL = ("bias_k", "bias_v", "key_padding_mask", "attn_mask", "static_k", "static_v", "q_proj_weight")


def _is_over_keys(output: Tensor, dim: int | None = None, **_kwargs: Any) -> bool:
    """Whether a softmax is one over the last of three or more dimensions, as over the keys of attention."""
    return output.dim() >= SQUARE - 1 and dim in {-1, output.dim() - 1}


def alone(probabilities: Tensor) -> Tensor:
    """Probabilities with which every token attends to itself alone; unchanged if queries are other tokens."""
    queries, keys = probabilities.shape[-2:]
    if queries != keys:
        return probabilities
    return torch.eye(keys).to(probabilities).expand_as(probabilities)


@dataclass(frozen=True, slots=True)
class Attention:
    """The attention of all blocks for some images, in one autograd graph with their logits."""

    logits: Tensor
    """(batch, findings)."""
    blocks: tuple[Tensor, ...]
    """Probabilities (batch, heads, tokens, tokens), one per block, in the order of the forward pass."""
    before: int
    """Tokens before those of the grid, such as a class token and registers."""
    grid: tuple[int, ...]

    def gradients(self, finding: int) -> tuple[Tensor, ...]:
        """Gradient of a finding's logit with respect to the probabilities of each block."""
        summed = self.logits[:, finding].sum()
        return torch.autograd.grad(summed, self.blocks, retain_graph=True, materialize_grads=True)

    def shown(self, flow: Tensor) -> Tensor:
        """A map (batch, *grid) of a flow (batch, to tokens, from tokens), to the tokens that the head reads.

        They are those whose attention in the last block changes a logit: the class token, or several, whose
        mean counts.
        """
        weights = torch.arange(1.0, self.logits.shape[1] + 1).to(self.logits)  # log-odds of two sum to 0
        (gradient,) = torch.autograd.grad((self.logits @ weights).sum(), self.blocks[-1], retain_graph=True)
        is_read = gradient.abs().sum(dim=(0, 1, 3)) > 0
        cells = slice(self.before, self.before + torch.Size(self.grid).numel())
        return flow[:, is_read, cells].mean(dim=1).reshape(-1, *self.grid)


def attention_of(forward: Forward, layer: str, *, method: str) -> Iterator[Attention]:
    """The attention of parts of the batch. Raises ConfigError if the blocks do not attend over all tokens.

    `layer` is one of tokens; how many stand beside the grid was found with the places of its cells.
    """
    beside, grid = forward.tokens(layer), tuple(axis.size for axis in forward.cells(layer))
    if beside is None:
        raise ConfigError(
            f"method '{method}': reads the attention of all tokens to each other, as a ViT has it, and the "
            f"output of layer '{layer}' is a map of rows and columns, as of convolutions or of attention in "
            "windows; use 'gradcam'"
        )
    count = sum(beside) + torch.Size(grid).numel()
    size = max(1, forward.rows // GRAPHS)
    for inputs, logits in zip(forward.inputs.split(size), forward.logits.split(size), strict=True):
        found = _recorded(forward, inputs, beside[0], grid, method=method)
        _check(found, logits, count, method=method)
        yield found


@torch.inference_mode(mode=False)
@torch.enable_grad()
def _recorded(
    forward: Forward, inputs: Tensor, before: int, grid: tuple[int, ...], *, method: str
) -> Attention:
    kept: list[Tensor] = []

    def keep(probabilities: Tensor) -> Tensor:
        kept.append(probabilities if probabilities.requires_grad else probabilities.clone().requires_grad_())
        return kept[-1]

    with AttentionMode(keep) as mode:
        logits = forward.network(inputs.clone())
    if mode.unsupported:
        raise ConfigError(f"method '{method}': the network has {mode.unsupported[0]}; use 'gradcam'")
    return Attention(logits, tuple(kept), before, grid)


def _check(found: Attention, logits: Tensor, count: int, *, method: str) -> None:
    """Raise ConfigError unless each block attends over `count` tokens and the logits are the network's."""
    wanted = (len(logits), count, count)
    other = next((b for b in found.blocks if b.dim() != SQUARE or (len(b), *b.shape[2:]) != wanted), None)
    if other is not None or not found.blocks:
        what = "none" if other is None else f"probabilities {tuple(other.shape)}"
        raise ConfigError(
            f"method '{method}': wanted attention of all {count} tokens to each other in every block, "
            f"(images, heads, {count}, {count}), found {what}; attention in windows or to a pool is not "
            "followed; use 'gradcam'"
        )
    error = (found.logits.detach().float() - logits).abs().max()
    scale = logits.abs().max().clamp_min(torch.finfo(torch.float32).tiny)
    if not error <= scale * TOLERANCES.get(found.blocks[0].dtype, TOLERANCE):
        raise ConfigError(
            f"method '{method}': attention computed as softmax · values gives other logits than the network; "
            "use 'gradcam'"
        )
