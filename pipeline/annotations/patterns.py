"""Patterns: mask files named by image, finding and reader, such as "{reader}/{finding}/{image}.png"."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter

from pipeline.annotations.source_files import path_below
from pipeline.errors import ConfigError
from pipeline.records import AnnotationItem
from pipeline.registry import did_you_mean

FIELDS: Mapping[str, object] = {
    "image": "file stem or SOP instance UID of the image",
    "folders": "folders that belong to the image's name",
    "finding": "the finding in the annotators' words",
    "reader": "name of the annotator",
    "lesion": "what tells several files of one image, finding and reader apart",
    "any": "anything, of one file or folder",
}

READER = "reader"
"""Name of the reader if nothing names one."""


def find_files(
    path: Path,
    patterns: str | tuple[str, ...],
    *,
    format: str,  # noqa: A002  the name used in the record and in the config
    finding: str | None,
    reader: str,
    payload: Mapping[str, object],
) -> Iterator[AnnotationItem]:
    """One item per image, finding, reader and lesion, from the first pattern with a matching file.

    A field matches one or more characters other than "/", {folders} also these; the first pattern that a
    file matches names it. `finding` and `reader` apply where a pattern does not contain them. If `path` is a
    file, only that file is tried. The item's payload is `payload` and the file's "path". Raises ConfigError
    if a pattern is malformed or leaves the folder, or if no file matches.
    """
    all_patterns = (patterns,) if isinstance(patterns, str) else patterns
    files: dict[tuple[str, str | None, str, str], tuple[str, list[Path]]] = {}
    named: set[Path] = set()
    for pattern in all_patterns:
        fields = _fields(pattern)
        if finding is not None and "finding" in fields:
            raise ConfigError(
                f"finding: '{finding}' is set, but pattern '{pattern}' has {{finding}} too; remove one"
            )
        if reader != READER and "reader" in fields:
            raise ConfigError(
                f"reader: '{reader}' is set, but pattern '{pattern}' has {{reader}} too; remove one"
            )
        for file, values in _matches(path, pattern):
            if file in named:
                continue
            named.add(file)
            image = "/".join(filter(None, (values.get("folders"), values["image"])))
            word, annotator = values.get("finding", finding), values.get("reader", reader)
            key = image, word, annotator, values.get("lesion", "")
            first, several = files.setdefault(key, (pattern, []))
            if first == pattern:  # several only with {any}
                several.append(file)
    if not files:
        names = " or ".join(map(repr, all_patterns))
        raise ConfigError(f"{path}: no file matches pattern {names}; correct `pattern` or `annotations.path`")
    for (image, name, annotator, _), (_, several) in sorted(files.items(), key=str):
        printable = name if name is None else _printable(name)
        for file in several:
            yield AnnotationItem(
                format, image, printable, _printable(annotator), payload={**payload, "path": str(file)}
            )


def _printable(name: str) -> str:
    """The name with bytes that are not UTF-8 replaced, so that it can be written to a table."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _fields(pattern: str) -> list[str]:
    """The names of a pattern's fields. Raises ConfigError if the pattern is malformed."""
    try:
        fields = [name for _, name, _, _ in Formatter().parse(pattern) if name is not None]
    except ValueError as error:
        raise ConfigError(
            f"pattern: '{pattern}': a brace without its counterpart; write fields as {{image}}"
        ) from error
    for name in fields:
        if name not in FIELDS:
            raise ConfigError(f"pattern: '{pattern}': unknown field '{name}'{did_you_mean(name, FIELDS)}")
    if "image" not in fields:
        raise ConfigError(
            f"pattern: '{pattern}': has no {{image}}; add it, so that the files can be matched to images"
        )
    return fields


def _matches(path: Path, pattern: str) -> Iterator[tuple[Path, dict[str, str]]]:
    """Files that match the pattern, with the values of its fields."""
    root = path.parent if path.is_file() else path
    path_below(root, pattern)
    wildcard, expression = "", ""
    seen: set[str] = set()
    for literal, name, _, _ in Formatter().parse(pattern):
        wildcard += glob.escape(literal)
        expression += re.escape(literal)
        if name is None:
            continue
        wildcard += "**" if name == "folders" else "*"
        part = ".+" if name == "folders" else "[^/]+"
        if name == "any":
            expression += part
            continue
        expression += f"(?P={name})" if name in seen else f"(?P<{name}>{part})"
        seen.add(name)
    # Not Path.glob, which also matches hidden files such as the "._0017.png" that macOS writes.
    found = [path.name] if path.is_file() else glob.glob(wildcard, root_dir=path, recursive=True)  # noqa: PTH207
    for name in sorted(found):
        match = re.fullmatch(expression, Path(name).as_posix())
        if match and (root / name).is_file():
            yield root / name, match.groupdict()
