"""Lines: a text file of annotations, "image finding numbers …" a line, as boxes, polygons or points."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from pipeline.contracts import AnnotationFormat
from pipeline.records import AnnotationItem, Box, Kind, Point, Reference, Shape


def _find(path: Path, name: str, *, file: str = "lines.txt", reader: str = "lab") -> Iterator[AnnotationItem]:
    for line in (path / file).read_text().splitlines():
        image, finding, *numbers = line.split()
        yield AnnotationItem(name, image, finding, reader, {"numbers": tuple(map(float, numbers))})


def _read(kind: Kind, item: AnnotationItem, *, case_id: str, finding: str, shape: Shape) -> Reference:  # noqa: ARG001
    geometry = GEOMETRY[kind](item.payload["numbers"])
    return Reference(case_id, finding, item.reader, kind, **geometry)


GEOMETRY: dict[Kind, Callable[..., dict[str, object]]] = {
    "box": lambda n: {"boxes": (Box(*n),)},
    "polygon": lambda n: {"polygons": (np.array(n, np.float32).reshape(-1, 2),)},
    "point": lambda n: {"points": tuple(Point(*place) for place in zip(n[::2], n[1::2], strict=True))},
}


def _format(name: str, kind: Kind) -> AnnotationFormat:
    def find(path: Path, *, file: str = "lines.txt", reader: str = "lab") -> Iterator[AnnotationItem]:
        return _find(path, name, file=file, reader=reader)

    return AnnotationFormat(find=find, read=partial(_read, kind), kind=kind)


BOXES = _format("lab_boxes", "box")
POLYGONS = _format("lab_polygons", "polygon")
POINTS = _format("lab_points", "point")
