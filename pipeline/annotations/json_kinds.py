"""JSON kinds: which annotation format a JSON file has, told by its first bytes and by what it holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipeline.annotations.chexlocalize import is_polygons
from pipeline.annotations.coco import is_coco
from pipeline.annotations.rle_json import is_run_lengths
from pipeline.errors import CaseError
from pipeline.guards.json_files import LARGEST_BYTES, read_json
from pipeline.guards.reading import open_file

HEAD_BYTES = 2**16
"""Bytes by which a JSON file is told from strangers' ones, which are not parsed."""
START = rb"(?:\xef\xbb\xbf)?\s*\{\s*"
KEY = rb'"(?:[^"\\]|\\.)*"\s*:\s*'
HEADS: Mapping[str, re.Pattern[bytes]] = {
    "rle_json": re.compile(START + KEY + rb"\{\s*" + KEY + rb"(?:\[\s*)?\{", re.DOTALL),
    "chexlocalize": re.compile(START + KEY + rb"\{.*\"img_size\"\s*:", re.DOTALL),
    "coco": re.compile(START + rb'"(?:info|licenses|images|annotations|categories|type)"\s*:', re.DOTALL),
}
"""Format → how its files begin."""
HOLDS: Mapping[str, Callable[[Any], bool]] = {
    "rle_json": is_run_lengths,
    "chexlocalize": is_polygons,
    "coco": lambda content: is_coco(content) and bool(content["annotations"]),
}
"""Format → whether a value is of it."""


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
