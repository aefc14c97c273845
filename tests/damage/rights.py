"""Rights: temporarily take away root's permission to read every file."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

VERSION = 0x20080522
OVERRIDE = 1 << 1 | 1 << 2
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, capabilities(7)."""
_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def without_override() -> Iterator[None]:
    """Within the block, this thread respects file permissions even as root."""
    header, data = (ctypes.c_uint32 * 2)(VERSION, 0), (ctypes.c_uint32 * 6)()
    if _libc.capget(header, data):
        yield
        return
    effective = data[0]
    data[0] = effective & ~OVERRIDE
    _libc.capset(header, data)
    try:
        yield
    finally:
        data[0] = effective
        _libc.capset(header, data)
