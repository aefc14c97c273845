"""Decompression bombs are refused before they are read, in images and in segmentations."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest

from pipeline.annotations.seg_headers import Contents
from pipeline.errors import CaseError
from pipeline.guards.deflate import inflated, refuse_decompression_bomb
from tests.damage.formats.elements import deflated, sound_segmentation
from tests.damage.sound import PLAIN, sound_files
from tests.damage.streams import deflate_bomb_of


def test_sound_files_pass() -> None:
    for name in (PLAIN, "deflated"):
        refuse_decompression_bomb(BytesIO(sound_files()[name]))


def test_a_bomb_is_refused_while_it_is_still_small() -> None:
    bomb = deflate_bomb_of(sound_files()["deflated"], 2**32)
    assert len(bomb) < 2**23
    with pytest.raises(CaseError, match="inflates to more than 512 MiB") as refusal:
        refuse_decompression_bomb(BytesIO(bomb))
    assert refusal.value.reason == "too_large"


def with_element(data: bytes, element: bytes) -> bytes:
    """A file with an extra element before its transfer syntax; the group length is not updated."""
    place = data.index(b"\x02\x00\x10\x00UI")
    return data[:place] + element + data[place:]


PRIVATE = struct.pack("<HH2sHI", 2, 0x0102, b"OB", 0, 6000) + bytes(6000)
UNKNOWN = struct.pack("<HH2sH", 2, 0x0009, b"ZZ", 4) + bytes(4)


@pytest.mark.parametrize(
    ("element", "reason"), [(PRIVATE, "too_large"), (UNKNOWN, "unreadable")], ids=["far", "odd"]
)
def test_a_transfer_syntax_is_found_however_far_it_stands(element: bytes, reason: str) -> None:
    bomb = with_element(deflate_bomb_of(sound_files()["deflated"], 2**32), element)
    with pytest.raises(CaseError) as refusal:
        refuse_decompression_bomb(BytesIO(bomb))
    assert refusal.value.reason == reason


def test_a_deflated_file_whose_group_length_is_wrong_passes() -> None:
    refuse_decompression_bomb(BytesIO(with_element(sound_files()["deflated"], PRIVATE)))


def test_a_segmentation_is_examined_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.dcm"
    path.write_bytes(deflated(sound_segmentation()))
    Contents().add(path)
    path.write_bytes(deflate_bomb_of(deflated(sound_segmentation()), 2**32))
    with pytest.raises(CaseError, match="inflates to more"):
        Contents().add(path)


def test_a_zlib_stream_is_inflated_up_to_a_limit() -> None:
    data = zlib.compress(bytes(100))
    assert inflated(data, most_bytes=100, what="A bitmap") == bytes(100)
    for broken, reason in (
        (zlib.compress(bytes(101)), "too_large"),
        (data[:-1], "unreadable"),
        (b"", "unreadable"),
        (b"no stream", "unreadable"),
    ):
        with pytest.raises(CaseError) as refused:
            inflated(broken, most_bytes=100, what="A bitmap")
        assert refused.value.reason == reason
        assert refused.value.message.startswith("A bitmap ")
