"""Label Studio: one exported JSON file (JSON or JSON-MIN) with rectangles, polygons, ellipses and key points.

Coordinates are percents of the image's width and height, from its corner; rectangles and ellipses turn
clockwise, rectangles about their top left corner. A shape may have its label in a result of its own
(<Rectangle> with <Labels>); shapes on turned images are refused. Each annotator of a task is a reader.
Choices about the whole image say that it shows them; those about a shape are not read. JSON-MIN does not tell
single choices from data: they are read from JSON only.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import numpy as np

from pipeline.annotations.drawn import items_of, read_shapes
from pipeline.annotations.json_fields import content_of, size_in, usable
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
from pipeline.guards.reading import named
from pipeline.records import AnnotationItem, Shape

ANY = "labels"
LABELS = ("rectanglelabels", "polygonlabels", "ellipselabels", "keypointlabels", "brushlabels", ANY)
"""Keys of the labels of shapes; all other results are of the whole image, or attributes of shapes."""
SHAPES = ("rectangle", "polygon", "ellipse", "keypoint", "brush")
"""Types of results that are shapes, whose labels are results of their own with the same id."""
KEYS = {
    "rle": "brushlabels",
    "points": "polygonlabels",
    "radiusX": "ellipselabels",
    "height": "rectanglelabels",
    "x": "keypointlabels",
}
"""Key that only such a shape has, of those before it → the shape, where its labels do not tell."""


class Result(NamedTuple):
    """A result about a shape or the whole image."""

    value: Mapping[str, Any]
    size: Shape | None
    problem: Problem | None = None
    """Why its shape cannot be used."""
    is_unlabelled: bool = False
    """Whether it is a shape to which no result gives a label."""


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
TURNED = Problem(
    "bad_shape",
    "A shape was drawn on an image that was turned in Label Studio (image_rotation), so that its place is "
    "unknown; turn the image back there, and export again.",
)
SEVERAL = Problem(
    "bad_shape",
    "The shapes of one task are drawn on several images (to_name), and the export does not say which file "
    "each image is; export one image per task.",
)
NO_SIZE = "A shape has no original_width and original_height; export it again as JSON."


def find(path: Path, *, file: str | None = None, reader: str | None = None) -> Iterator[AnnotationItem]:
    """One item per image, label and annotator; `reader` replaces the annotators.

    Raises ConfigError if the file is not an export, a task names no image, or there is no shape.
    """
    chosen = source_file(path, file)
    content = content_of(chosen)
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
        for one in results:
            yield from (Drawn(image, label, shape, who, size=one.size) for label, shape in _labelled(one))
            if not OF_SHAPES & one.value.keys():
                yield from _of_image(image, one.value, who)


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
        yield _annotator(task.get("annotator")), [_result(value, value) for value in values]
        return
    for annotation in _dicts(task["annotations"]):
        if not annotation.get("was_cancelled"):
            found = [one for one in _dicts(annotation.get("result")) if isinstance(one.get("value"), dict)]
            labelled = [one.get("id") for one in found if any(key in one["value"] for key in LABELS)]
            results = [_result(one, one["value"], labelled) for one in found]
            places = {one.get("to_name") for one in found if OF_SHAPES & one["value"].keys()}
            yield (
                _annotator(annotation.get("completed_by")),
                [one._replace(problem=SEVERAL) for one in results] if len(places) > 1 else results,
            )


def _result(entry: Mapping[str, Any], value: Mapping[str, Any], labelled: Container[Any] = ()) -> Result:
    """The result in an entry of an export; `labelled` are the ids of shapes that have a label."""
    is_unlabelled = entry.get("type") in SHAPES and entry.get("id") not in labelled
    return Result(value, _size(entry), TURNED if entry.get("image_rotation") else None, is_unlabelled)


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _size(entry: Mapping[str, Any]) -> Shape | None:
    return size_in(entry, "original_height", "original_width")


def _annotator(who: Any) -> str:
    """The reader's name, by the annotator's number."""
    number = who.get("id") if isinstance(who, dict) else who
    return f"annotator {number}" if isinstance(number, int | str) else "reader"


def _labelled(result: Result) -> Iterator[tuple[str, Geometry]]:
    """Each label of a result, with its shape; of a shape without label, an empty one."""
    value = result.value
    for kind in [key for key in LABELS if key in value] or [ANY] * result.is_unlabelled:
        own = next((KEYS[key] for key in KEYS if key in value), kind) if kind == ANY else kind
        shape = result.problem or usable(partial(_geometry, own, value, result.size))
        labels = value.get(kind)
        for label in labels if isinstance(labels, list) and labels else [""]:
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
