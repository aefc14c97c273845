"""Synthetic study sets with known true means: one to six images per patient, correlated within a patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

MANY = 400_000
"""Patients for the true values, whose error is then 1 % of the narrowest interval below."""


@dataclass(frozen=True)
class StudySet:
    """One row per image."""

    patients: list[str]
    score: Values
    """A skewed score between 0 and 1, more than a third of them 0."""
    rival: Values
    """The score of another map that is equally good."""
    hit: Values
    """0 or 1."""
    prior: Values
    ceiling: Values
    probability: Values
    label: NDArray[np.bool_]


def study_set(generator: np.random.Generator, patients: int) -> StudySet:
    """A random study set; the difficulty of a patient affects all numbers of all their images."""
    unit = np.repeat(np.arange(patients), generator.integers(1, 7, size=patients))
    images = len(unit)
    ease = 0.8 * generator.normal(size=patients)[unit]
    noise = generator.normal(size=(5, images))
    missed = generator.random((2, images)) > _share(ease + 0.6)
    label = generator.random(images) < _share(0.8 * generator.normal(size=patients)[unit])
    return StudySet(
        patients=[f"{number:06}" for number in unit],
        score=np.where(missed[0], 0, _share(ease + noise[0] - 0.8)),
        rival=np.where(missed[1], 0, _share(ease + noise[4] - 0.8)),
        hit=(generator.random(images) < _share(ease - 0.5)).astype(np.float64),
        prior=_share(0.5 * ease + noise[1] - 1.8),
        ceiling=_share(0.5 * ease + 0.7 * noise[2] + 1.2),
        probability=_share(1.5 * label + ease + noise[3]),
        label=label,
    )


def _share(logit: Values) -> Values:
    return np.asarray(1 / (1 + np.exp(-logit)))
