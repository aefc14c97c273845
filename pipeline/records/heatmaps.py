"""Heatmaps: predictions and heatmaps of an image, and where their grid lies on the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.records.annotations import AnnotationItem
from pipeline.records.arrays import Intensity, Shape


@dataclass(frozen=True, slots=True)
class Placement:
    """Position of the model's grid on the image: image = scale × model + offset, for rows and for columns.

    Both grids have their origin at the centre of their first cell. A negative scale is a flip.
    """

    model_shape: Shape
    image_shape: Shape
    scale: tuple[float, float]
    offset: tuple[float, float]
    overhang: tuple[tuple[float, float], tuple[float, float]] = ((0.5, 0.5), (0.5, 0.5))
    """Reach of the grid beyond the centre of the first and of the last cell, in cells, for rows and columns.
    Less than ½ where the view ends before."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Positions of a grid's cells along one axis of the network's input.

    The receptive field of cell i is centred at start + step · i, in pixels of the input.
    """

    start: float
    step: float
    """Not 0; negative if the network mirrors its input."""
    size: int


@dataclass(frozen=True, slots=True)
class ModelInput:
    """One image, preprocessed for the network."""

    case_id: str
    tensor: NDArray[np.float32]
    """(channels, height, width)."""
    placement: Placement


@dataclass(frozen=True, slots=True)
class Prediction:
    """The network's output for one finding on one image."""

    case_id: str
    finding: str
    logit: float
    """ln(p / (1 - p)) of the probability p; the network's output if it is a probability itself."""
    probability: float
    """0 … 1."""
    threshold: float
    """The operating point: the lowest probability that counts as positive."""

    @property
    def positive(self) -> bool:
        """Whether the probability reaches the operating point."""
        return self.probability >= self.threshold


@dataclass(frozen=True, slots=True)
class Heatmap:
    """Raw relevance of one finding on the attribution grid: not rescaled, not upsampled, signs kept."""

    case_id: str
    finding: str
    method: str
    relevance: Intensity
    unit: Literal["logit", "relative", "contour"]
    """`contour`: an external contour, 1 inside and 0 outside, which does not rank pixels."""
    placement: Placement
    """Position of the attribution grid (its `model_shape`) on the image."""


@dataclass(frozen=True, slots=True)
class MapPlane:
    """What one frame of a DICOM file of maps refers to; empty where it does not say it."""

    image: str
    """SOP instance UID."""
    frame: int | None
    """Frame of the image, counted from 0; None: it names no frame."""
    finding: str
    method: str = ""
    probability: float | None = None
    """Of the finding, 0 … 1; None if the file does not say it, as for what follows."""
    operating_point: float | None = None
    """Probability from which the finding counts as predicted."""
    placement: Placement | None = None
    """Position of the map's grid on the image; None: it covers the whole image."""


@dataclass(frozen=True, slots=True)
class HeatmapItem:
    """One external map or set of contours, not yet read: its image, finding and method."""

    format: str
    """Format in `pipeline.external_maps.formats`, or "dicom_seg" for contours."""
    path: str
    image: str
    """SOP instance UID of the image, or its name without suffix, with folders if they were given."""
    finding: str
    """Name of the finding in the source of the map."""
    method: str
    probability: float | None = None
    """Probability of the finding on the image; None if unknown."""
    operating_point: float | None = None
    """Probability from which the finding counts as predicted; None: that of the config."""
    placement: Placement | None = None
    """Position of the map's grid on the image; None: it covers the whole image."""
    frame: int | None = None
    """Frame of a multi-frame image, counted from 0; None: it names no frame."""
    plane: int = 0
    """Index of the map in its file, counted from 0."""
    contours: AnnotationItem | None = None
    """The annotation that holds the contours; None for a map."""
    sha256: str = ""
    """Result of `guards.file_hashes.file_hash`; empty: changes of the file are not detected."""
