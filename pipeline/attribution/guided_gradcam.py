"""Guided Grad-CAM: guided backpropagation, kept where Grad-CAM is positive."""

import torch
from torch import Tensor

from pipeline.attribution.gradcam import gradcam
from pipeline.attribution.guided_backprop import guided_gradients
from pipeline.attribution.resample import resampled
from pipeline.contracts import AttributionMethod, Forward


def guided_gradcam(forward: Forward, layer: str) -> Tensor:
    """Σ over channels of guided gradient × Grad-CAM, (batch, findings, *grid) on the input's grid.

    Selvaraju et al., ICCV 2017, section 3.2: the ReLU of the layer's Grad-CAM, brought to the input's grid by
    bilinear (in 3D trilinear) interpolation, times the guided gradient.
    """
    seen = resampled(gradcam(forward, layer).clamp(min=0), forward.inputs.shape[2:])
    return torch.einsum("kbc...,bk...->bk...", guided_gradients(forward), seen)


METHOD = AttributionMethod(maps=guided_gradcam, reads="input", unit="relative")
