"""CheXlocalize: polygons in one JSON file, {image: {"img_size": [rows, columns], finding: [[[x, y], …], …]}}.

As in `gt_annotations_val.json`. Each polygon is a lesion of its own; an empty list means that the finding is
absent. A pair of numbers instead of a polygon is a point, as the most representative one of a lesion.
Coordinates count from the image's corner: Pillow draws the published masks, and cuts coordinates off to the
pixels in which they lie.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.annotations.drawn import items_of, read_shapes
from pipeline.annotations.json_fields import content_of, usable
from pipeline.annotations.json_kinds import IMG_SIZE, img_size
from pipeline.annotations.shapes import Drawn, Geometry, point_of, polygon_of
from pipeline.annotations.source_files import image_key, source_file
from pipeline.contracts import AnnotationFormat
from pipeline.errors import ConfigError
from pipeline.records import AnnotationItem

WANTED = '{image: {"img_size": [rows, columns], finding: [[[x, y], ...], ...]}}'


def find(path: Path, *, file: str | None = None, reader: str = "reader") -> Iterator[AnnotationItem]:
    """One item per image and finding. Raises ConfigError if the file is no mapping of images to findings."""
    chosen = source_file(path, file)
    content = content_of(chosen)
    if not isinstance(content, dict) or not content:
        raise ConfigError(f"{chosen}: names no image; write it as {WANTED}")
    yield from items_of("chexlocalize", _drawn(chosen, content, reader))


def _drawn(file: Path, content: Mapping[str, Any], reader: str) -> Iterator[Drawn]:
    for number, (image, findings) in enumerate(content.items(), start=1):
        size = img_size(findings)
        if size is None:
            raise ConfigError(
                f"{file}: image {number} has no {IMG_SIZE} [rows, columns]; write it as {WANTED}"
            )
        for finding, polygons in findings.items():
            if finding == IMG_SIZE:
                continue
            if not isinstance(polygons, list):
                raise ConfigError(
                    f"{file}: image {number} has a finding without a list; write it as {WANTED}"
                )
            for polygon in polygons:
                shape = usable(partial(_geometry, polygon))
                yield Drawn(image_key(image), finding, shape, reader, size=size)
            if not polygons:
                yield Drawn(image_key(image), finding, None, reader, size=size)


def _geometry(points: Any) -> Geometry:
    """A polygon, or the point of one pair of numbers."""
    if len(points) == 2 and not isinstance(points[0], list):  # noqa: PLR2004  x and y
        return point_of(*points)
    return polygon_of(points)


CHEXLOCALIZE = AnnotationFormat(find=find, read=read_shapes, kind=None)
