"""Label Studio: one exported JSON file (JSON or JSON-MIN) with rectangles, polygons, ellipses and key points.

Coordinates are percents of the image's width and height, from its corner; rectangles and ellipses turn
clockwise, rectangles about their top left corner. Each annotator of a task is a reader. Choices about the
whole image say that it shows them; those about a shape are not read. JSON-MIN does not tell single choices
from data: they are read from JSON only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote

import numpy as np

from pipeline.annotations.drawn import items_of, read_shapes
from pipeline.annotations.json_fields import size_in, usable
from pipeline.annotations.json_kinds import is_export
from pipeline.annotations.shapes import (
    Drawn,
    Geometry,
    Problem,
    box_of,
    ellipse_of,
    looked_at,
    not_read,
    point_of,
    polygon_of,
    tag,
    turned,
)
from pipeline.annotations.source_files import image_key, source_file
from pipeline.contracts import AnnotationFormat
from pipeline.errors import CaseError, ConfigError
from pipeline.guards.json_files import read_json
from pipeline.guards.reading import named
from pipeline.records import AnnotationItem, Shape

SHAPES = ("rectanglelabels", "polygonlabels", "ellipselabels", "keypointlabels", "brushlabels")
"""Keys of the labels of shapes; all other results are of the whole image, or attributes of shapes."""
Result: TypeAlias = tuple[Mapping[str, Any], Shape | None]
"""The value of a result, and the size of its image."""
CHOICES = "choices"
OF_SHAPES = frozenset({"x", "y", "points", "format", "rle"})
"""Keys of values that lie somewhere on the image."""
NOT_READ = (
    "an answer about the whole image that is no choice (text, number, rating or taxonomy) is not read; ask "
    "for findings by choices"
)
UPLOADED = re.compile(r"(?:.*/)?data/upload/(?:[^/]*/)*(?:[0-9a-f]{8}-)?", re.DOTALL)
"""What Label Studio puts before the name of an uploaded file."""
LOCAL = re.compile(r"(?:.*/)?data/local-files/?\?d=", re.DOTALL)
ADDRESS = re.compile(r"[a-z0-9+.-]+://[^/]*/", re.IGNORECASE)
PERCENT = 100
BRUSH = Problem(
    "not_a_mask",
    "A shape was drawn with a brush, whose coding is not read; export brush masks as PNG or COCO.",
)
NO_SIZE = "A shape has no original_width and original_height; export it again as JSON."


def find(path: Path, *, file: str | None = None, reader: str | None = None) -> Iterator[AnnotationItem]:
    """One item per image, label and annotator; `reader` replaces the annotators.

    Raises ConfigError if the file is not an export, a task names no image, or there is no shape.
    """
    chosen = source_file(path, file)
    with named(chosen):
        content = read_json(chosen, most_values=None)
    if not is_export(content):
        raise ConfigError(f"{chosen}: is not an export of Label Studio; export it as JSON")
    drawn: list[Drawn] = []
    for number, task in enumerate(content, start=1):
        with named(f"{chosen}: task {number}"):
            drawn += _shapes(task, reader)
    yield from items_of("label_studio", drawn)


def _shapes(task: Any, reader: str | None) -> Iterator[Drawn]:
    """The shapes and choices of a task. Raises CaseError."""
    if not isinstance(task, dict):
        raise CaseError("bad_entry", "is not a task; export it again")
    image = _image(task.get("data", task))
    for annotator, results in _results(task):
        who = reader or annotator
        yield looked_at(image, who)
        for value, size in results:
            yield from (Drawn(image, label, shape, who, size=size) for label, shape in _labelled(value, size))
            if not OF_SHAPES & value.keys():
                yield from _of_image(image, value, who)


def _of_image(image: str, value: Mapping[str, Any], reader: str) -> Iterator[Drawn]:
    """What a value says of the whole image."""
    choices = value.get(CHOICES)
    if isinstance(choices, list):
        yield from (tag(image, choice, reader) for choice in choices if isinstance(choice, str))
    else:
        yield not_read(image, NOT_READ, reader)


def _results(task: Mapping[str, Any]) -> Iterator[tuple[str, list[Result]]]:
    """Annotator, and value and size of the image of each result."""
    if "annotations" not in task:
        lists = [entry for key, entry in task.items() if isinstance(entry, list) and key != "data"]
        choices = [entry for entry in task.values() if isinstance(entry, dict) and CHOICES in entry]
        values = [*(value for entry in lists for value in _dicts(entry)), *choices]
        yield _annotator(task.get("annotator")), [(value, _size(value)) for value in values]
        return
    for annotation in _dicts(task["annotations"]):
        if not annotation.get("was_cancelled"):
            results: list[Result] = [
                (value, _size(result))
                for result in _dicts(annotation.get("result"))
                if isinstance(value := result.get("value"), dict)
            ]
            yield _annotator(annotation.get("completed_by")), results


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _size(entry: Mapping[str, Any]) -> Shape | None:
    return size_in(entry, "original_height", "original_width")


def _annotator(who: Any) -> str:
    """The reader's name, by the annotator's number."""
    number = who.get("id") if isinstance(who, dict) else who
    return f"annotator {number}" if isinstance(number, int | str) else "reader"


def _labelled(value: Mapping[str, Any], size: Shape | None) -> Iterator[tuple[str, Geometry]]:
    """Each label of a value, with its shape."""
    for kind in SHAPES:
        if kind in value:
            shape = usable(partial(_geometry, kind, value, size))
            labels = value[kind] if isinstance(value[kind], list) else []
            for label in labels or [""]:
                yield (label if isinstance(label, str) else ""), shape


def _geometry(kind: str, value: Mapping[str, Any], size: Shape | None) -> Geometry:
    if kind == "brushlabels":
        return BRUSH
    if size is None:
        raise CaseError("bad_shape", NO_SIZE)
    unit = np.array([size[1], size[0]]) / PERCENT
    if kind == "polygonlabels":
        return polygon_of(np.array(value["points"], np.float64) * unit)
    x, y = np.array([value["x"], value["y"]], np.float64) * unit
    if kind == "keypointlabels":
        return point_of(x, y)
    turn = float(value.get("rotation") or 0)
    if kind == "ellipselabels":
        across, down = np.array([value["radiusX"], value["radiusY"]], np.float64) * unit
        return ellipse_of(x, y, across, down, degrees=turn)
    width, height = np.array([value["width"], value["height"]], np.float64) * unit
    if not turn:
        return box_of(x, y, width, height)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]])
    return polygon_of(turned(corners, turn) + (x, y))  # noqa: RUF005  adds numbers


def _image(data: Any) -> str:
    """The name of a task's image: its key "image", else its only text. Raises CaseError."""
    texts = [value for value in data.values() if isinstance(value, str)] if isinstance(data, dict) else []
    named_so = data.get("image") if isinstance(data, dict) else None
    chosen = named_so if isinstance(named_so, str) else texts[0] if len(texts) == 1 else None
    if chosen is None:
        raise CaseError("bad_entry", 'names no image; call the key of its data "image"')
    text = unquote(chosen)
    for start in (UPLOADED, LOCAL, ADDRESS):
        if match := start.match(text):
            return image_key(text[match.end() :])
    return image_key(text)


LABEL_STUDIO = AnnotationFormat(find=find, read=read_shapes, kind=None)
