"""Setups: all that an audit is given, in memory, so that a defect is a function from one to another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from monai.networks.nets import densenet
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from pipeline import phantoms
from pipeline.phantoms.lesions import FINDINGS
from pipeline.phantoms.radiograph import HIGHEST, Exposure, expose, shown
from pipeline.records import Intensity, Mask

NETWORKS = Path(__file__).parent / "networks"
CARDS = (
    Path(phantoms.__file__).parent / "reference_model" / "reference_model.yaml",
    *sorted(NETWORKS.glob("*/reference_model.yaml")),
)
"""Of the shipped reference model, and of its trainings with other seeds."""
COUNT = 64
"""Films of a study set."""
SIZES = (128, 192)
"""Rows and columns of the films, by turns of the seed's halves, as are the networks: with three networks, six
consecutive odd (or even) seeds have every size with every network.
"""
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
    network: int = 0
    """Number of the training that the tensors are of, in `CARDS`."""
    findings: tuple[str, ...] = FINDINGS
    sources: tuple[Path, ...] = ()
    """The DICOM files that films were read from; none of phantoms."""

    def positives(self, finding: str) -> NDArray[np.intp]:
        """The films that show a finding by its label."""
        return np.flatnonzero(self.labels[:, self.findings.index(finding)])


def clean(seed: int, *, count: int = COUNT) -> Setup:
    """A training of the reference model on its phantoms, as they are."""
    films = drawn(seed, count)
    masks = tuple(
        {name: np.any(lesions, axis=0) for name, lesions in film.masks.items() if lesions} for film in films
    )
    labels = np.array([[name in found for name in FINDINGS] for found in masks])
    patients = tuple(f"PHANTOM-{seed}-{film.patient:05d}" for film in films)
    network = network_number(seed)
    return Setup(
        films,
        patients,
        labels,
        masks,
        reference_tensors(network),
        card_without_weights(CARDS[network]),
        network,
    )


@lru_cache(maxsize=DRAWN)
def drawn(seed: int, count: int) -> tuple[Exposure, ...]:
    """The first films of a seed."""
    return tuple(expose(seed, index, size=size_of(seed)) for index in range(count))


def size_of(seed: int) -> int:
    """Rows and columns of a seed's films."""
    return SIZES[seed // 2 % len(SIZES)]


def network_number(seed: int) -> int:
    """The place in `CARDS` of a seed's network; of seeds 0 and 1, the shipped one."""
    return seed // 2 % len(CARDS)


@lru_cache(maxsize=len(CARDS))
def reference_tensors(network: int) -> Mapping[str, Tensor]:
    """The tensors of a training of the reference model, in single precision."""
    return tensors_of(CARDS[network].with_suffix(".safetensors"))


def tensors_of(file: Path) -> Mapping[str, Tensor]:
    """The tensors of a file, in single precision."""
    tensors = load_file(file)
    return {
        name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()
    }


def card_without_weights(file: Path) -> Mapping[str, Any]:
    """The keys of a card, without those of the weights."""
    card: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {key: value for key, value in card.items() if key not in {"weights", "sha256", "figures"}}


def network_of(tensors: Mapping[str, Tensor], card: Mapping[str, Any]) -> densenet.DenseNet:
    """The network of a card with these tensors, ready to answer."""
    architecture = card["architecture"]
    network: densenet.DenseNet = getattr(densenet, architecture["class"])(**architecture["arguments"])
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
        sources=tuple(setup.sources[n] for n in numbers) if setup.sources else (),
    )
