"""Preprocessing: an image → the network's input and its placement on the image."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Raster

from pipeline.classifiers.recipe import IntensityScaling, Preprocessing, Resize
from pipeline.errors import CaseError
from pipeline.geometry import cropped, resized, whole
from pipeline.records import Image, Intensity, ModelInput, Placement, Shape

FILTERS: Final[Mapping[str, Raster.Resampling]] = MappingProxyType(
    {
        "bilinear": Raster.Resampling.BILINEAR,
        "bicubic": Raster.Resampling.BICUBIC,
        "nearest": Raster.Resampling.NEAREST,
    }
)
LARGEST_GRID: Final = 2**27
"""Pixels (half a gigabyte), several times the largest radiograph: only very elongated images exceed it."""


def coarsest_step(shape: Shape, preprocessing: Preprocessing, *, samples: int) -> int:
    """The largest power of 2 with `samples` or more steps in a pixel of the network's input, on both axes.

    `shape` is the image's (rows, columns). 1: the network needs every pixel.
    """
    resize = preprocessing.resize
    if resize.size is None or resize.filter == "nearest" or preprocessing.pad == "square":
        return 1
    target = _target_shape(shape, resize.rule, resize.size)
    finest = min(old / new for old, new in zip(shape, target, strict=True)) / samples
    return 1 << max(0, math.floor(math.log2(finest)))


def prepare(image: Image, preprocessing: Preprocessing, *, whole_shape: Shape | None = None) -> ModelInput:
    """The network's input for an image, with its placement; the window was already applied on decoding.

    `whole_shape`: (rows, columns) of an image that was decoded with a step.

    Raises CaseError("pixels_not_finite"), or CaseError("too_elongated") if padding or resizing would exceed
    LARGEST_GRID.
    """
    pixels = image.pixels
    placement = whole(whole_shape or image.shape)
    if not np.isfinite(pixels).all():
        raise CaseError(
            "pixels_not_finite", "The image contains pixels that are NaN or infinite; export it again."
        )
    if preprocessing.pad == "square":
        side = max(image.shape)
        pixels, placement = _centred(pixels, placement, (side, side))
    pixels, placement = _resampled(pixels, placement, preprocessing.resize, step=image.step)
    if preprocessing.crop.centre:
        pixels, placement = _centred(pixels, placement, preprocessing.crop.centre)
    tensor = np.repeat(pixels[np.newaxis], preprocessing.channels, axis=0)
    return ModelInput(image.case_id, _scaled(tensor, preprocessing.intensity), placement)


def _resampled(
    pixels: Intensity, placement: Placement, resize: Resize, *, step: int = 1
) -> tuple[Intensity, Placement]:
    """The image resized in floating point; rounding to 8 bits would change the probabilities.

    Of pixels with a step, the same area of the image is resampled: it begins half a pixel of the image before
    the first of them.
    """
    if resize.size is None:
        return pixels, placement
    rows, columns = _bounded(_target_shape(placement.model_shape, resize.rule, resize.size))
    box = None
    if step > 1:
        pixels = np.pad(pixels, ((0, 1), (0, 1)), mode="edge")
        top_left, (bottom, right) = _edge(0, step), (_edge(n, step) for n in placement.model_shape)
        box = (top_left, top_left, right, bottom)
    raster = Raster.fromarray(np.ascontiguousarray(pixels, np.float32))
    resampled = np.asarray(raster.resize((columns, rows), FILTERS[resize.filter], box=box))
    return resampled, resized(placement, (rows, columns))


def _edge(pixels: int, step: int) -> float:
    """Where the edge behind so many of the image's pixels lies among those with a step, as Pillow counts."""
    return (pixels - 0.5) / step + 0.5


def _target_shape(shape: Shape, rule: str, size: Shape) -> Shape:
    rows, columns = shape
    if rule == "exact":
        return size
    if rule == "shorter_side":
        shorter = min(shape)
        return size[0] * rows // shorter, size[0] * columns // shorter
    longer = max(shape)
    return max(round(size[0] * rows / longer), 1), max(round(size[0] * columns / longer), 1)


def _centred(pixels: Intensity, placement: Placement, shape: Shape) -> tuple[Intensity, Placement]:
    """The central `shape` of the image, zero-padded where the image is smaller."""
    rows, columns = _bounded(shape)
    top, left = (_start(old, new) for old, new in zip(pixels.shape, shape, strict=True))
    kept = pixels[max(top, 0) : max(top, 0) + rows, max(left, 0) : max(left, 0) + columns]
    result = np.zeros(shape, np.float32)
    result[max(-top, 0) :, max(-left, 0) :][: kept.shape[0], : kept.shape[1]] = kept
    return result, cropped(placement, (top, left), shape)


def _start(old: int, new: int) -> int:
    """Index of the first pixel kept, negative for padding; rounded as in torchvision's `center_crop`."""
    return round((old - new) / 2) if old > new else -((new - old) // 2)


def _bounded(shape: Shape) -> Shape:
    if shape[0] * shape[1] > LARGEST_GRID:
        raise CaseError(
            "too_elongated",
            "The image is too elongated to be padded or resized for the model; crop it, or leave it out.",
        )
    return shape


def _scaled(tensor: NDArray[np.float32], intensity: IntensityScaling) -> NDArray[np.float32]:
    match intensity.rule:
        case "none":
            return tensor
        case "mean_std":
            mean, std = (np.array(v, np.float32)[:, None, None] for v in (intensity.mean, intensity.std))
            return (tensor - mean) / std
        case "range":
            assert intensity.low is not None
            assert intensity.high is not None
            return np.float32(intensity.low) + tensor * np.float32(intensity.high - intensity.low)
        case "z_score":
            return _divided(tensor - tensor.mean(dtype=np.float64), tensor.std(dtype=np.float64))
        case "min_max":
            return _divided(tensor - tensor.min(), tensor.max() - tensor.min())


def _divided(tensor: NDArray[np.floating], spread: np.floating) -> NDArray[np.float32]:
    """`tensor / spread`, or 0 for a constant image."""
    return (tensor / spread if spread > 0 else np.zeros_like(tensor)).astype(np.float32)
