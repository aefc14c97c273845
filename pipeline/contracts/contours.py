"""Contracts of threshold rules and baselines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pipeline.records import Intensity


@dataclass(frozen=True, slots=True)
class ThresholdRule:
    """Converts a threshold into a level of a heatmap; pixels at or above the level are inside the contour."""

    level: Callable[[Intensity, float], float | None]
    """level(relevance, threshold): the level in the heatmap's unit, from its positive relevance on the
    image's grid; None for a flat map.

    Raises ConfigError if the threshold is out of the rule's range.
    """
    words: str
    """Description of what is inside, with {threshold}: "pixels at or above {threshold} of the maximum"."""
    reads: Literal["extremes", "pixels"] = "pixels"
    """What `level` reads. `extremes`: maximum and minimum only, so that few pixels need interpolation."""
    tuned_over: tuple[float, ...] = ()
    """The thresholds that `heatproof tune` tries; empty if one threshold cannot be compared between maps."""
    script: str = ""
    """JavaScript version of the rule, "package:file.js", which lets a case page redraw contours at other
    thresholds (see reporting/static/thresholds.js); without it the page shows the audit's contours."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """A map made without the network, scored like the network's maps. Its grid covers the whole image."""

    reads: Literal["nothing", "references", "identity", "pixels"]
    """Input of the map. nothing: one map per run. references (of other images): one map per finding. identity
    (of the image): one map per image and finding. pixels: one map per image."""
    draw: Callable[..., Intensity | None]
    """The map (rows, columns), 0 outside the marked area; its arguments depend on `reads`.

    nothing: draw(). references: draw(shares), with the share of each cell of `baselines.grid.GRID` that the
    finding covers, one array per other image; returns None if there are none. identity: draw(sha256, frame,
    finding), deterministic. pixels: draw(pixels), with the image's pixels, 0 … 1.
    """
    title: str
    """Name in tables: "image centre"."""
    subject: str
    """Description, used as the subject of a sentence: "the mean mask, the same for every image,"."""
