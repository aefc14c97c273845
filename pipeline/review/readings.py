"""Readings: what readers marked before the page showed them the network, as decision files hold it."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import numpy as np
from pydantic import AfterValidator, ConfigDict, Discriminator, Field

from pipeline.annotations.outlined import checked_outlines
from pipeline.guards.yaml_models import Items, Strict
from pipeline.records import Box, Kind, Point, Reference, Shape

FARTHEST = 2**17
"""Pixels from the image's corner; no image is larger."""
MOST_MARKS = 200
"""Of one finding on one image."""
MOST_CORNERS = 2000
"""Of one outline; the page simplifies what is drawn by hand."""
LONGEST_SECONDS = 86_400.0

Coordinate = Annotated[float, Field(ge=-1, le=FARTHEST)]
Length = Annotated[float, Field(gt=0, le=FARTHEST)]
Corner = Annotated[tuple[Coordinate, Coordinate], Field(strict=False)]
Seconds = Annotated[float, Field(ge=0, le=LONGEST_SECONDS)]
TIMED = (
    "Time in seconds during which the image was in view, since it came into view or since the answer before; "
    "of pauses without any input only the first 60 s count. Exports of older versions lack it."
)


class PointMark(Strict):
    """A point."""

    kind: Literal["point"]
    x: Coordinate = Field(description="Column; (0, 0) is the centre of the image's first pixel.")
    y: Coordinate = Field(description="Row.")


class BoxMark(Strict):
    """A box."""

    kind: Literal["box"]
    x: Coordinate = Field(description="Left edge, as a column; a pixel reaches half a unit to each side.")
    y: Coordinate = Field(description="Upper edge, as a row.")
    width: Length
    height: Length


class OutlineMark(Strict):
    """A closed outline, drawn by hand."""

    kind: Literal["outline"]
    points: Annotated[Items[Corner], Field(min_length=3, max_length=MOST_CORNERS)] = Field(
        description="Its corners as (x, y), closed from the last to the first."
    )


Mark: TypeAlias = Annotated[PointMark | BoxMark | OutlineMark, Discriminator("kind")]


def _of_one_kind(marks: tuple[Mark, ...]) -> tuple[Mark, ...]:
    if len({mark.kind for mark in marks}) > 1:
        raise ValueError("wanted marks of one kind; export the decisions again")
    return marks


class Reading(Strict):
    """What a reader marked of one finding on one image before seeing what the network made of it."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False)

    case_id: str = Field(description="Pseudonym of the image.")
    finding: str
    marks: Annotated[Items[Mark], Field(max_length=MOST_MARKS), AfterValidator(_of_one_kind)] = Field(
        description="Points, boxes or outlines, in pixels of the image; empty: nothing to see."
    )
    decided: str = Field(description="Time at which the reading was final, ISO 8601.")
    seconds: Seconds | None = Field(default=None, description=TIMED)


def reference_of(reading: Reading, reader: str, shape: Shape) -> Reference:
    """The reading as an annotation on an image of `shape`: points, boxes, or masks of outlines.

    Raises CaseError for marks outside the image ("box_outside_image", "polygon_outside_image",
    "point_outside_image").
    """
    marks = reading.marks
    points = tuple(Point(mark.x, mark.y) for mark in marks if isinstance(mark, PointMark))
    boxes = tuple(Box(m.x, m.y, m.width, m.height) for m in marks if isinstance(m, BoxMark))
    polygons = tuple(np.array(mark.points, np.float32) for mark in marks if isinstance(mark, OutlineMark))
    kind: Kind = "point" if points else "box" if boxes else "polygon"
    reference = Reference(
        reading.case_id, reading.finding, reader, kind, boxes=boxes, polygons=polygons, points=points
    )
    return checked_outlines(reference, shape)
