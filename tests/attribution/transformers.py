"""Transformers: small networks that write attention in every way that libraries do, with three findings."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

PATCH, STRIDE, WIDTH, HEADS, FINDINGS = 5, 4, 12, 3, 3
Style = Literal["fused", "softmax", "heads", "einsum", "inline"]
OF_TRANSFORMERS = frozenset({"rollout", "chefer"})
"""Methods that read attention, which other networks lack."""
STYLES: tuple[Style, ...] = ("fused", "softmax", "heads", "einsum", "inline")


class Attention(nn.Module):
    """Attention of all tokens: as timm fuses it, as it is written out, and as MONAI writes it."""

    def __init__(self, style: Style) -> None:
        super().__init__()
        self.style = style
        self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, tokens: Tensor) -> Tensor:
        batch, count, _ = tokens.shape
        query, key, value = self.qkv(tokens).reshape(batch, count, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        scale = (WIDTH // HEADS) ** -0.5
        if self.style == "fused":
            attended = functional.scaled_dot_product_attention(query, key, value)
        elif self.style == "einsum":
            scores = torch.einsum("blxd,blyd->blxy", query, key) * scale
            attended = torch.einsum("bhxy,bhyd->bhxd", scores.softmax(dim=-1), value)
        else:
            attended = functional.softmax(query * scale @ key.transpose(-2, -1), dim=-1) @ value
        return self.proj(attended.transpose(1, 2).reshape(batch, count, WIDTH))


class Block(nn.Module):
    def __init__(self, style: Style) -> None:
        super().__init__()
        self.style = style
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        if style == "heads":
            self.attn: nn.Module = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
        elif style == "inline":  # the block itself attends
            self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        else:
            self.attn = Attention(style)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH))

    def forward(self, tokens: Tensor) -> Tensor:
        normed = self.norm1(tokens)
        if self.style == "heads":
            attended = self.attn(normed, normed, normed, need_weights=False)[0]
        elif self.style == "inline":
            attended = Attention.forward(self, normed)  # type: ignore[arg-type]  # it has the same layers
        else:
            attended = self.attn(normed)
        tokens = tokens + attended
        return tokens + self.mlp(self.norm2(tokens))


class ViT(nn.Module):
    """Overlapping patches of 5 pixels, 4 apart; logits of the class token, or of the mean of the patches."""

    def __init__(self, grid: Sequence[int], *, style: Style, registers: int, pooled: bool) -> None:
        super().__init__()
        convolution = nn.Conv2d if len(grid) == 2 else nn.Conv3d
        self.features = nn.Sequential(OrderedDict(conv0=convolution(1, WIDTH, PATCH, STRIDE)))
        self.beside = nn.Parameter(torch.randn(1, 1 + registers, WIDTH))
        self.cells = [(side - PATCH) // STRIDE + 1 for side in grid]
        self.positions = nn.Parameter(torch.randn(1, WIDTH, *self.cells))
        self.blocks = nn.ModuleList(Block(style) for _ in range(3))
        self.norm = nn.LayerNorm(WIDTH)
        self.pooled = pooled
        self.class_layers = nn.Sequential(OrderedDict(out=nn.Linear(WIDTH, FINDINGS)))

    def forward(self, inputs: Tensor) -> Tensor:
        patches = (self.features(inputs) + self.positions).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.beside.expand(len(inputs), -1, -1), patches], dim=1)
        for block in self.blocks:
            tokens = block(tokens)
        tokens = self.norm(tokens)
        read = tokens[:, self.beside.shape[1] :].mean(dim=1) if self.pooled else tokens[:, 0]
        return self.class_layers(read)


def vit(
    grid: Sequence[int] = (21, 29),
    *,
    style: Style = "fused",
    registers: int = 0,
    pooled: bool = False,
    mirrored: bool = False,
) -> ViT:
    """A network in eval mode; `mirrored`: it treats both ends of the last axis alike."""
    torch.manual_seed(0)
    network = ViT(grid, style=style, registers=registers, pooled=pooled).eval()
    for block in network.blocks:
        for parameter in block.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.5)
    if mirrored:
        for tensor in (network.features.conv0.weight, network.positions):
            tensor.data = (tensor.data + tensor.data.flip(-1)) / 2
    return network


class WindowBlock(nn.Module):
    """Attention in windows of 2 x 2 cells, `shift` cells moved on, as torchvision's Swin computes it."""

    def __init__(self, width: int, shift: int) -> None:
        super().__init__()
        self.norm1, self.norm2, self.shift = nn.LayerNorm(width), nn.LayerNorm(width), shift
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, cells: Tensor) -> Tensor:
        cells = cells + self._attended(self.norm1(cells))
        return cells + self.mlp(self.norm2(cells))

    def _attended(self, cells: Tensor) -> Tensor:
        batch, rows, columns, width = cells.shape
        padded = functional.pad(cells, (0, 0, 0, columns % 2, 0, rows % 2))
        _, rows_p, columns_p, _ = padded.shape
        moved = padded.roll((-self.shift, -self.shift), dims=(1, 2)) if self.shift else padded
        windows = moved.view(batch, rows_p // 2, 2, columns_p // 2, 2, width).permute(0, 1, 3, 2, 4, 5)
        windows = windows.reshape(-1, 4, width)
        query, key, value = self.qkv(windows).reshape(len(windows), 4, 3, 2, -1).permute(2, 0, 3, 1, 4)
        attention = functional.softmax(query @ key.transpose(-2, -1), dim=-1)
        mixed = self.proj((attention @ value).transpose(1, 2).reshape(len(windows), 4, width))
        back = mixed.view(batch, rows_p // 2, columns_p // 2, 2, 2, width).permute(0, 1, 3, 2, 4, 5)
        back = back.reshape(batch, rows_p, columns_p, width)
        if self.shift:
            back = back.roll((self.shift, self.shift), dims=(1, 2))
        return back[:, :rows, :columns]


class Merging(nn.Module):
    """Four neighbours as one cell, as Swin does between its stages."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm, self.reduction = nn.LayerNorm(4 * width), nn.Linear(4 * width, 2 * width, bias=False)

    def forward(self, cells: Tensor) -> Tensor:
        parts = [cells[:, i::2, j::2] for j in (0, 1) for i in (0, 1)]
        return self.reduction(self.norm(torch.cat(parts, dim=-1)))


class Swin(nn.Module):
    """Two stages of (batch, rows, columns, channels), then the mean over cells."""

    def __init__(self, num_classes: int = FINDINGS, in_chans: int = 3, width: int = 8) -> None:
        super().__init__()
        self.patch = nn.Conv2d(in_chans, width, 4, 4)
        self.first = nn.Sequential(WindowBlock(width, 0), WindowBlock(width, 1))
        self.merging = Merging(width)
        self.second = nn.Sequential(WindowBlock(2 * width, 0), WindowBlock(2 * width, 1))
        self.norm, self.head = nn.LayerNorm(2 * width), nn.Linear(2 * width, num_classes)

    def forward(self, inputs: Tensor) -> Tensor:
        cells = self.first(self.patch(inputs).permute(0, 2, 3, 1))
        return self.head(self.norm(self.second(self.merging(cells))).mean(dim=(1, 2)))


def swin(*, channels: int = 1) -> Swin:
    torch.manual_seed(0)
    return Swin(in_chans=channels).eval()


def by_hand(network: ViT, inputs: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Logits, attention (batch, heads, tokens, tokens) of each block, and its tokens after norm1.

    Written in matrix products of the weights, without the network's own modules.
    """
    exact = {name: value.detach().double() for name, value in network.state_dict().items()}
    convolve = functional.conv2d if inputs.dim() == 4 else functional.conv3d
    kernel, bias = exact["features.conv0.weight"], exact["features.conv0.bias"]
    patches = convolve(inputs.double().requires_grad_(), kernel, bias, stride=STRIDE) + exact["positions"]
    beside = exact["beside"].repeat(len(inputs), 1, 1)
    tokens = torch.cat([beside, patches.flatten(2).mT], dim=1)
    attention, normed = [], []
    for number in range(len(network.blocks)):
        own = {k.split(".", 2)[2]: v for k, v in exact.items() if k.startswith(f"blocks.{number}.")}
        normed.append(_normed(tokens, own["norm1.weight"], own["norm1.bias"]))
        weight, bias, out, out_bias = _projections(own)
        parts = [(normed[-1] @ w.mT + b) for w, b in zip(weight.chunk(3), bias.chunk(3), strict=True)]
        query, key, value = (part.unflatten(2, (HEADS, -1)).transpose(1, 2) for part in parts)
        scores = (query @ key.mT / (WIDTH / HEADS) ** 0.5).exp()
        attention.append(scores / scores.sum(dim=-1, keepdim=True))
        tokens = tokens + (attention[-1] @ value).transpose(1, 2).flatten(2) @ out.mT + out_bias
        hidden = _normed(tokens, own["norm2.weight"], own["norm2.bias"]) @ own["mlp.0.weight"].mT
        hidden = functional.gelu(hidden + own["mlp.0.bias"])
        tokens = tokens + hidden @ own["mlp.2.weight"].mT + own["mlp.2.bias"]
    tokens = _normed(tokens, exact["norm.weight"], exact["norm.bias"])
    normed.append(tokens)
    read = tokens[:, network.beside.shape[1] :].mean(dim=1) if network.pooled else tokens[:, 0]
    return read @ exact["class_layers.out.weight"].mT + exact["class_layers.out.bias"], attention, normed


def _normed(tokens: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    centred = tokens - tokens.mean(dim=-1, keepdim=True)
    return weight * centred / (centred.square().mean(dim=-1, keepdim=True) + 1e-5).sqrt() + bias


def _projections(own: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Weight and bias of queries, keys and values, and of the output."""
    names = {
        "attn.qkv.weight": ("attn.qkv", "attn.proj", "."),
        "qkv.weight": ("qkv", "proj", "."),
        "attn.in_proj_weight": ("attn.in_proj", "attn.out_proj", "_"),
    }
    made, out, sign = next(value for key, value in names.items() if key in own)
    return own[f"{made}{sign}weight"], own[f"{made}{sign}bias"], own[f"{out}.weight"], own[f"{out}.bias"]
