"""Probes: what a network answers to changed versions of an image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

UNCHANGED = "unchanged"
"""Value of `probe` of the image as it is."""
FILLS = ("inpaint", "clone")
"""How a region is replaced, in the order in which they are tried: the first whose control leaves the
output as it is judges the finding."""
LESION, CONTROL = "lesion", "control"
"""The regions that are replaced; the variant of a probe of regions is "fill/region"."""
RECIPIENT = "recipient"
"""Variant of a swap: the healthy image into which nothing was cloned yet."""
SAME_PLACE, ELSEWHERE = "same_place", "elsewhere"
"""Where a swap clones lesion or control into a healthy image; the variant is "place/lesion"."""
BOTH_PLACES, SURROUNDINGS = "both_places", "surroundings"
"""What a swap compares: both places with each other, and a healthy image with one of the same label."""
SAME_LABEL = "same_label"
"""Variant of a swap: the lesion in another patient's image with the same label, in place of its own."""

Answer: TypeAlias = Literal[
    "used",
    "not_used",
    "follows",
    "only_at_its_place",
    "does_not_follow",
    "drops",
    "rises",
    "holds",
    "cannot_tell",
]
"""used, not_used: the annotated region. follows, only_at_its_place, does_not_follow: what the output does
with a lesion in a healthy image. drops, rises, holds: what the AUROC does; drops, holds: what the output of a
lesion does with the surroundings of a healthy image. cannot_tell: `Because` says why."""
Because: TypeAlias = Literal[
    "",
    "few_patients",
    "control_moves",
    "unclear",
    "other_fill",
    "no_healthy_image",
    "no_other_image",
    "fits_nowhere",
    "no_image",
    "one_class",
    "same_output",
]
"""Why a probe cannot tell. control_moves: replacing or cloning moves the output where no lesion is involved.
unclear: the interval neither shows an effect nor rules it out, or the places contradict each other.
other_fill: the fill before answers. no_healthy_image, no_other_image: no image of another patient without, or
with, the finding. fits_nowhere: no annotated region fits elsewhere in the body or into another image, or none
of 4 pixels and more is annotated. no_image: the change is possible on no image. one_class: no images both
with and without the finding. same_output: the output is the same for all images."""
Measure: TypeAlias = Literal["log_odds", "auroc", "rise", "surroundings"]
"""log_odds: fall of the output without the region less its fall without the control. auroc: with the change
less without. rise: rise of the output with the lesion in a healthy image less its rise with unmarked tissue.
surroundings: fall of the output of a lesion in a healthy image less its fall in one with the same label. All
but auroc are in SD over the images."""


@dataclass(frozen=True, slots=True)
class ProbedOutput:
    """The network's output for one finding and one version of an image."""

    case_id: str
    probe: str
    """Name of the probe; `UNCHANGED` for the image as it is."""
    variant: str
    finding: str
    logit: float
    """For a softmax, the log-odds."""


@dataclass(frozen=True, slots=True)
class Features:
    """What the last linear layer of a network reads of each image."""

    case_ids: tuple[str, ...]
    values: NDArray[np.float32]
    """(images, features); no features if the network has no such layer."""
    grids: NDArray[np.float16] = field(default_factory=lambda: np.zeros((0, 0, 0), np.float16))
    """(images, features, cells): the activations of the first images whose means the features are; no images
    if the features are no means, or if nobody asked for grids."""
    head: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    """(findings, features): the weights of the last linear layer; no findings if there are no grids."""


@dataclass(frozen=True, slots=True)
class LayerStatistics:
    """A row of normalisation.csv: how images differ from the training in a batch normalisation."""

    variant: str
    """Variant of the card with which the images were prepared; empty: as the card says."""
    layer: str
    """Name of the module."""
    n: int
    """Number of images."""
    channels: int
    distance: float | None
    """Median over channels of |mean - mean of training| / its standard deviation; None if infinite."""
    factor: float | None
    """Median over channels of the factor between variance and variance of training, 1 or more."""
    far: float
    """Share of channels whose mean or variance is another one."""
    is_trained: bool = True
    """False if it holds the mean 0 and the variance 1 of every channel, as before any training."""


@dataclass(frozen=True, slots=True)
class NetworkReading:
    """What a network makes of a few images inside."""

    features: Features
    layers: tuple[LayerStatistics, ...] = ()
    """By variant, in the order of the network's modules; none if it has no batch normalisation."""
