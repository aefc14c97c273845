"""Contract of metrics: their input and their properties."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Concatenate, Literal, ParamSpec, TypeAlias, TypeVar

import numpy as np

from pipeline.geometry import resample_to_image
from pipeline.records import Drawing, Intensity, Kind, Mask, Reference, Shape, Tolerances

P = ParamSpec("P")
T = TypeVar("T")


class Side:
    """One side of comparisons: a mask, its instances, and what metrics find out about this side alone.

    A reader's masks are compared with many others. What does not depend on the other side (areas, outlines,
    centroids) is computed once per side, not once per comparison.
    """

    def __init__(self, mask: Mask, instances: tuple[Mask, ...]) -> None:
        """`mask` is the union; the instances of a drawing are cropped, as its regions are."""
        self.mask = mask
        self.instances = instances
        self._found: dict[tuple[Any, ...], Any] = {}

    def once(self, compute: Callable[Concatenate[Side, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """compute(side, …), computed at the first call with these arguments. Callers must not change it."""
        key = (compute, args, *kwargs.items())
        if key not in self._found:
            self._found[key] = compute(self, *args, **kwargs)
        found: T = self._found[key]
        return found


def side_of_drawing(drawing: Drawing) -> Side:
    """The contours' side of a comparison."""
    return Side(drawing.mask, tuple(region.mask for region in drawing.regions))


def side_of_reference(reference: Reference, shape: Shape) -> Side:
    """The reference's side of a comparison; masks must have the image's `shape`."""
    if len(reference.masks) == 1:
        together = reference.masks[0].view()
    else:
        together = np.zeros(shape, np.bool_)
        for mask in reference.masks:
            together |= mask
    together.flags.writeable = False  # all metrics share it
    return Side(together, reference.masks)


@dataclass(frozen=True, eq=False)
class Scored:
    """One drawing and the reference it is compared with: the input of every metric."""

    drawing: Drawing
    reference: Reference
    spacing_mm: tuple[float, float] | None = None
    """Pixel spacing of the image (down, across); None if unknown."""
    tolerances: Tolerances = Tolerances()  # noqa: RUF009  frozen
    known: tuple[Side, ...] = ()
    """Sides that other comparisons have used; those of this drawing and this reference are used again."""

    @property
    def shape(self) -> Shape:
        """(rows, columns) of the image."""
        rows, columns = self.drawing.mask.shape
        return rows, columns

    @cached_property
    def sides(self) -> tuple[Side, Side]:
        """The drawing's side and the reference's side."""
        drawn = (side for side in self.known if side.mask is self.drawing.mask)
        true = (side for side in self.known if side.instances is self.reference.masks)
        return (
            next(drawn, None) or side_of_drawing(self.drawing),
            next(true, None) or side_of_reference(self.reference, self.shape),
        )

    @property
    def truth(self) -> Mask:
        """Union of the reference's masks."""
        return self.sides[1].mask

    @cached_property
    def relevance(self) -> Intensity | None:
        """Positive relevance resampled to the image's grid, as used for contours; None without a map."""
        heatmap = self.drawing.heatmap
        if heatmap is None:
            return None
        relevance = resample_to_image(np.maximum(heatmap.relevance, np.float32(0)), heatmap.placement)
        relevance.flags.writeable = False
        return relevance


Undefined: TypeAlias = str
"""The reason why a score is undefined, in snake_case."""


IMAGE_DIAGONAL = "image_diagonal"
"""In `Emptiness`, stands for the value of the image's diagonal in mm, the largest possible distance."""


@dataclass(frozen=True, slots=True)
class Emptiness:
    """Score of a metric if drawing or reference is empty: a number, or the reason why it is undefined."""

    missed: float | Undefined
    """The reference shows the finding; the drawing lacks what the metric reads."""
    healthy_drawn: float | Undefined
    """The reference says that the finding is absent; the network drew a contour."""
    healthy_clear: float | Undefined
    """The reference says that the finding is absent; the network drew nothing."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric and its properties."""

    name: str
    title: str
    """Name in tables."""
    against: frozenset[Kind]
    """Kinds of reference that it applies to; polygons count as masks. Kinds are never averaged together."""
    level: Literal["image", "lesion"]
    better: Literal["higher", "lower"]
    unit: str
    """Unit of the value; empty for a share, 0 … 1."""
    emptiness: Emptiness
    score: Callable[[Scored], tuple[float | Undefined, ...]]
    """score(scored): one value per image, or one per lesion in the reference's order, or reasons instead.

    Called only if the reference shows the finding and the drawing has what the metric reads.
    """
    reads: Literal["contours", "peak", "map"] = "contours"
    """The part of the drawing that is read. The map exists whether or not the gate is open."""
    binary: bool = False
    """Whether every value is 0 or 1, so that the mean over images is a proportion."""
    of_surface: bool = False
    """Whether the score depends on `surface_distance.definition`, which its title then states."""
