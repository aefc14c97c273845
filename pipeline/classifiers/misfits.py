"""Misfits: the argument of the card's network by which the tensors of a file would fit it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from torch import Tensor

from pipeline.classifiers.foreign_ends import COUNTER
from pipeline.classifiers.recognition.shapes import PLANAR

SHORTCUT_BIAS: Final = re.compile(r"layer[1-4]\.\d+\.downsample\.0\.bias")
"""Bias of a shortcut's convolution of a ResNet, which MONAI's resnet50() has, and neither the paper's
(He et al., 2016) nor torchvision's."""
FIRST: Final = "conv1.weight"
"""First convolution of a ResNet."""
WITHOUT_BIAS: Final = (
    "the file's ResNet has no biases in its shortcuts: state architecture.arguments.bias_downsample: false, "
    "and conv1_t_stride: 2, as the paper and torchvision have it (no tensor shows the stride)"
)
WITH_BIAS: Final = (
    "the file's ResNet has biases in its shortcuts: state architecture.arguments.bias_downsample: true, and "
    "conv1_t_stride: 1 if it was made by MONAI's resnet50() (no tensor shows the stride)"
)


def remedy_of_resnet(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    """The arguments of a ResNet to state; empty if others than these do not fit.

    `tensors`: those of the file, `wanted`: those of the network.
    """
    if not _is_resnet(wanted):
        return ""
    remedies = []
    if _only_biases(wanted.keys() - tensors.keys()):
        remedies.append(WITHOUT_BIAS)
    if _only_biases(tensors.keys() - wanted.keys()):
        remedies.append(WITH_BIAS)
    of_file, of_card = (_kernel(found.get(FIRST)) for found in (tensors, wanted))
    if of_file and of_file != of_card:
        remedies.append(f"state architecture.arguments.conv1_t_size: {of_file}")
    return "; ".join(remedies)


def _only_biases(names: Collection[str]) -> bool:
    """Whether there are names, all of them of the shortcuts' biases or of counters."""
    others = [name for name in names if not name.endswith(COUNTER)]
    return bool(others) and all(map(SHORTCUT_BIAS.fullmatch, others))


def _kernel(weight: Tensor | None) -> int:
    """Side of a convolution's kernel; 0 if it is not a 2D convolution."""
    return int(weight.shape[-1]) if weight is not None and weight.ndim == PLANAR else 0


def _is_resnet(wanted: Collection[str]) -> bool:
    return FIRST in wanted and "layer4.0.conv1.weight" in wanted
