"""Points: a CSV file with one row per point, for one or several readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, cast

from pipeline.annotations.box_columns import POINT
from pipeline.annotations.boxes import row_items, rows_of
from pipeline.annotations.shapes import Origin
from pipeline.contracts import AnnotationFormat
from pipeline.records import AnnotationItem, Point, Reference, Shape


def find(
    path: Path,
    *,
    file: str | None = None,
    columns: Mapping[str, str | None] | None = None,
    finding: str | None = None,
    reader: str | None = None,
    origin: Origin = "corner",
    first_frame: Literal[0, 1] | None = None,
    no_finding: tuple[str, ...] = (),
) -> Iterator[AnnotationItem]:
    """One item per image, frame, finding and reader; without coordinates, the finding is absent.

    The options are those of boxes, with x and y as the only coordinates.
    """
    grouped = rows_of(
        path,
        file=file,
        columns=columns,
        finding=finding,
        reader=reader,
        origin=origin,
        first_frame=first_frame,
        kinds=(POINT,),
    )
    yield from row_items("points", grouped.rows, no_finding)


def read(item: AnnotationItem, *, case_id: str, finding: str, shape: Shape) -> Reference:  # noqa: ARG001  a format's argument
    """The points, one instance each; the caller checks them."""
    points = cast("tuple[Point, ...]", item.payload["points"])
    return Reference(case_id, finding, item.reader, kind="point", points=points)


POINTS = AnnotationFormat(find=find, read=read, kind="point")
