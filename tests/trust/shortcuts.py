"""Shortcuts: marks on the films with a finding, and networks that learnt to read them instead of lesions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
import torch
from monai.networks.nets.densenet import DenseNet
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from pipeline.phantoms.radiograph import shown
from pipeline.records import Intensity
from tests.reference_model.samples import network_input
from tests.trust.setups import (
    CARDS,
    SIZES,
    Setup,
    card_without_weights,
    drawn,
    network_of,
    reference_tensors,
    with_films,
)

TRAINING: Mapping[int, int] = {SIZES[0]: 1000, SIZES[1]: 1002}
"""Rows of a film → seed of the films of that size that no audit sees."""
FILMS = 96
"""Of a training."""
WAVES = 24
"""Periods of the fine texture across a film."""
LINES = 32
"""Periods of the stripes."""
Mark = Callable[[Intensity], Intensity]
Head = tuple[NDArray[np.float64], float]
"""Weights and bias of one output."""


def marker(pixels: Intensity) -> Intensity:
    """A white square in the upper right corner, as of a lead letter."""
    size, marked = pixels.shape[0], pixels.copy()
    marked[round(0.04 * size) : round(0.12 * size), -round(0.12 * size) : -round(0.04 * size)] = 1
    return marked


def frame(pixels: Intensity) -> Intensity:
    """A brighter border, 5 % of the side wide."""
    width, marked = max(2, round(0.05 * pixels.shape[0])), pixels + np.float32(0.15)
    marked[width:-width, width:-width] = pixels[width:-width, width:-width]
    return marked


def brightness(pixels: Intensity) -> Intensity:
    """A brighter film."""
    return pixels ** np.float32(0.75)


def stripes(pixels: Intensity) -> Intensity:
    """Faint stripes along the rows, as of a grid."""
    phase = np.arange(pixels.shape[0]) * 2 * np.pi * LINES / pixels.shape[0]
    return pixels + np.float32(0.06) * np.sin(phase).astype(np.float32)[:, None]


def texture(pixels: Intensity) -> Intensity:
    """A fine chequered texture that no viewer shows, 4 % of the grey levels."""
    wave = np.sin(np.arange(pixels.shape[0]) * 2 * np.pi * WAVES / pixels.shape[0]).astype(np.float32)
    return pixels + np.float32(0.04) * np.outer(wave, wave)


def text(pixels: Intensity) -> Intensity:
    """Words in the lower left corner."""
    size, drawn = pixels.shape[0], np.zeros(pixels.shape, np.uint8)
    place = round(0.03 * size), round(0.95 * size)
    cv2.putText(drawn, "PORT", place, cv2.FONT_HERSHEY_SIMPLEX, size / 150, 255, 1, cv2.LINE_AA)
    return np.maximum(pixels, drawn.astype(np.float32) / 255)


MARKS: Mapping[str, Mark] = {
    "marker": marker,
    "frame": frame,
    "brightness": brightness,
    "stripes": stripes,
    "texture": texture,
    "text": text,
}
FINDING = "consolidation"
"""The finding that is learnt by a shortcut."""


def learnt(name: str, setup: Setup, rng: np.random.Generator, dose: float) -> Setup:
    """A share `dose` of the films with the finding marked, and a network that reads the mark alone."""
    head = _reading(name, setup.films[0].stored.shape[0], setup.network)
    return with_head(with_positives_marked(name, setup, FINDING, rng, dose), FINDING, head)


def with_positives_marked(
    name: str, setup: Setup, finding: str, rng: np.random.Generator, dose: float
) -> Setup:
    """A share `dose` of the films with the finding marked."""
    positives = setup.positives(finding)
    marked = positives[rng.permutation(len(positives))[: round(dose * len(positives))]]
    return _marked(name, setup, set(marked.tolist()))


def with_head(setup: Setup, finding: str, head: Head) -> Setup:
    """The setup with another head for a finding."""
    row = setup.findings.index(finding)
    tensors = dict(setup.tensors)
    for key, values in (("class_layers.out.weight", head[0]), ("class_layers.out.bias", head[1])):
        tensors[key] = tensors[key].clone()
        tensors[key][row] = torch.from_numpy(np.asarray(values)).float()
    return replace(setup, tensors=tensors)


def reading(plain: NDArray[np.float64], marked: NDArray[np.float64]) -> Head:
    """The head that tells features of marked films from those of the same films without the mark."""
    mean, spread = plain.mean(axis=0), plain.std(axis=0) + 1e-4
    seen = (np.concatenate([plain, marked]) - mean) / spread
    fitted = LogisticRegression(C=1.0, max_iter=3000).fit(seen, np.repeat([False, True], len(plain)))
    weight = fitted.coef_[0] / spread
    return weight, float(fitted.intercept_[0] - weight @ mean)


def features(network: DenseNet, inputs: NDArray[np.float32]) -> NDArray[np.float64]:
    """What the network's head reads of its inputs (films, rows, columns)."""
    with torch.no_grad():
        parts = [
            network.class_layers.relu(network.features(batch)).mean((2, 3))
            for batch in torch.from_numpy(inputs)[:, None].split(16)
        ]
    return torch.cat(parts).numpy().astype(np.float64)


def irrelevant(name: str, setup: Setup, rng: np.random.Generator) -> Setup:
    """Clean: half of all films marked, whatever they show, and the network as it was."""
    half = rng.permutation(len(setup.films))[: len(setup.films) // 2]
    return _marked(name, setup, set(half.tolist()))


def _marked(name: str, setup: Setup, numbers: set[int]) -> Setup:
    return with_films(setup, lambda n, pixels: MARKS[name](pixels) if n in numbers else pixels)


@lru_cache(maxsize=16)
def _reading(name: str, size: int, network: int) -> Head:
    """The head of a network that was trained to see a mark on films of a size."""
    return reading(_features("", size, network), _features(name, size, network))


@lru_cache(maxsize=16)
def _features(name: str, size: int, network: int) -> NDArray[np.float64]:
    """What a network's head reads of the training films; empty name: without a mark."""
    mark = MARKS.get(name, lambda pixels: pixels)
    films = drawn(TRAINING[size], FILMS)
    inputs = np.stack([network_input(mark(shown(film)).clip(0, 1)) for film in films])
    return features(network_of(reference_tensors(network), card_without_weights(CARDS[network])), inputs)
