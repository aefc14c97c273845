"""Regions: contours of a heatmap, and the rule that draws them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.records.annotations import Box
from pipeline.records.arrays import Mask, Outline
from pipeline.records.heatmaps import Heatmap


@dataclass(frozen=True, slots=True)
class Region:
    """One contour of the network: a connected part of a thresholded heatmap on the image's own grid."""

    case_id: str
    finding: str
    method: str
    rule: str
    level: float
    """Pixels of at least this relevance are inside, in the heatmap's unit."""
    corner: tuple[int, int]
    """(row, column) of the top left pixel of `mask` in the image."""
    mask: Mask
    """The region, cropped to its bounding box."""
    outlines: tuple[Outline, ...]
    """The outer boundary, followed by the holes."""
    peak: float
    """Highest relevance inside, in the heatmap's unit."""
    drawn: Box | None = None
    """Box drawn by a reader, which may end between pixels; None for all other regions."""

    @property
    def area_px(self) -> int:
        """Number of pixels inside."""
        return int(self.mask.sum())

    @property
    def box(self) -> Box:
        """The box drawn by a reader, or else the bounding box along the outer edges of the pixels."""
        if self.drawn is not None:
            return self.drawn
        row, column = self.corner
        height, width = self.mask.shape
        return Box(x=column - 0.5, y=row - 0.5, width=float(width), height=float(height))


@dataclass(frozen=True, slots=True)
class Peak:
    """The maximum of a heatmap: its position in image coordinates, and its raw relevance."""

    finding: str
    method: str
    x: float
    y: float
    relevance: float


@dataclass(frozen=True, slots=True)
class Dropped:
    """Number of regions of one map that were dropped because they are smaller than the minimum area."""

    finding: str
    method: str
    count: int


@dataclass(frozen=True, slots=True)
class ContourRule:
    """How the map of a finding becomes contours."""

    rule: str
    threshold: float
    gate: Literal["predicted", "all", "annotated"]
    """Which findings of an image get contours; "annotated": annotated or predicted findings."""
    probability: float | None = None
    """Probability from which on a finding counts as predicted; None: the network's operating point."""
    filled: bool = False
    """Whether holes in a contour are filled."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """All contours of one finding on one image."""

    regions: tuple[Region, ...]
    mask: Mask
    """Union of all regions, in the image's shape."""
    peak: tuple[int, int] | None
    """(row, column) of the heatmap's maximum on the image; None if the gate is closed or the map is flat."""
    dropped: int = 0
    """Number of regions that were dropped because they are smaller than the minimum area."""
    heatmap: Heatmap | None = None
    """The map of the contours, also if the gate is closed; None if only contours are known."""
