"""ViT: a vision transformer under MONAI's names of tensors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

LEARNED = 3
"""Queries, keys and values, which one linear layer makes."""


class ViT(nn.Module):
    """Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR 2021, as MONAI's `ViT` classifies images."""

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        img_size: int | Sequence[int],
        patch_size: int | Sequence[int],
        hidden_size: int = 768,
        mlp_dim: int = 3072,
        num_layers: int = 12,
        num_heads: int = 12,
        proj_type: str = "conv",
        qkv_bias: bool = False,
        post_activation: str = "Tanh",
        pos_embed_type: str = "learnable",  # noqa: ARG002  the file of weights holds the positions of any type
        classification: bool = True,  # noqa: ARG002  a ViT without classes is no classifier
    ) -> None:
        super().__init__()
        if hidden_size % num_heads:
            raise ValueError("hidden_size is no multiple of num_heads")
        patch = _pair(patch_size)
        grid = [side // own for side, own in zip(_pair(img_size), patch, strict=True)]
        self.patch_embedding = PatchEmbedding(in_channels, grid, patch, hidden_size, proj_type)
        self.blocks = nn.ModuleList(
            Block(hidden_size, mlp_dim, num_heads, qkv_bias=qkv_bias) for _ in range(num_layers)
        )
        self.norm = nn.LayerNorm(hidden_size)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, hidden_size))
        linear = nn.Linear(hidden_size, out_channels)
        self.classification_head = nn.Sequential(linear, nn.Tanh()) if post_activation == "Tanh" else linear

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs (batch, out_channels) of inputs (batch, in_channels, height, width)."""
        tokens = self.patch_embedding(inputs)
        tokens = torch.cat([self.cls_token.expand(len(tokens), -1, -1), tokens], dim=1)
        for block in self.blocks:
            tokens = block(tokens)
        outputs: Tensor = self.classification_head(self.norm(tokens)[:, 0])
        return outputs


class PatchEmbedding(nn.Module):
    """The tokens of patches, row by row, with their positions."""

    def __init__(
        self, channels: int, grid: Sequence[int], patch: tuple[int, int], width: int, kind: str
    ) -> None:
        super().__init__()
        self.grid = tuple(grid)
        rows, columns = patch
        self.patch_embeddings: nn.Module
        if kind == "conv":
            self.patch_embeddings = nn.Conv2d(channels, width, patch, stride=patch)
        else:
            inside = nn.Linear(channels * rows * columns, width)
            self.patch_embeddings = nn.Sequential(Patches(patch), inside)
        self.position_embeddings = nn.Parameter(torch.zeros(1, torch.Size(grid).numel(), width))

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, patches, width) of (batch, channels, height, width)."""
        tokens: Tensor = self.patch_embeddings(inputs)
        if isinstance(self.patch_embeddings, nn.Conv2d):
            if tokens.shape[2:] != self.grid:  # a grid of as many patches would fit, turned
                raise ValueError(f"found {tuple(tokens.shape[2:])} patches, wanted {self.grid}")
            tokens = tokens.flatten(2).mT
        return tokens + self.position_embeddings


class Patches(nn.Module):
    """The pixels of each patch, row by row, the channels of a pixel side by side."""

    def __init__(self, patch: tuple[int, int]) -> None:
        super().__init__()
        self.patch = patch

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, patches, pixels · channels) of (batch, channels, height, width)."""
        (height, width), (batch, channels, rows, columns) = self.patch, inputs.shape
        cut = inputs.reshape(batch, channels, rows // height, height, columns // width, width)
        return cut.permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)


class Block(nn.Module):
    """Attention, then two linear layers, each after a norm and beside a shortcut."""

    def __init__(self, width: int, hidden: int, heads: int, *, qkv_bias: bool) -> None:
        super().__init__()
        self.mlp = nn.Module()
        self.mlp.linear1, self.mlp.linear2 = nn.Linear(width, hidden), nn.Linear(hidden, width)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = SelfAttention(width, heads, qkv_bias=qkv_bias)
        self.norm_cross_attn = nn.LayerNorm(width)  # MONAI's files have it; nothing reads it

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, tokens, width)."""
        tokens = tokens + self.attn(self.norm1(tokens))
        hidden = functional.gelu(self.mlp.linear1(self.norm2(tokens)))  # type: ignore[operator]  # a module's attribute
        output: Tensor = tokens + self.mlp.linear2(hidden)  # type: ignore[operator]
        return output


class SelfAttention(nn.Module):
    """Attention of all tokens to each other."""

    def __init__(self, width: int, heads: int, *, qkv_bias: bool) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, LEARNED * width, bias=qkv_bias)
        self.out_proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, tokens, width)."""
        batch, count, _ = tokens.shape
        parts = self.qkv(tokens).reshape(batch, count, LEARNED, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(*parts)
        output: Tensor = self.out_proj(attended.transpose(1, 2).flatten(2))
        return output


def _pair(value: int | Sequence[int]) -> tuple[int, int]:
    rows, columns = (value, value) if isinstance(value, int) else value
    return rows, columns
