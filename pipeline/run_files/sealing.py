"""Sealing: the hash of a single-file report, in its last line, so that `heatproof verify` sees changes."""

from __future__ import annotations

import hashlib
import re
from typing import Final

SEAL: Final = re.compile(rb"<!-- heatproof: SHA-256 of all bytes before this line: ([0-9a-f]{64}) -->\n")


def sealed(content: bytes) -> bytes:
    """The content, which ends with a line break, with a last line that states its hash, a comment of HTML."""
    return content + _line(content)


def is_sealed(content: bytes) -> bool | None:
    """Whether a sealed content is as it was written; None if it has no seal in its last line."""
    before, newline, last = content.removesuffix(b"\n").rpartition(b"\n")
    if SEAL.fullmatch(last + b"\n") is None:
        return None
    return _line(before + newline) == last + b"\n"


def _line(content: bytes) -> bytes:
    digest = hashlib.sha256(content).hexdigest()
    return f"<!-- heatproof: SHA-256 of all bytes before this line: {digest} -->\n".encode()
