"""Volume files: NIfTI, NRRD and MetaImage files opened by SimpleITK, none of which leads to another file."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import SimpleITK as sitk  # noqa: N813  the abbreviation used in its manual

from pipeline.errors import CaseError
from pipeline.guards.file_hashes import LARGEST_BYTES
from pipeline.guards.packed_voxels import check_gzip, check_zlib
from pipeline.guards.reading import guarded, open_file

READERS = {".gz": "NiftiImageIO", ".nii": "NiftiImageIO", ".nrrd": "NrrdImageIO", ".mha": "MetaImageIO"}

HEADER_BYTES = 65536
LINE = rb"[\t\x20-\x7e\x80-\xff]"
"""Characters of a header line: no control characters, because some readers end a line at a lone CR."""
PLAIN_HEADERS = {
    ".nrrd": re.compile(rb"(NRRD\d{4}\r?\n(?:" + LINE + rb"+\r?\n)*?)\r?\n"),
    ".mha": re.compile(rb"((?:[\w |-]{1,80}=" + LINE + rb"{0,400}\r?\n)*?)ElementDataFile = LOCAL\r?\n"),
}
"""Suffix → pattern of a complete header; its first group must not match `ELSEWHERE`. MetaIO cuts lines at 500
characters."""
PACKED: tuple[tuple[re.Pattern[bytes], Callable[[BinaryIO], None]], ...] = (
    (re.compile(rb"^encoding:[ \t]*(?:gzip|gz)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE), check_gzip),
    (re.compile(rb"^CompressedData *= *T", re.IGNORECASE | re.MULTILINE), check_zlib),
)
"""Header line of compressed voxels → their check."""
DAMAGED = "has damaged voxels, which their checksum shows; save it again."
ELSEWHERE = re.compile(rb"data[^:\n]{0,9}file", re.IGNORECASE)
"""The key for a separate file of values: "data file" in NRRD, "ElementDataFile" in MetaImage."""


def volume_reader(file: Path, suffix: str, *, reason: str, whole: bool = True) -> Any:
    """A SimpleITK reader of the file, whose header was read; `suffix`, one of `READERS`, is its format.

    Raises CaseError(reason) if its values are elsewhere or, with `whole`, damaged, and that of `open_file`.
    Messages have no subject. Whatever else SimpleITK raises passes.
    """
    _check_file(file, suffix, reason, whole=whole)
    reader: Any = sitk.ImageFileReader()  # type: ignore[no-untyped-call]  # SimpleITK has no types
    reader.SetImageIO(READERS[suffix])
    reader.SetFileName(str(file))
    reader.ReadImageInformation()
    return reader


def _check_file(file: Path, suffix: str, reason: str, *, whole: bool) -> None:
    """Refuse damaged voxels, and a header that makes the reader open another file, anywhere on the disk.

    The readers differ in how they end, skip and truncate lines, so only headers that all of them read alike
    are accepted.
    """
    pattern = PLAIN_HEADERS.get(suffix)
    with open_file(file, most_bytes=LARGEST_BYTES) as stream:
        if pattern is None:
            return
        header = pattern.match(stream.read(HEADER_BYTES))
        if header is None or ELSEWHERE.search(header[1]):
            raise CaseError(
                reason,
                "keeps its values in another file, or its header is not plain text with one entry per line; "
                "save it again as a single file.",
            )
        for line, check in PACKED if whole else ():
            if line.search(header[1]):
                stream.seek(header.end())
                with guarded(reason, DAMAGED):
                    check(stream)
