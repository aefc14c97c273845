"""JPEG files: opened within bounds. JPEG has no checksums, so that only what is incomplete is noticed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image

from pipeline.guards.png_files import LARGEST_BYTES
from pipeline.guards.reading import guarded, read_file

END: Final = b"\xff\xd9"
"""Marker of the end of the picture, without which the file is cut (ITU-T T.81, B.1.1.3)."""


@contextmanager
def opened_jpeg(path: Path, *, what: str, reason: str) -> Iterator[Image.Image]:
    """The picture, not yet decoded; whatever is raised inside the block is CaseError(reason).

    Raises CaseError "unreadable", "not_a_file" or "too_large" for what is not a file that can be read.
    """
    content = read_file(path, most_bytes=LARGEST_BYTES, what=what)
    with guarded(reason, f"{what} is not a readable JPEG file; save it again, best as PNG."):
        if END not in content:
            raise ValueError("the picture does not end")
        with Image.open(BytesIO(content), formats=["JPEG"]) as picture:
            yield picture
