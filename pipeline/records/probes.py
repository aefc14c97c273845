"""Probes: what a network answers to changed versions of an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNCHANGED = "unchanged"
"""Value of `probe` of the image as it is."""
FILLS = ("inpaint", "clone")
"""How a region is replaced, in the order in which they are tried: the first whose control leaves the
output as it is judges the finding."""
LESION, CONTROL = "lesion", "control"
"""The regions that are replaced; the variant of a probe of regions is "fill/region"."""


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


@dataclass(frozen=True, slots=True)
class NetworkReading:
    """What a network makes of a few images inside."""

    features: Features
    layers: tuple[LayerStatistics, ...] = ()
    """By variant, in the order of the network's modules; none if it has no batch normalisation."""
