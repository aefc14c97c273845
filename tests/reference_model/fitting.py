"""Fitting: the reference network and how it learns from image-level labels alone."""

from __future__ import annotations

import logging
from typing import Any, Final

import torch
from monai.networks.nets.densenet import DenseNet
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from pipeline.phantoms.lesions import FINDINGS

ARCHITECTURE: Final[dict[str, Any]] = {
    "spatial_dims": 2,
    "in_channels": 1,
    "out_channels": len(FINDINGS),
    "init_features": 16,
    "growth_rate": 16,
    "block_config": [3, 5],
    "bn_size": 2,
}
"""Two blocks, so that the last layer has a stride of 8: at 16 and more, a nodule is smaller than a cell."""

LOG = logging.getLogger(__name__)

BATCH = 32
LEARNING_RATE = 6e-3
WEIGHT_DECAY = 1e-2
LARGEST_SHIFT = 6
"""Pixels by which a batch is moved at most, across and down."""
TOP_CELLS = 4
"""Of the 256 cells of the class activation map: about the area of a small nodule."""


def build() -> DenseNet:
    """The reference network with fresh weights, drawn from torch's global generator."""
    return DenseNet(**ARCHITECTURE)


def fit(
    network: DenseNet, inputs: Tensor, labels: Tensor, *, epochs: int, seed: int, device: torch.device
) -> None:
    """Train in place. `inputs` (films, rows, columns), `labels` (films, findings), both on the CPU.

    Two losses, both from the image's labels: the cross entropy of the logits, and that of the logits that the
    few best cells of each class activation map would give alone. The second is there to keep the
    evidence local: a trial without it hit fewer lesions at every layer.
    """
    network.to(device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]  # a fifth faster on CPUs
    rng = torch.Generator().manual_seed(seed)
    offset = nn.Parameter(torch.zeros(len(FINDINGS), device=device))
    optimizer = AdamW([*network.parameters(), offset], lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    batches = len(inputs) // BATCH
    schedule = OneCycleLR(optimizer, LEARNING_RATE, total_steps=epochs * batches)
    for epoch in range(epochs):
        total = 0.0
        for chosen in torch.randperm(len(inputs), generator=rng)[: batches * BATCH].split(BATCH):
            films = _varied(inputs[chosen].float().unsqueeze(1), rng).to(device)
            loss = _loss(network, films, labels[chosen].to(device), offset)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # untyped in torch
            optimizer.step()
            schedule.step()
            total += float(loss.detach())
        LOG.info("epoch %d of %d: loss %.4f", epoch + 1, epochs, total / batches)
    network.to("cpu", memory_format=torch.contiguous_format).eval()  # type: ignore[call-overload]  # untyped in torch


def _loss(network: DenseNet, films: Tensor, labels: Tensor, offset: Tensor) -> Tensor:
    relu, head = (network.get_submodule(f"class_layers.{name}") for name in ("relu", "out"))
    cells = relu(network.features(films)).flatten(2)
    maps = torch.einsum("kc,bcn->bkn", head.get_parameter("weight"), cells)
    local = maps.topk(TOP_CELLS).values.sum(dim=2) / maps.shape[2] + offset
    cross_entropy = functional.binary_cross_entropy_with_logits
    return cross_entropy(head(cells.mean(dim=2)), labels) + cross_entropy(local, labels)


def _varied(films: Tensor, rng: torch.Generator) -> Tensor:
    """A batch moved, each film with another contrast and brightness."""
    rows, columns = films.shape[2:]
    down, across = torch.randint(0, 2 * LARGEST_SHIFT + 1, (2,), generator=rng).tolist()
    padded = functional.pad(films, (LARGEST_SHIFT,) * 4, mode="replicate")
    moved = padded[:, :, down : down + rows, across : across + columns]
    contrast = 1 + 0.1 * torch.randn(len(films), 1, 1, 1, generator=rng)
    brightness = 0.03 * torch.randn(len(films), 1, 1, 1, generator=rng)
    return (moved * contrast + brightness).clamp(0, 1)
