"""Scores: regions compared with references, per image and per study set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipeline.records.annotations import Kind


@dataclass(frozen=True, slots=True)
class Score:
    """One metric of one case, finding, reader and method; `value` is None if undefined."""

    case_id: str
    finding: str
    reader: str
    method: str
    metric: str
    value: float | None
    undefined_because: str = ""
    """A short code in snake_case; empty if there is a value."""
    lesion: int | None = None
    """Number of the reference's instance, counted from 1; None for a score of the whole image."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A metric over all cases, with its interval."""

    finding: str
    reader: str
    method: str
    metric: str
    n: int
    """Number of defined scores."""
    undefined: Mapping[str, int]
    """Reason → number of scores that are undefined for this reason."""
    patients: int
    """Number of resampled units (patients) with a defined score."""
    estimate: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Candidates:
    """Contours of one drawing and lesions of one reference, each in their order, with their affinities."""

    case_id: str
    finding: str
    reader: str
    method: str
    kind: Kind
    """Kind of the reference; scores for different kinds are never pooled."""
    lesions: int
    """Number of lesions; 0: the reader says that the finding is absent."""
    scores: tuple[float, ...]
    """Score of each contour."""
    affinity: Mapping[str, tuple[tuple[float, ...], ...]]
    """Criterion → one row per contour, one column per lesion; 0 … 1."""
    shares: tuple[float, ...] = ()
    """Area of each lesion as a share of the image; none if the lesions are points."""
    areas_mm2: tuple[float, ...] = ()
    """Area of each lesion; none if they are points, or if the pixel spacing is unknown."""


@dataclass(frozen=True, slots=True)
class Curve:
    """IoU of one map with one reader's masks, at each level of `metrics.pixels.LEVELS`."""

    case_id: str
    finding: str
    reader: str
    method: str
    ious: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Fit:
    """How well the map of one output fits one reader's masks or boxes of one finding."""

    case_id: str
    finding: str
    """Of the annotation."""
    reader: str
    method: str
    output: str
    """Finding of the map."""
    ranks: tuple[float | None, ...]
    """Mean rank of the map's relevance in the annotation, 0 … 1, for each of `metrics.transforms.TRANSFORMS`
    if both are of one finding, else for the first alone. None: it leaves the image."""
    hits: tuple[float | None, ...]
    """Whether the map's highest cell touches the annotation, likewise."""


SurfaceDefinition: TypeAlias = Literal["border_pixel", "surfel"]
"""The outline of a mask: its border pixels, or the pieces between pixels, weighted by their length."""


@dataclass(frozen=True, slots=True)
class Tolerances:
    """Distances within which a result counts as right: in mm, or in pixels if the spacing is unknown."""

    surface_mm: float = 5.0
    """Between outlines. In a chest radiograph, a pixel is 0.15 mm wide, a cell of a 7 × 7 map about 50 mm."""
    surface_px: float = 10.0
    """About 4 mm in a chest radiograph resized to a width of 1024 pixels."""
    pointing_mm: float = 10.0
    """From peak to lesion. The published 15 of some 500 pixels (3 %) are 10 … 13 mm in a chest radiograph."""
    pointing_px: float = 15.0
    """As published (Zhang et al. 2018, the pointing game)."""
    surface: SurfaceDefinition = "border_pixel"
    """Between which outlines distances are measured."""


ENOUGH_PATIENTS = 10
"""Fewer patients give bootstrap intervals that are far too short, as measured by `make simulate` (three hits
of three: 100 % to 100 %)."""


def main_reader(rows: Iterable[Summary], metric: str, method: str) -> Summary | None:
    """The method's row for the reader with the most images; of equals, the first by name."""
    defined = (
        row for row in rows if (row.metric, row.method) == (metric, method) and row.estimate is not None
    )
    return max(sorted(defined, key=lambda row: row.reader), key=lambda row: row.n, default=None)
