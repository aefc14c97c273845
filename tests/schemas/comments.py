"""Comments: what configs/audit.yaml says of each key."""

from __future__ import annotations

import re
from collections.abc import Iterator

COMMENTED_KEY = re.compile(r"^#(?! \S)")
"""A key without a default: a # that is not followed by one space and words."""
LINE = re.compile(
    r"^(?P<indent>[ -]*)(?P<key>[A-Za-z_]\w*):(?:\s+(?P<value>[^#\s].*?))?(?:\s+#\s+(?P<comment>.*))?$"
)
MORE = re.compile(r"^\s*#\s+(?P<comment>.*)$")
METHOD = re.compile(r"^# \{method: (?P<key>[^,}]+).*\}\s+# (?P<comment>.*)$")


def key_comments(text: str) -> dict[str, str]:
    """Dotted key → its comment; of lists of mappings the key has the value of their first key.

    For example "contours.threshold", and "annotations.sources.png.pattern" for the pattern of PNG masks.
    """
    comments: dict[str, str] = {}
    parents: list[tuple[int, str]] = []
    last = ""
    for line in (COMMENTED_KEY.sub("", line) for line in text.splitlines()):
        if METHOD.match(line):
            last = ""
        elif more := MORE.match(line):
            if last:
                comments[last] += f" {more['comment']}"
        elif found := LINE.match(line):
            indent, key = len(found["indent"]), found["key"]
            if "-" in found["indent"]:
                indent, key = indent - 1, found["value"]
            parents = [*((i, name) for i, name in parents if i < indent), (indent, key)]
            last = ".".join(name for _, name in parents)
            comments[last] = found["comment"] or ""
        else:
            last = ""
    return comments


def method_comments(text: str) -> Iterator[tuple[str, str]]:
    """Each attribution method and its comment."""
    for line in text.splitlines():
        if found := METHOD.match(line):
            yield found["key"], found["comment"]
