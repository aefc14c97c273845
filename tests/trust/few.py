"""Few: study sets that cannot tell, or whose parts differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipeline.phantoms.lesions import FINDINGS
from tests.trust.setups import Setup, chosen, with_films


def few_patients(setup: Setup, _rng: np.random.Generator, dose: float) -> Setup:
    """The first `dose` films."""
    return chosen(setup, range(int(dose)))


def copies_as_patients(setup: Setup, rng: np.random.Generator, dose: float) -> Setup:
    """`dose` films, each several times with a little noise under other patients' names."""
    count = len(setup.films)
    numbers = np.resize(np.arange(int(dose)), count)
    copied = chosen(setup, numbers.tolist())
    noisy = with_films(
        copied, lambda _, pixels: pixels + rng.normal(0, 0.002, pixels.shape).astype(np.float32)
    )
    return replace(noisy, patients=tuple(f"COPY-{number}" for number in range(count)))


def one_maker_inverted(setup: Setup, _rng: np.random.Generator, _dose: float) -> Setup:
    """The films of the most frequent maker are stored inverted."""
    makers = [film.attributes["manufacturer"] for film in setup.films]
    most = max(sorted(set(makers)), key=makers.count)
    return with_films(setup, lambda number, pixels: 1 - pixels if makers[number] == most else pixels)


def one_class(setup: Setup, _rng: np.random.Generator, _dose: float) -> Setup:
    """No film without a finding: each finding in turn is said to be present wherever nothing is annotated."""
    labels = setup.labels.copy()
    labels[:, FINDINGS.index("nodule")] = True
    return replace(setup, labels=labels)


def more_films_of_patients(setup: Setup, _rng: np.random.Generator) -> Setup:
    """Clean: every two films are one patient's."""
    return replace(setup, patients=tuple(f"PAIR-{n // 2}" for n in range(len(setup.films))))
