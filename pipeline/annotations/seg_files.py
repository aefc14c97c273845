"""SEG files: find the DICOM segmentations in a folder without a DICOM library."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.errors import CaseError
from pipeline.guards.reading import ANY_SIZE, open_file

PREAMBLE = 128
HEAD_BYTES = 1024
"""Number of bytes that include the SOP class in the file meta information."""
SEGMENTATION_CLASS = re.compile(rb"1\.2\.840\.10008\.5\.1\.4\.1\.1\.66\.[47](?![\d.])")
"""Segmentation Storage and Label Map Segmentation Storage (PS3.4, B.5)."""


def segmentations(path: Path) -> list[Path]:
    """DICOM SEG files at any depth of a folder, or the file itself if it is one; hidden files are ignored."""
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    return [file for file in files if not file.name.startswith(".") and _is_segmentation(file)]


def _is_segmentation(file: Path) -> bool:
    try:
        with open_file(file, most_bytes=ANY_SIZE) as stream:
            head = stream.read(HEAD_BYTES)
    except CaseError:
        return False
    meta = head[PREAMBLE:]
    return meta.startswith(b"DICM") and SEGMENTATION_CLASS.search(meta) is not None
