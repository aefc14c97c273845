"""PadChest-GR: boxes of sentences in one JSON file, as in `grounded_reports_20240819.json`. arXiv 2411.05085.

A list of studies, {"ImageID", "findings": [{"labels", "abnormal", "boxes", "extra_boxes"}, …]}. A box is [x1,
y1, x2, y2] in shares of the image's width and height. `boxes` are the first reader's, `extra_boxes` the
second's, who did not look at every sentence. A sentence that is abnormal and has no box says that the image
shows its labels; one that is not abnormal says nothing, because it may be about a part of the image.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.annotations.drawn import items_of, read_shapes
from pipeline.annotations.json_fields import content_of, name_in, usable
from pipeline.annotations.json_kinds import is_grounded
from pipeline.annotations.shapes import Drawn, Geometry, Shares, looked_at, tag
from pipeline.annotations.source_files import image_key, source_file
from pipeline.contracts import AnnotationFormat
from pipeline.errors import CaseError, ConfigError
from pipeline.guards.reading import named
from pipeline.records import AnnotationItem, Box

READERS = {"boxes": "reader 1", "extra_boxes": "reader 2"}
"""Key of a set of boxes → its reader."""


def find(path: Path, *, file: str | None = None, reader: str | None = None) -> Iterator[AnnotationItem]:
    """One item per image, label and reader; `reader` replaces the first, and the second is left out.

    Raises ConfigError if the file is not one of PadChest-GR, or a study has no image or findings.
    """
    chosen = source_file(path, file)
    content = content_of(chosen)
    if not is_grounded(content):
        raise ConfigError(f"{chosen}: is not a file of PadChest-GR; it needs a list of ImageID and findings")
    readers = READERS if reader is None else {"boxes": reader}
    drawn: list[Drawn] = []
    for number, study in enumerate(content, start=1):
        with named(f"{chosen}: study {number}"):
            drawn += _of_study(study, readers)
    yield from items_of("padchest_gr", drawn)


def _of_study(study: Any, readers: Mapping[str, str]) -> Iterator[Drawn]:
    """What is said of an image. Raises CaseError."""
    image = image_key(name_in(study, "ImageID"))
    yield looked_at(image, readers["boxes"])
    for sentence in _several(study, "findings"):
        if not isinstance(sentence, dict):
            raise CaseError("bad_entry", "has an entry in findings that is not a mapping; export it again")
        if sentence.get("abnormal") is True:
            yield from _of_sentence(image, sentence, readers)


def _of_sentence(image: str, sentence: Mapping[str, Any], readers: Mapping[str, str]) -> Iterator[Drawn]:
    sets = {who: _several(sentence, key) for key, who in readers.items()}
    for label in _several(sentence, "labels"):
        finding = label if isinstance(label, str) else ""
        for who, boxes in sets.items():
            for box in boxes:
                yield Drawn(image, finding, usable(partial(_geometry, box)), who)
        if not any(sets.values()):
            yield tag(image, finding, readers["boxes"])


def _several(entry: Any, key: str) -> list[Any]:
    """The list at the key; empty if it is missing. Raises CaseError."""
    value = entry.get(key) or []
    if not isinstance(value, list):
        raise CaseError("bad_entry", f'has a value of "{key}" that is not a list; export it again')
    return value


def _geometry(box: Any) -> Geometry:
    left, top, right, bottom = map(float, box)
    return Shares(Box(left, top, right - left, bottom - top))


PADCHEST_GR = AnnotationFormat(find=find, read=read_shapes, kind=None)
