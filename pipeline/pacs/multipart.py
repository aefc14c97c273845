"""Multipart: one DICOM file within a message of multipart/related (RFC 2387), written and read in pieces."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Final

from pipeline.errors import CaseError
from pipeline.pacs.patience import Transient

LARGEST_HEAD: Final = 2**16
"""Bytes before the file: what precedes the first boundary, and the part's headers."""
BOUNDARY: Final = re.compile(r';\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
BLANK_LINE, LINE = b"\r\n\r\n", b"\r\n"


def message_of(content: bytes) -> tuple[bytes, str]:
    """The body with one DICOM file, and its content type. Its boundary is made of the content's hash."""
    boundary = hashlib.sha256(content).hexdigest()
    head = f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    kind = f'multipart/related; type="application/dicom"; boundary="{boundary}"'
    return b"".join((head, content, f"\r\n--{boundary}--\r\n".encode())), kind


def boundary_of(content_type: str) -> bytes | None:
    """The boundary of a message; None if it has no parts."""
    if not content_type.lower().startswith("multipart/"):
        return None
    found = BOUNDARY.search(content_type)
    if found is None:
        raise CaseError("bad_answer", "the archive sends a message in parts without their boundary")
    return (found[1] or found[2]).encode()


def only_part(pieces: Iterable[bytes], boundary: bytes) -> Iterator[bytes]:
    """The content of the only part, in pieces; never more than a piece and a boundary is held.

    Raises Transient if the message ends early, CaseError "bad_answer" if it has several parts.
    """
    source = iter(pieces)
    delimiter = LINE + b"--" + boundary
    held = _after_head(source, delimiter)
    while (end := held.find(delimiter)) < 0:
        safe = len(held) - len(delimiter) + 1
        if safe > 0:
            yield held[:safe]
            held = held[safe:]
        held += _next(source)
    yield held[:end]
    tail = held[end + len(delimiter) :]
    while len(tail) < len(b"--"):
        tail += _next(source)
    if not tail.startswith(b"--"):
        raise CaseError("bad_answer", "the archive sends several files where one was asked for")
    for _ in source:  # an epilogue, so that the connection can be used again
        pass


def _after_head(source: Iterator[bytes], delimiter: bytes) -> bytes:
    """What follows the headers of the first part."""
    held = LINE
    while True:
        start = held.find(delimiter)
        end = held.find(BLANK_LINE, start + len(delimiter)) if start >= 0 else -1
        if end >= 0:
            return held[end + len(BLANK_LINE) :]
        if len(held) > LARGEST_HEAD:
            raise CaseError("bad_answer", "the archive sends no DICOM file in parts")
        held += _next(source)


def _next(source: Iterator[bytes]) -> bytes:
    piece = next(source, b"")
    if not piece:
        raise Transient("an answer ended early")
    return piece
