from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from io import BytesIO

import pytest

from pipeline.errors import CaseError
from pipeline.guards import packed_voxels
from pipeline.guards.packed_voxels import check_gzip, check_zlib

VOXELS = bytes(range(256)) * 20
PACKED: tuple[tuple[Callable[[BytesIO], None], bytes], ...] = (
    (check_gzip, gzip.compress(VOXELS, mtime=0)),
    (check_zlib, zlib.compress(VOXELS)),
)
both = pytest.mark.parametrize(("check", "packed"), PACKED, ids=["gzip", "zlib"])


@both
def test_whole_voxels_pass(check: Callable[[BytesIO], None], packed: bytes) -> None:
    check(BytesIO(packed))


@both
def test_every_changed_byte_of_the_content_or_checksum_is_found(
    check: Callable[[BytesIO], None], packed: bytes
) -> None:
    for place in range(10, len(packed)):  # the first ten bytes of gzip hold the time, which nothing checks
        changed = bytearray(packed)
        changed[place] ^= 0x55
        with pytest.raises((OSError, EOFError, zlib.error)):
            check(BytesIO(changed))


@both
def test_a_stream_that_ends_early_is_found(check: Callable[[BytesIO], None], packed: bytes) -> None:
    for length in (0, 5, len(packed) // 2, len(packed) - 1):
        if check is check_gzip and not length:
            continue  # an empty file has no member that could be damaged; ITK misses its voxels
        with pytest.raises((OSError, EOFError, zlib.error)):
            check(BytesIO(packed[:length]))


@both
def test_what_unpacks_beyond_the_limit_is_refused(
    check: Callable[[BytesIO], None], packed: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed_voxels, "LARGEST_BYTES", 1000)
    monkeypatch.setattr(packed_voxels, "PIECE_BYTES", 100)
    with pytest.raises(CaseError, match="unpacks to more than 1 GiB"):
        check(BytesIO(packed))
