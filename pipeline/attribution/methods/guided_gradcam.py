"""Guided Grad-CAM: guided backpropagation multiplied by Grad-CAM."""

import torch
from torch import Tensor

from pipeline.attribution.methods.gradcam import gradcam
from pipeline.attribution.methods.guided_backprop import guided_gradients
from pipeline.attribution.resample import pixels, resampled
from pipeline.contracts import AttributionMethod, Forward


def guided_gradcam(forward: Forward, layer: str) -> Tensor:
    """Sum over channels of guided gradient × Grad-CAM, (batch, findings, *grid) on the input's grid.

    Selvaraju et al., ICCV 2017, section 3.2: the ReLU of the layer's Grad-CAM, interpolated to the input's
    grid (bilinear, trilinear in 3D), times the guided gradient.
    """
    coarse = gradcam(forward, layer).clamp(min=0)
    gradcam_maps = resampled(coarse, forward.cells(layer), pixels(forward.inputs.shape[2:]))
    return torch.einsum("kbc...,bk...->bk...", guided_gradients(forward), gradcam_maps)


METHOD = AttributionMethod(maps=guided_gradcam, reads="input", unit="relative")
