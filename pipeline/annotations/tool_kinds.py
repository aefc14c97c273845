"""Tool kinds: which annotation tool wrote a file, told by its first bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from pipeline.annotations.source_files import walk_files
from pipeline.errors import CaseError
from pipeline.guards.reading import ANY_SIZE, open_file

HEAD_BYTES = 2**16
"""Bytes by which a file is told from strangers' ones."""
LABELME = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{.*"(?:shapes"\s*:\s*\[|imagePath"\s*:)', re.DOTALL)
SUPERVISELY = re.compile(rb'(?=.*"size"\s*:\s*\{)(?=.*"objects"\s*:\s*\[)', re.DOTALL)
SHARE = r"-?(?:[01](?:\.\d*)?|\.\d+|\d(?:\.\d+)?e-\d+)"
YOLO_LINE = re.compile(rf"\d+(?:\s+{SHARE}){{4,}}", re.IGNORECASE)


def first_bytes(file: Path) -> bytes:
    """The first bytes of a file; empty if it cannot be read."""
    try:
        with open_file(file, most_bytes=ANY_SIZE) as stream:
            return stream.read(HEAD_BYTES)
    except CaseError:
        return b""


def is_labelme(head: bytes) -> bool:
    """Whether a JSON file begins as one of LabelMe."""
    return LABELME.match(head) is not None


def is_supervisely(head: bytes) -> bool:
    """Whether a JSON file begins as one of Supervisely."""
    return SUPERVISELY.match(head) is not None


def is_voc(head: bytes) -> bool:
    """Whether an XML file begins as one of Pascal VOC."""
    return b"<annotation>" in head and any(part in head for part in (b"<object>", b"<filename>"))


def is_cvat(head: bytes) -> bool:
    """Whether an XML file begins as one of CVAT."""
    return b"<annotations>" in head and any(part in head for part in (b"<meta>", b"<image ", b"<track "))


def is_yolo(head: bytes) -> bool:
    """Whether a file begins with lines of a class number and shares, the last one perhaps cut."""
    text = head.decode("utf-8", "replace")
    if len(head) >= HEAD_BYTES:
        text = text[: max(text.rfind(" "), text.rfind("\n"))]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return bool(lines) and all(YOLO_LINE.fullmatch(line) for line in lines[:-1] or lines)


ONE_PER_IMAGE: Mapping[str, tuple[str, Callable[[bytes], bool]]] = {
    "labelme": (".json", is_labelme),
    "pascal_voc": (".xml", is_voc),
    "yolo": (".txt", is_yolo),
    "supervisely": (".json", is_supervisely),
}
"""Format with a file per image → suffix of its files, and whether a file with it begins as one."""


def files_of(name: str, path: Path, *, most: int | None = None) -> list[Path]:
    """Up to `most` files of a format of `ONE_PER_IMAGE` at any depth of a folder, or the file itself.

    Hidden files, and those in hidden folders and in runs of Heatproof, are left out.
    """
    suffix, is_of = ONE_PER_IMAGE[name]
    found: list[Path] = []
    for file in [path] if path.is_file() else walk_files(path):
        if file.suffix.lower() == suffix and is_of(first_bytes(file)):
            found.append(file)
        if len(found) == most:
            break
    return found
