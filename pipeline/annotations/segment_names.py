"""Segment names: what 3D Slicer writes into the header of a .seg.nrrd file about its segments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from pipeline.errors import CaseError
from pipeline.guards.reading import ANY_SIZE, open_file
from pipeline.records import AnnotationItem

HEADER_BYTES = 65536
KEY_VALUE = re.compile(r"^([^:\n]+):=(.*)$", re.MULTILINE)
SEGMENT = re.compile(r"Segment(\d+)_(?:ID|Name|LabelValue|Layer)")
OFFSET = "Segmentation_ReferenceImageExtentOffset"
UNNAMED = re.compile(r"(?:segment|segmentation|label|mask|region|roi|foreground)?\d*")
"""Names, reduced to letters and digits, that programs give and that say nothing of a finding."""
NUMBER = re.compile(r"[\s_-]+\d+$")
"""A number behind the name of a finding, as in "nodule 2"."""


class Segment(NamedTuple):
    """One segment: its pixels have the value `value` in the layer `layer`; None: any value but 0."""

    name: str
    value: int | None
    layer: int


def header_entries(file: Path) -> Mapping[str, str]:
    """Key → value of the header's "key:=value" lines; empty if the file cannot be read."""
    try:
        with open_file(file, most_bytes=ANY_SIZE) as stream:
            head = stream.read(HEADER_BYTES)
    except CaseError:
        return {}
    text = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0].decode("utf-8", "replace").replace("\r\n", "\n")
    return {key.strip(): value.strip() for key, value in KEY_VALUE.findall(text)}


def segments_in(entries: Mapping[str, str]) -> tuple[Segment, ...]:
    """The segments that a header describes. Without label values, each has a layer of its own."""
    values = any(key.endswith("_LabelValue") for key in entries)
    numbers = sorted({int(match[1]) for key in entries if (match := SEGMENT.fullmatch(key))})
    return tuple(
        Segment(
            entries.get(f"Segment{number}_Name", ""),
            _whole(entries.get(f"Segment{number}_LabelValue")),
            _whole(entries.get(f"Segment{number}_Layer")) or (0 if values else number),
        )
        for number in numbers
    )


def offset_in(entries: Mapping[str, str]) -> tuple[int, ...] | None:
    """Voxels (x, y, z) by which the stored grid is shifted in the grid of the image; None if not stated."""
    numbers = entries.get(OFFSET, "").split()
    try:
        return tuple(int(number) for number in numbers) or None
    except ValueError:
        return None


def by_finding(item: AnnotationItem, segments: Sequence[Segment]) -> Iterator[AnnotationItem]:
    """The item of a file once per finding that its segments name, with the payload's "segments".

    A name that says nothing stands for the item's own finding. Any other is the finding in the annotators'
    words, so that it is never scored as another one.
    """
    found: dict[str | None, list[Segment]] = {}
    for segment in segments:
        found.setdefault(_finding(segment.name, item.finding), []).append(segment)
    every = tuple((segment.layer, segment.value) for segment in segments)
    for finding, own in found.items():
        pairs = tuple((segment.layer, segment.value) for segment in own)
        unnamed = any(_says_nothing(segment.name) for segment in own)
        payload = {**item.payload, "segments": pairs, "described": every, "unnamed": unnamed}
        yield replace(item, finding=finding, payload=payload)


def _finding(name: str, wanted: str | None) -> str | None:
    words = NUMBER.sub("", name) or name
    if _says_nothing(name):
        return wanted
    if wanted is not None and _normalised(wanted) in {_normalised(name), _normalised(words)}:
        return wanted
    return words


def _says_nothing(name: str) -> bool:
    return bool(UNNAMED.fullmatch(_normalised(name)))


def _normalised(name: str) -> str:
    """The name reduced to lower-case letters and digits."""
    return re.sub(r"[\W_]+", "", name.casefold())


def _whole(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None
