"""Objects: the JSON files of a run, checked against `shapes` on the way in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pipeline.errors import CaseError
from pipeline.guards.deflate import GZIP, inflated
from pipeline.guards.json_files import LARGEST_BYTES, parse_json, read_json
from pipeline.guards.reading import read_file, without_remedy
from pipeline.guards.yaml_models import OWN_MESSAGE, UNWANTED, WANTED
from pipeline.run_files.case_shapes import FinishedCase, MapTestedCase, ProbedCase, SkippedEntry
from pipeline.run_files.damage import as_damage, damaged, shown
from pipeline.run_files.shapes import Manifest

MOST_NESTED = 50
"""Lists and objects within each other; a manifest has some six levels."""
MOST_VALUES = 4_000_000
"""Of a file of a run: outlines of thousands of contours, which take some 300 MB as objects."""
PACKED = ".gz"
"""Ending of a case.json of a run in which not every image has a page."""
UNDECODABLE = "string_unicode"
"""pydantic's error for a text with lone surrogates, which stand for the bytes of a name."""
OWN_WANTED: Mapping[str, str] = {
    "list_type": "wanted a list",
    "dict_type": "wanted an object",
    UNDECODABLE: "wanted a text in UTF-8",
}
Problem = tuple[str, str]
"""Key, and what is wrong with its value."""


def read_object(path: Path, shape: Any = dict[str, Any], *, needed: Sequence[str] = ()) -> dict[str, Any]:
    """The object in a JSON file of a run. Raises ConfigError if it has not the shape, or lacks a key."""
    content = read_content(path)
    check_object(path, content, shape)
    for key in needed:
        if key not in content:
            raise damaged(path, f"{key}: is missing")
    return content


def read_content(path: Path) -> dict[str, Any]:
    """The object in a JSON file of a run, whatever it holds. Raises ConfigError if there is none."""
    with as_damage(path):
        content = _read(path)
    if not isinstance(content, dict):
        raise damaged(path, f"holds a {type(content).__name__}, wanted an object")
    return content


def check_object(path: Path, content: dict[str, Any], shape: Any) -> None:
    """Raise ConfigError if the content of a file has not the shape."""
    for key, problem in problems(content, shape):
        raise damaged(path, f"{key}: {problem}")


def read_manifest(run: Path, *, needed: Sequence[str] = ()) -> dict[str, Any]:
    """The content of manifest.json, with the keys that a command needs."""
    path = run / "manifest.json"
    content = read_object(path, Manifest, needed=needed)
    if _depth(content) > MOST_NESTED:
        raise damaged(path, f"holds more than {MOST_NESTED} lists and objects within each other")
    return content


def read_created(run: Path) -> str | None:
    """The date in manifest.json; None if there is none, or if the file is damaged."""
    with suppress(CaseError):
        content = read_json(run / "manifest.json")
        created = content.get("created") if isinstance(content, dict) else None
        return created if isinstance(created, str) else None
    return None


def finished_case(path: Path) -> dict[str, Any] | None:
    """The content of a case.json that has what pages and tables need; None for any other file."""
    return _whole(path, FinishedCase)


def probed_case(path: Path) -> dict[str, Any] | None:
    """The content of a file of `probes/`; None for any other file."""
    return _whole(path, ProbedCase)


def map_tested_case(path: Path) -> dict[str, Any] | None:
    """The content of a file of `map_tests/`; None for any other file."""
    return _whole(path, MapTestedCase)


def skipped_entry(path: Path) -> dict[str, Any] | None:
    """The content of a skipped.json; None for any other file."""
    return _whole(path, SkippedEntry)


def _whole(path: Path, shape: Any) -> dict[str, Any] | None:
    with suppress(CaseError):
        content = _read(path)
        if isinstance(content, dict) and not any(problems(content, shape)):
            return content
    return None


def packed(path: Path) -> Path:
    """The name of a JSON file when it is compressed."""
    return path.with_name(path.name + PACKED)


def is_stored(path: Path) -> bool:
    """Whether a JSON file exists, as it is or compressed."""
    return path.exists() or packed(path).exists()


def _read(path: Path) -> Any:
    """The value in a JSON file, as it is or compressed. Raises CaseError."""
    if path.exists() or not packed(path).exists():
        return read_json(path, most_values=MOST_VALUES)
    stream = read_file(packed(path), most_bytes=LARGEST_BYTES)
    return parse_json(
        inflated(stream, most_bytes=LARGEST_BYTES, what="it", window=GZIP), most_values=MOST_VALUES
    )


def problems(content: Any, shape: Any) -> Iterator[Problem]:
    """What keeps a content from having a shape."""
    try:
        _adapter(shape).validate_python(content, strict=True)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            if item["type"] == UNDECODABLE and _is_writable(item["input"]):
                continue
            key = ".".join(str(part) for part in item["loc"])
            yield key, _problem(item)


def _problem(item: Any) -> str:
    if item["type"] == "missing":
        return "is missing"
    if item["type"] == OWN_MESSAGE:
        return str(item["ctx"]["error"])
    text = OWN_WANTED.get(item["type"]) or WANTED.get(item["type"], UNWANTED)
    wanted = without_remedy(text)
    return f"{wanted.format_map(item.get('ctx', {}))} (found {shown(item['input'])})"


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


def _is_writable(text: str) -> bool:
    """Whether a text can be written to a table, with the bytes that its lone surrogates stand for."""
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _depth(content: Any) -> int:
    """The number of lists and objects within each other, up to one more than allowed."""
    level, depth = [content], 0
    while level and depth <= MOST_NESTED:
        inner = (
            part.values() if isinstance(part, dict) else part
            for part in level
            if isinstance(part, dict | list)
        )
        level = [value for values in inner for value in values if isinstance(value, dict | list)]
        depth += 1
    return depth
