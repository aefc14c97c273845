"""DICOM kinds: which DICOM files hold annotations, told by the SOP class in their first bytes. PS3.4, B.5."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from pipeline.annotations.seg_files import HEAD_BYTES, PREAMBLE, SEGMENTATION_CLASS
from pipeline.errors import CaseError
from pipeline.guards.reading import ANY_SIZE, open_file

ROOT = rb"1\.2\.840\.10008\.5\.1\.4\.1\.1\."
END = rb"(?![\d.])"
CLASSES: Mapping[str, re.Pattern[bytes]] = {
    "dicom_seg": SEGMENTATION_CLASS,
    "rtstruct": re.compile(ROOT + rb"481\.3" + END),
    "dicom_sr": re.compile(ROOT + rb"88\.(?:22|33|34|35)" + END),
    "gsps": re.compile(ROOT + rb"11\.[1234]" + END),
}
"""Format → SOP classes of its files. Reports are Enhanced, Comprehensive, Comprehensive 3D and Extensible SR,
presentation states Grayscale, Color, Pseudo-Color and Blending Softcopy."""


def kind_of(file: Path) -> str:
    """The format of a DICOM file of annotations; empty for any other file."""
    try:
        with open_file(file, most_bytes=ANY_SIZE) as stream:
            return kind_in(stream.read(HEAD_BYTES))
    except CaseError:
        return ""


def kind_in(head: bytes) -> str:
    """The format of a file that begins so; empty if it is no DICOM file of annotations."""
    meta = head[PREAMBLE:HEAD_BYTES]
    if not meta.startswith(b"DICM"):
        return ""
    return next((name for name, classes in CLASSES.items() if classes.search(meta)), "")


def kinds_below(path: Path) -> list[str]:
    """The formats of the DICOM files of annotations at any depth of a folder, or of the file itself."""
    found = {kind_of(file) for file in _files(path)}
    return [name for name in CLASSES if name in found]


def files_of_kind(name: str, path: Path) -> list[Path]:
    """The files of a format at any depth of a folder, or the file itself; hidden files are ignored."""
    return [file for file in _files(path) if kind_of(file) == name]


def _files(path: Path) -> Iterator[Path]:
    files = [path] if path.is_file() else sorted(path.rglob("*"))
    return (file for file in files if not file.name.startswith("."))
