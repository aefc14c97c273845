"""Suspicions: what a rule or a probe found against the network, its input or the study set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Suspect: TypeAlias = Literal["network", "map", "masks", "labels", "card", "weights", "too_few"]
"""Where the fault may lie. network: what it learnt, for example a shortcut. map: the attribution method, its
layer or its grid. masks: annotations, or their place on the images. labels: the labels, or the order of the
network's outputs. card: preprocessing, activation. weights: broken or missing. too_few: the study set cannot
tell, because it holds too few images or patients, or too many copies."""
Strength: TypeAlias = Literal["strong", "weak"]
"""strong: shown, beyond chance and by an amount that matters. weak: it speaks for it, other causes remain."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A row of suspects.csv: one rule that turned, with the number that turned it."""

    finding: str
    """A finding, or `ALL_FINDINGS`."""
    rule: str
    """Name of the rule or probe in snake_case."""
    suspect: Suspect
    strength: Strength
    sentence: str
    """What was found and what may be the cause, without identifiers of the input."""
    estimate: float | None = None
    """The number that turned the rule; `sentence` says what it is."""
    low: float | None = None
    high: float | None = None
    n: int | None = None
    """Number of images, patients or whatever `sentence` counts."""
