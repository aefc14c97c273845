"""YOLO: a text file per image, a line per object: class number, then shares of the image's width and height.

Four shares are centre and size of a box, six and more the corners of a polygon, as Ultralytics defines them;
they count from the image's corner. The names of the classes are in another file, or in the config.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from pipeline.annotations.drawn import items_of, read_shapes
from pipeline.annotations.json_fields import usable
from pipeline.annotations.shapes import Drawn, Geometry, Problem, Shares, looked_at, polygon_of, word
from pipeline.annotations.source_files import path_below
from pipeline.annotations.tool_files import image_in, items_in
from pipeline.contracts import AnnotationFormat, Executor
from pipeline.errors import CaseError, ConfigError
from pipeline.guards.reading import named, read_file
from pipeline.guards.yaml_models import read_yaml
from pipeline.records import AnnotationItem, Box

LARGEST_BYTES = 2**24
BOX, PREDICTED_BOX = 5, 6
"""Numbers of a line: the class and four shares, and a probability after them."""
NAME_LISTS = ("classes.txt", "obj.names", "labels.txt", "predefined_classes.txt")
NAME_TABLES = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
PREDICTED = Problem(
    "bad_box",
    "A line has six numbers, as of a box with a probability; give annotations, not predictions.",
)


def find(
    path: Path,
    executor: Executor | None = None,
    *,
    folder: str = "",
    reader: str = "reader",
    names: tuple[str, ...] | None = None,
) -> Iterator[AnnotationItem]:
    """One item per image and class of the files below `folder`.

    `names` are the classes' names in the order of their numbers; without them, classes.txt or data.yaml in
    the folder, or the one around it, says them. Raises ConfigError without names, or if there are no files.
    """
    root = path_below(path, folder) if folder else path
    known, has_keypoints = (dict(enumerate(names)), False) if names else _names(root)
    read = partial(_shapes, names=known, reader=reader, has_keypoints=has_keypoints)
    yield from items_of("yolo", (word(name, reader) for name in known.values()))
    yield from items_in("yolo", path, read, folder=folder, reader=reader, executor=executor)


def _names(root: Path) -> tuple[Mapping[int, str], bool]:
    """The names of classes in files beside the annotations, and whether lines of boxes have keypoints."""
    folder = root if root.is_dir() else root.parent
    for place in (folder, folder.parent):
        for file in (place / name for name in NAME_TABLES):
            if file.is_file():
                return _table(file)
        for file in (place / name for name in NAME_LISTS):
            if file.is_file():
                return {number: name for number, name in enumerate(_lines(file)) if name}, False
    raise ConfigError(
        f"{root}: YOLO files have numbers for their classes, and no data.yaml or "
        "classes.txt says their names; add one, or write names: [...] in the source"
    )


def _table(file: Path) -> tuple[Mapping[int, str], bool]:
    content = read_yaml(file)
    names = content.get("names")
    entries = dict(enumerate(names)) if isinstance(names, list) else names
    if not isinstance(entries, dict) or not all(
        isinstance(key, int) and isinstance(name, str | int) for key, name in entries.items()
    ):
        raise ConfigError(f"{file}: has no list of names; write names: [...], in the order of the classes")
    return {key: str(name) for key, name in entries.items()}, "kpt_shape" in content


def _lines(file: Path) -> list[str]:
    """The lines of a file; an empty one counts, as the number of a class without name."""
    with named(file):
        text = _text(file)
    return [line.strip() for line in text.splitlines()]


def _text(file: Path) -> str:
    try:
        return read_file(file, most_bytes=LARGEST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CaseError("annotation_unreadable", "is not text in UTF-8; save it again") from error


def _shapes(
    file: Path, folder: str, *, names: Mapping[int, str], reader: str, has_keypoints: bool
) -> list[Drawn]:
    """The objects of a file. Raises CaseError."""
    image = image_in(folder, file.stem)
    drawn = [looked_at(image, reader)]
    for line in _text(file).splitlines():
        if line.strip():
            number, *shares = line.split()
            if not (number.isdecimal() and len(number) < 9):  # noqa: PLR2004
                raise CaseError("annotation_unreadable", "has a line without class number; export it again")
            finding = names.get(int(number), f"class {int(number)}")
            shape = usable(partial(_geometry, shares[:4] if has_keypoints else shares))
            drawn.append(Drawn(image, finding, shape, reader))
    return drawn


def _geometry(words: list[str]) -> Geometry:
    shares = [float(word) for word in words]
    if len(shares) + 1 == PREDICTED_BOX:
        return PREDICTED
    if len(shares) + 1 == BOX:
        x, y, width, height = shares
        return Shares(Box(x - width / 2, y - height / 2, width, height))
    return Shares(polygon_of(shares, origin="centre"))


YOLO = AnnotationFormat(find=find, read=read_shapes, kind=None, opens_files=True)
