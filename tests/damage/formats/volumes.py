"""Volumes: every line of the headers of NRRD and MetaImage files."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
import SimpleITK as sitk  # noqa: N813  the name its manual gives it

from tests.damage.blunt import BLUNT, Damage, named

WORDS = (
    b"", b"0", b"-1", b"1", b"2", b"3", b"4", b"17", b"5 6 2", b"5 -6", b"0 0", b"60000 60000",
    b"2147483647 2147483647", b"9" * 40,
    b"nan", b"inf nan", b"1e999 1", b"float", b"double", b"block", b"uint8", b"MET_FLOAT",
    b"MET_UCHAR_ARRAY", b"MET_OTHER", b"MET_LONG_LONG",
    b"gzip", b"bzip2", b"raw", b"ascii", b"hex", b"zrl", b"True", b"False", b"maybe", b"LIST",
    b"/etc/passwd", b"../a.raw", b"a.mha", b"LOCAL",
    b"%03d.raw 1 3 1", b"left-posterior-superior", b"(1,0,0) (0,1,0)", b"(0,0) (0,0)", b"(nan,0) (0,inf)",
    b"none", b"x" * 9000, b"\xff\xfe",
    b"big", b"little", b"1 0 0 0", b"[]",
)  # fmt: skip
SEGMENT_LINES = (
    b"Segment0_ID:=a", b"Segment0_Name:=\xff", b"Segment0_LabelValue:=x",
    b"Segment0_LabelValue:=9999999999999999999", b"Segment0_Layer:=-1",
    b"Segment0_Extent:=0 99 0 99", b"Segment99999999_Name:=a", b"Segment0_Layer:=",
    b"Segment0_LabelValue:=\n", b":=", b"a:=b", b"space: x",
)  # fmt: skip


@cache
def sound_volume(suffix: str) -> bytes:
    """A mask of 5 × 6 (x × y) voxels in the format of a suffix."""
    mask = np.zeros((6, 5), np.uint8)
    mask[1:4, 1:4] = 1
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        sitk.WriteImage(sitk.GetImageFromArray(mask), str(path))
        return path.read_bytes()


def header_line(random: Random, data: bytes) -> bytes:
    """The value of one line, or of three."""
    lines, body = _parts(data)
    for number in random.sample(range(len(lines)), random.choice((1, 1, 3))):
        mark = b": " if b": " in lines[number] else b" = " if b" = " in lines[number] else b" "
        name, _, _ = lines[number].partition(mark)
        lines[number] = name + mark + random.choice(WORDS)
    return _whole(data, lines, body)


def header_order(random: Random, data: bytes) -> bytes:
    """Lines left out, repeated, exchanged, added; very many of them."""
    lines, body = _parts(data)
    place = random.randrange(len(lines))
    line = lines[place]
    several = random.choice(
        ([], [line] * 2, [random.choice(SEGMENT_LINES), line], [line] * 20_000, [b"", line], [b"x" * 200_000])
    )
    lines[place : place + 1] = several
    return _whole(data, random.choice((lines, lines, lines[::-1])), body)


def body_size(random: Random, data: bytes) -> bytes:
    lines, body = _parts(data)
    return _whole(
        data, lines, random.choice((b"", body[:-3], body * 2, body + bytes(2**22), b"\x1f\x8b" + body))
    )


def _parts(data: bytes) -> tuple[list[bytes], bytes]:
    """Lines of the header, and what follows them."""
    if data.startswith(b"NRRD"):
        head, _, body = data.partition(b"\n\n")
        return head.split(b"\n"), body
    head, mark, body = data.partition(b"ElementDataFile = LOCAL\n")
    return [*head.split(b"\n")[:-1], mark[:-1]], body


def _whole(data: bytes, lines: list[bytes], body: bytes) -> bytes:
    return b"\n".join(lines) + (b"\n\n" if data.startswith(b"NRRD") else b"\n") + body


VOLUME: Mapping[str, Damage] = {**BLUNT, **named(header_line, header_order, body_size)}
