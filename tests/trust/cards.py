"""Cards: preprocessing, order and activation other than those that the network was trained with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from pipeline.phantoms.lesions import FINDINGS
from pipeline.records import Intensity, Mask
from tests.trust.setups import Setup, with_films

FIRST = "features.conv0.weight"
HEAD = ("class_layers.out.weight", "class_layers.out.bias")
SIDE = 128
"""Rows and columns that the network takes."""
WINDOW = 3.0
"""How many times too wide a window is."""


def z_score(setup: Setup, _rng: np.random.Generator, _dose: float) -> Setup:
    """The card scales to mean 0 and deviation 1; the network takes 0 … 1."""
    return with_preprocessing(setup, intensity={"rule": "z_score"})


def range_1024(setup: Setup, _rng: np.random.Generator, _dose: float) -> Setup:
    """The card scales to -1024 … 1024; the network takes 0 … 1."""
    return with_preprocessing(setup, intensity={"rule": "range", "low": -1024, "high": 1024})


def inverted(setup: Setup, _rng: np.random.Generator, _dose: float) -> Setup:
    """All images are stored inverted."""
    return with_films(setup, lambda _, pixels: 1 - pixels)


def upside_down(setup: Setup, _rng: np.random.Generator, _dose: float) -> Setup:
    """All images and annotations are stored upside down."""
    return _turned(setup, lambda array: array[::-1])


def mirrored(setup: Setup, _rng: np.random.Generator, _dose: float) -> Setup:
    """All images and annotations are stored mirrored."""
    return _turned(setup, lambda array: array[:, ::-1])


def cropped(setup: Setup, _rng: np.random.Generator, dose: float) -> Setup:
    """The card crops to a share `dose` of the sides; the network was trained on whole images."""
    size = round(SIDE / dose)
    return with_preprocessing(
        setup, resize={"rule": "exact", "size": [size, size]}, crop={"centre": [SIDE, SIDE]}
    )


def other_order(setup: Setup, rng: np.random.Generator, _dose: float) -> Setup:
    """The card lists the findings in another order, each at another one's place."""
    by = int(rng.integers(1, len(setup.findings)))
    return replace(setup, card={**setup.card, "findings": [*setup.findings[by:], *setup.findings[:by]]})


def other_activation(setup: Setup, _rng: np.random.Generator, _dose: float) -> Setup:
    """The card takes the outputs for exclusive classes."""
    return replace(setup, card={**setup.card, "activation": "softmax"})


def wide_window(setup: Setup, _rng: np.random.Generator, dose: float) -> Setup:
    """The card names one window for all images, `dose` times as wide as the middle one of the files."""
    windows = np.median([film.window for film in setup.films], axis=0)
    middle, width = float(windows.mean()), float(windows[1] - windows[0])
    return with_preprocessing(setup, window=[middle + (dose - 1) * width / 2, dose * width])


def all_mirrored(setup: Setup, _rng: np.random.Generator) -> Setup:
    """Clean: mirrored images and annotations, and a network with mirrored kernels."""
    kernels = {
        name: tensor.flip(3) if tensor.dim() == 4 else tensor for name, tensor in setup.tensors.items()
    }
    return replace(mirrored(setup, _rng, 1.0), tensors=kernels)


def all_reordered(setup: Setup, rng: np.random.Generator) -> Setup:
    """Clean: the outputs and the card's findings in another order."""
    order = rng.permutation(len(FINDINGS))
    by = torch.from_numpy(order)
    tensors = {name: tensor[by] if name in HEAD else tensor for name, tensor in setup.tensors.items()}
    return replace(
        setup, tensors=tensors, card={**setup.card, "findings": [FINDINGS[int(number)] for number in order]}
    )


def all_scaled(setup: Setup, _rng: np.random.Generator) -> Setup:
    """Clean: a network that takes 0 … 255, and a card that says so."""
    tensors = {name: t / 255 if name == FIRST else t for name, t in setup.tensors.items()}
    return replace(
        with_preprocessing(setup, intensity={"rule": "range", "low": 0, "high": 255}), tensors=tensors
    )


def with_preprocessing(setup: Setup, **changes: Any) -> Setup:
    """The setup with keys of the card's preprocessing changed."""
    return replace(setup, card={**setup.card, "preprocessing": {**setup.card["preprocessing"], **changes}})


def _turned(setup: Setup, turn: Any) -> Setup:
    def of_film(_number: int, pixels: Intensity) -> Intensity:
        return np.ascontiguousarray(turn(pixels))

    masks: tuple[Mapping[str, Mask], ...] = tuple(
        {finding: np.ascontiguousarray(turn(mask)) for finding, mask in found.items()}
        for found in setup.masks
    )
    return replace(with_films(setup, of_film), masks=masks)
