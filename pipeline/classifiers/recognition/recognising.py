"""Recognising: the networks that have exactly the tensors of a file, or the one that is nearest to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Final

from torch import Tensor

from pipeline.classifiers.checkpoints import KEY_LAYOUTS
from pipeline.classifiers.pickled import Content
from pipeline.classifiers.recognition.candidates import Candidate, own_families
from pipeline.classifiers.recognition.fitting import Fit, fit, tensors_of
from pipeline.classifiers.recognition.libraries import library_families
from pipeline.classifiers.recognition.shapes import Shapes
from pipeline.classifiers.state_dicts import WRAPPERS, listed, state_dicts
from pipeline.classifiers.weight_formats import OTHER_FRAMEWORK
from pipeline.errors import ConfigError

ENDS: Final = 3
"""Parts of a name that are compared to see whether two networks are alike."""
MOST_FAMILIES: Final = 4
"""Families of a library that are compared network by network; others have other names of tensors."""
LARGE: Final = 9
"""From so many networks on, two of a family are compared with the file, not one."""
ALIKE: Final = 0.2
"""Share of the names that families have to have in common with the file."""
HALF: Final = 0.5
"""Of the largest share, for families; of the tensors, below which another refusal is the better reason."""
NEAR: Final = 0.1
"""A network with a smaller share of fitting tensors is not named as the nearest."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """The network of a file, and others that have the same tensors."""

    fit: Fit
    alternatives: tuple[Candidate, ...]


def recognise(content: Content, path: Path) -> Recognised:
    """The network with exactly the tensors of the file: one of our own, else of torchvision, else of timm.

    Raises ConfigError that names the nearest network and what differs if none has.
    """
    largest = max(state_dicts(content, path), key=lambda state: len(state.tensors))
    shapes = {WRAPPERS.sub("", name): tuple(one.shape) for name, one in largest.tensors.items()}
    nearest: list[Fit] = []
    refusals: list[ConfigError] = []
    for families in chain([own_families(shapes)], library_families()):
        for family in _like(shapes, families):
            fits = []
            for candidate, own in family:
                try:
                    fits.append(fit(candidate, own, content, path))
                except ConfigError as error:
                    refusals.append(error)
            exact = [one for one in fits if not one.differences]
            if exact:
                return Recognised(exact[0], tuple(one.candidate for one in exact[1:]))
            nearest += fits
    raise _unknown(nearest, refusals, shapes, path)


def _like(
    shapes: Shapes, families: Iterable[list[Candidate]]
) -> Iterator[Iterator[tuple[Candidate, Mapping[str, Tensor]]]]:
    """The families of which a network has names of tensors like those of the file, most alike first.

    Of each the networks with their tensors, which are built one by one.
    """
    names = _ends(shapes)
    shares = []
    for family in families:
        few = family[:1] if len(family) < LARGE else (family[0], family[len(family) // 2])
        found = [_ends_of(one.class_name, json.dumps(one.arguments)) for one in few]
        share = max(len(ends & names) / max(len(ends | names), 1) for ends in found)
        shares.append((share, family))
    shares.sort(key=lambda one: -one[0])
    least = max(ALIKE, HALF * max((share for share, _ in shares), default=0.0))
    for share, family in shares[:MOST_FAMILIES]:
        if share >= least:
            yield ((one, tensors) for one in family if (tensors := tensors_of(one)))


@lru_cache(maxsize=512)
def _ends_of(class_name: str, arguments: str) -> set[str]:
    """The ends of a network's names; its arguments are written as JSON, because they may be lists."""
    return _ends(tensors_of(Candidate(class_name, json.loads(arguments))))


def _ends(names: Iterable[str]) -> set[str]:
    """The last parts of names without their numbers, in the layout of MONAI's DenseNets."""
    ends = set()
    for name in names:
        end = KEY_LAYOUTS[0][0].sub(KEY_LAYOUTS[0][1], name).split(".")[-ENDS:]
        ends.add(re.sub(r"\d+", "0", ".".join(end)))
    return ends


def _unknown(fits: list[Fit], refusals: list[ConfigError], shapes: Shapes, path: Path) -> ConfigError:
    """The error of a file whose network is not known."""
    best = max(fits, key=lambda one: one.share, default=None)
    if refusals and (best is None or best.share < HALF):
        return refusals[0]
    what = (
        f"{path}: its {len(shapes)} tensors ({listed(sorted(shapes))}) are not those of a network that a "
        "card can name"
    )
    if best is None or best.share < NEAR:
        return ConfigError(
            f"{what} (with torchvision and timm installed, a card can name theirs, too); {OTHER_FRAMEWORK}"
        )
    return ConfigError(
        f"{what}; the nearest is {best.candidate.words}, of whose {best.wanted} tensors {best.fitting} fit: "
        f"{'; '.join(best.differences)}; write its card by hand if these are a head of several layers "
        f"(architecture.head), else {OTHER_FRAMEWORK}"
    )
