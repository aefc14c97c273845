"""Brightness: a network whose outputs are known, because they follow the mean brightness of the image."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from monai.networks.nets import DenseNet
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from pipeline.audited_model.loading import AuditedModel, open_model
from tests.study import FINDINGS, GRID, square, write_image, write_mask

SIDE = 20
"""Of the bright square in each image, in pixels."""


def brightness_network(*outputs: tuple[float, float]) -> nn.Module:
    """One output per (gain, bias): gain × mean brightness + bias, up to the blur of the pools."""
    arguments = {"init_features": 8, "growth_rate": 4, "block_config": (2, 2)}
    network = DenseNet(2, 1, len(outputs), **arguments).eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.weight.data.zero_()
    network.features.conv0.weight.data[0] = 1 / 49
    network.features.transition1.conv.weight.data[0, 0] = 1
    network.class_layers.out.weight.data.zero_()
    for row, (gain, bias) in enumerate(outputs):
        network.class_layers.out.weight.data[row, 0] = gain
        network.class_layers.out.bias.data[row] = bias
    return network


def write_brightness_model(
    folder: Path,
    *outputs: tuple[float, float],
    findings: Sequence[str] = FINDINGS,
    tensors: Mapping[str, Tensor] | None = None,
    **card: Any,
) -> Path:
    """The card of a `brightness_network`; `tensors` are added to its weights file, `card` to its card."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / "bright.safetensors"
    save_file({**brightness_network(*outputs).state_dict(), **(tensors or {})}, weights)
    arguments = {"spatial_dims": 2, "in_channels": 1, "out_channels": len(outputs)}
    arguments |= {"init_features": 8, "growth_rate": 4, "block_config": [2, 2]}
    content = {
        "name": "bright",
        "purpose": "tests",
        "architecture": {"class": "DenseNet", "arguments": arguments},
        "findings": list(findings),
        "activation": "sigmoid",
        "weights": weights.name,
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "preprocessing": {"window": "full", "resize": {"rule": "exact", "size": [GRID, GRID]}},
        **card,
    }
    path = folder / "bright.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def open_brightness_model(folder: Path, *outputs: tuple[float, float], **card: Any) -> AuditedModel:
    """The model of `write_brightness_model`, explained by Grad-CAM."""
    return open_model(
        write_brightness_model(folder, *outputs, **card),
        weights=None,
        allow_pickle=False,
        device="cpu",
        precision="float32",
        methods=("gradcam",),
    )


def bright_square(number: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A dark image with one bright square, and the mask of the square; the number says where it is."""
    inside = square((GRID, GRID), 4 + 33 * (number % 2), 4 + 33 * (number // 2 % 2), SIDE)
    return np.where(inside, 230, 8).astype(np.uint8), inside


def write_bright_study(folder: Path, *, finding: str = FINDINGS[0], count: int = 4) -> Path:
    """Images of a bright square each, with their masks, in `folder`/images and `folder`/masks."""
    for number in range(count):
        pixels, mask = bright_square(number)
        write_image(folder / "images", number, pixels)
        write_mask(folder, finding, number, mask)
    return folder


def explained_squares(model: AuditedModel, count: int = 4) -> Any:
    """Logits and maps of the images of `write_bright_study`."""
    images = np.stack([bright_square(number)[0] for number in range(count)]) / np.float32(255)
    return model.explainer.explain(torch.from_numpy(images[:, None]))
