"""Setups: all that an audit is given, in memory, so that a defect is a function from one to another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from monai.networks.nets.densenet import DenseNet
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from pipeline import phantoms
from pipeline.phantoms.lesions import FINDINGS
from pipeline.phantoms.radiograph import HIGHEST, Exposure, expose, shown
from pipeline.records import Intensity, Mask

CARD = Path(phantoms.__file__).parent / "reference_model" / "reference_model.yaml"
COUNT = 64
"""Films of a study set."""
SIZES = (128, 192)
"""Rows and columns of the films, by turns of the seed's halves."""
DRAWN = 8
"""Study sets that are kept in memory."""


@dataclass(frozen=True)
class Setup:
    """A study set with annotations, a network and its card."""

    films: tuple[Exposure, ...]
    patients: tuple[str, ...]
    labels: NDArray[np.bool_]
    """(films, findings)"""
    masks: tuple[Mapping[str, Mask], ...]
    """One per film: finding → what is annotated; no key, no annotation."""
    tensors: Mapping[str, Tensor]
    card: Mapping[str, Any]
    """The card's keys without those of the weights."""

    def positives(self, finding: str) -> NDArray[np.intp]:
        """The films that show a finding by its label."""
        return np.flatnonzero(self.labels[:, FINDINGS.index(finding)])


def clean(seed: int, *, count: int = COUNT) -> Setup:
    """The reference model on its phantoms, as they are."""
    films = drawn(seed, count)
    masks = tuple(
        {name: np.any(lesions, axis=0) for name, lesions in film.masks.items() if lesions} for film in films
    )
    labels = np.array([[name in found for name in FINDINGS] for found in masks])
    patients = tuple(f"PHANTOM-{seed}-{film.patient:05d}" for film in films)
    card = yaml.safe_load(CARD.read_text(encoding="utf-8"))
    for key in ("weights", "sha256", "figures"):
        del card[key]
    return Setup(films, patients, labels, masks, reference_tensors(), card)


@lru_cache(maxsize=DRAWN)
def drawn(seed: int, count: int) -> tuple[Exposure, ...]:
    """The first films of a seed."""
    size = SIZES[seed // 2 % len(SIZES)]
    return tuple(expose(seed, index, size=size) for index in range(count))


@lru_cache(maxsize=1)
def reference_tensors() -> Mapping[str, Tensor]:
    """The tensors of the reference model, in single precision."""
    tensors = load_file(CARD.with_suffix(".safetensors"))
    return {
        name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()
    }


def network_of(tensors: Mapping[str, Tensor], card: Mapping[str, Any]) -> DenseNet:
    """The network of a card with these tensors, ready to answer."""
    network = DenseNet(**card["architecture"]["arguments"])
    network.load_state_dict(dict(tensors))
    return network.eval()


def repainted(film: Exposure, change: Callable[[Intensity], Intensity]) -> Exposure:
    """The film with `change` applied to its pixels as they are displayed, 0 … 1."""
    black, white = film.window
    before = shown(film)
    by = (change(before).clip(0, 1) - before) * np.float32(white - black)
    return replace(film, stored=np.rint(film.stored + by).clip(0, HIGHEST).astype(np.uint16))


def with_films(setup: Setup, change: Callable[[int, Intensity], Intensity]) -> Setup:
    """The setup with each film's displayed pixels changed, by its number."""
    films = tuple(
        repainted(film, lambda pixels, number=number: change(number, pixels))  # type: ignore[misc]
        for number, film in enumerate(setup.films)
    )
    return replace(setup, films=films)


def chosen(setup: Setup, numbers: Sequence[int]) -> Setup:
    """The setup with only these films, in this order."""
    return replace(
        setup,
        films=tuple(setup.films[n] for n in numbers),
        patients=tuple(setup.patients[n] for n in numbers),
        labels=setup.labels[list(numbers)],
        masks=tuple(setup.masks[n] for n in numbers),
    )
