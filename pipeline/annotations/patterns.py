"""Patterns: mask files named by image, finding and reader, such as "{reader}/{finding}/{image}.png"."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter

from pipeline.annotations.source_files import inside
from pipeline.errors import ConfigError
from pipeline.records import AnnotationItem
from pipeline.registry import did_you_mean

FIELDS: Mapping[str, object] = {
    "image": "file stem or SOP instance UID of the image",
    "finding": "the finding in the annotators' words",
    "reader": "who drew it",
}


def find_files(
    path: Path,
    patterns: str | tuple[str, ...],
    *,
    format: str,  # noqa: A002  the name that the record and the config have for it
    finding: str | None,
    reader: str,
    payload: Mapping[str, object],
) -> Iterator[AnnotationItem]:
    """An item for each image, finding and reader that a file of the first fitting pattern is named for.

    A field stands for one or more characters other than "/". `finding` and `reader` hold where a pattern does
    not say them. Of a `path` that is a file, that file alone. The item's payload is `payload` and the file's
    "path". Raises ConfigError for a pattern that is malformed, leaves the folder, or where no file fits any.
    """
    listed = (patterns,) if isinstance(patterns, str) else patterns
    taken: dict[tuple[str, str | None, str], Path] = {}
    for pattern in listed:
        fields = _fields(pattern)
        if finding is not None and "finding" in fields:
            raise ConfigError(
                f"finding: '{finding}' is given, but pattern '{pattern}' names it too; drop one"
            )
        for file, named in _matches(path, pattern):
            key = named["image"], named.get("finding", finding), named.get("reader", reader)
            taken.setdefault(key, file)
    if not taken:
        raise ConfigError(f"{path}: no file fits pattern {' or '.join(map(repr, listed))}")
    for (image, words, who), file in sorted(taken.items(), key=str):
        said = words if words is None else _printable(words)
        yield AnnotationItem(format, image, said, _printable(who), payload={**payload, "path": str(file)})


def _printable(name: str) -> str:
    """A file's name may hold bytes that are not UTF-8; what enters a table may not."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _fields(pattern: str) -> list[str]:
    """Names of the fields of a pattern, checked."""
    try:
        fields = [name for _, name, _, _ in Formatter().parse(pattern) if name is not None]
    except ValueError as error:
        raise ConfigError(f"pattern: '{pattern}': {error}") from error
    for name in fields:
        if name not in FIELDS:
            raise ConfigError(f"pattern: '{pattern}': unknown field '{name}'{did_you_mean(name, FIELDS)}")
    if "image" not in fields:
        raise ConfigError(f"pattern: '{pattern}': has no {{image}}, so its files cannot be joined to images")
    return fields


def _matches(path: Path, pattern: str) -> Iterator[tuple[Path, dict[str, str]]]:
    """Files that fit the pattern, with what their names say."""
    root = path.parent if path.is_file() else path
    inside(root, pattern)
    wildcard, expression = "", ""
    seen: set[str] = set()
    for literal, name, _, _ in Formatter().parse(pattern):
        wildcard += glob.escape(literal)
        expression += re.escape(literal)
        if name is None:
            continue
        wildcard += "*"
        expression += f"(?P={name})" if name in seen else f"(?P<{name}>[^/]+)"
        seen.add(name)
    # Path.glob would take hidden files too, such as the "._0017.png" that some systems leave beside each.
    found = [path.name] if path.is_file() else glob.glob(wildcard, root_dir=path)  # noqa: PTH207
    for name in sorted(found):
        match = re.fullmatch(expression, Path(name).as_posix())
        if match and (root / name).is_file():
            yield root / name, match.groupdict()
