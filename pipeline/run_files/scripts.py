"""Scripts: the pages' data as JavaScript files and pictures; their ends tell whether they are whole."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from pipeline.errors import CaseError
from pipeline.guards.json_files import parse_json
from pipeline.guards.reading import ANY_SIZE, open_file, read_file
from pipeline.run_files.damage import as_damage, damaged

LARGEST_BYTES = 2**29
"""Of a script: pixels of a large image."""
CASE_SCRIPT, PIXELS_SCRIPT = b"heatproof.case(", b"heatproof.pixels("
SCRIPT_STARTS = (
    CASE_SCRIPT,
    PIXELS_SCRIPT,
    b"heatproof.run(",
    b"heatproof.baselines(",
    b"heatproof.worklist(",
)
SCRIPT_END = b");\n"
ARCHIVE_START, ARCHIVE_END = b"PK", b"PK\5\6"
ARCHIVE_TAIL = 22
"""Bytes of the record that ends an archive without a comment, as NumPy writes it."""
PICTURE_START, PICTURE_END = b"\xff\xd8", b"\xff\xd9"


def is_archive(path: Path) -> bool:
    """Whether a file is a NumPy archive that was not cut."""
    start, end = _ends(path, len(ARCHIVE_START), ARCHIVE_TAIL)
    return start == ARCHIVE_START and end.startswith(ARCHIVE_END)


def is_picture(path: Path) -> bool:
    """Whether a file is a JPEG that was not cut."""
    return _ends(path, len(PICTURE_START), len(PICTURE_END)) == (PICTURE_START, PICTURE_END)


def incomplete(folder: Path) -> Path | None:
    """The script or picture in a case's folder that is missing or was cut; None if all are whole.

    A case without pixels has only case.js, one without a page neither.
    """
    pixels, picture = folder / "pixels.js", folder / "thumbnail.jpg"
    script, needs_none = folder / "case.js", (folder / "case.json.gz").exists()
    if not (needs_none and not script.exists()) and not _is_script(script, CASE_SCRIPT):
        return script
    if pixels.exists() and not _is_script(pixels, PIXELS_SCRIPT):
        return pixels
    return picture if picture.exists() and not is_picture(picture) else None


def _is_script(path: Path, start: bytes) -> bool:
    """Whether a file is a script that calls one function, from its first to its last character."""
    return _ends(path, len(start), len(SCRIPT_END)) == (start, SCRIPT_END)


def arguments(path: Path) -> str:
    """The arguments in a data script as a JSON list: "heatproof.name(a, b);" → "[a, b]"."""
    with as_damage(path):
        content = read_file(path, most_bytes=LARGEST_BYTES)
    start = next((start for start in SCRIPT_STARTS if content.startswith(start)), None)
    if start is None or not content.endswith(SCRIPT_END):
        raise damaged(path, "contains no data")
    listed = b"[" + content[len(start) : -len(SCRIPT_END)] + b"]"
    with as_damage(path):
        parse_json(listed, most_values=None)
    return listed.decode("utf-8")


def _ends(path: Path, first: int, last: int) -> tuple[bytes, bytes]:
    """The first and last bytes of a file; empty if it cannot be read."""
    with suppress(CaseError), open_file(path, most_bytes=ANY_SIZE) as file:
        start = file.read(first)
        file.seek(max(first, os.fstat(file.fileno()).st_size - last))
        return start, file.read(last)
    return b"", b""
