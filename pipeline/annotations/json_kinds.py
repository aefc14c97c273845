"""JSON kinds: which annotation format a JSON file has, told by its first bytes and by what it holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.annotations.tool_kinds import HEAD_BYTES
from pipeline.errors import CaseError
from pipeline.guards.json_files import LARGEST_BYTES, read_json
from pipeline.guards.reading import open_file
from pipeline.records import Shape

COCO_LISTS = ("images", "annotations", "categories")
IMG_SIZE = "img_size"
START = rb"(?:\xef\xbb\xbf)?\s*\{\s*"
KEY = rb'"(?:[^"\\]|\\.)*"\s*:\s*'
HEADS: Mapping[str, re.Pattern[bytes]] = {
    "rle_json": re.compile(START + KEY + rb"\{\s*" + KEY + rb"(?:\[\s*)?\{", re.DOTALL),
    "chexlocalize": re.compile(START + KEY + rb"\{.*\"img_size\"\s*:", re.DOTALL),
    "via": re.compile(START + rb'(?:"_via_|' + KEY + rb'\{.*"regions"\s*:)', re.DOTALL),
    "coco": re.compile(START + rb'"(?:info|licenses|images|annotations|categories|type)"\s*:', re.DOTALL),
    "padchest_gr": re.compile(
        rb'(?:\xef\xbb\xbf)?\s*\[\s*\{(?=.*"ImageID"\s*:)(?=.*"findings"\s*:)', re.DOTALL
    ),
    "label_studio": re.compile(
        rb'(?:\xef\xbb\xbf)?\s*\[\s*\{.*"(?:annotations|annotation_id)"\s*:', re.DOTALL
    ),
}
"""Format → how its files begin."""


def json_format(file: Path) -> str:
    """The name of the format of annotations; empty for any other file."""
    try:
        with open_file(file, most_bytes=LARGEST_BYTES) as stream:
            head = stream.read(HEAD_BYTES)
        maybe = [name for name, pattern in HEADS.items() if pattern.match(head)]
        content = read_json(file, most_values=None) if maybe else None
    except CaseError:
        return ""  # not a file of annotations
    return next((name for name in maybe if HOLDS[name](content)), "")


def is_coco(content: Any) -> bool:
    """Whether a JSON value is a COCO file."""
    return isinstance(content, dict) and all(isinstance(content.get(name), list) for name in COCO_LISTS)


def is_polygons(content: Any) -> bool:
    """Whether a JSON value holds polygons as in CheXlocalize, judged by its first image."""
    first = next(iter(content.values()), None) if isinstance(content, dict) else None
    return img_size(first) is not None


def is_run_lengths(content: Any) -> bool:
    """Whether a JSON value holds run lengths by image and finding, judged by its first mask."""
    for _ in range(2):
        if not isinstance(content, dict) or not content:
            return False
        content = next(iter(content.values()))
    first = content[0] if isinstance(content, list) and content else content
    return isinstance(first, dict) and {"size", "counts"} <= first.keys()


def is_export(content: Any) -> bool:
    """Whether a JSON value is an export of Label Studio, judged by the first."""
    first = content[0] if isinstance(content, list) and content else None
    if not isinstance(first, dict):
        return False
    whole = isinstance(first.get("annotations"), list) and isinstance(first.get("data"), dict)
    return whole or "annotation_id" in first


def is_grounded(content: Any) -> bool:
    """Whether a JSON value is a file of PadChest-GR, judged by its first study."""
    first = content[0] if isinstance(content, list) and content else None
    return isinstance(first, dict) and {"ImageID", "findings"} <= first.keys()


def is_via(content: Any) -> bool:
    """Whether a JSON value is a project or the annotations of VIA, judged by its first image."""
    first = next(iter(via_images(content)), None)
    return isinstance(first, dict) and {"filename", "regions"} <= first.keys()


def via_images(content: Any) -> Iterable[Any]:
    """The images in a JSON value of VIA; none if it is another value."""
    images = content.get("_via_img_metadata", content) if isinstance(content, dict) else None
    return images.values() if isinstance(images, dict) else ()


def img_size(findings: Any) -> Shape | None:
    """The size of an image in a file of CheXlocalize; None if there is none."""
    stated = findings.get(IMG_SIZE) if isinstance(findings, dict) else None
    if not isinstance(stated, list) or [type(side) for side in stated] != [int, int]:
        return None
    return stated[0], stated[1]


HOLDS: Mapping[str, Callable[[Any], bool]] = {
    "rle_json": is_run_lengths,
    "chexlocalize": is_polygons,
    "coco": lambda content: is_coco(content) and bool(content["annotations"]),
    "label_studio": is_export,
    "via": is_via,
    "padchest_gr": is_grounded,
}
"""Format → whether a value is of it."""
