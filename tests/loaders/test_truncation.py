"""Truncation: missing pixel data are detected from headers, and announced frames are not trusted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from pipeline.errors import CaseError
from pipeline.loaders import read_header
from pipeline.loaders.truncation import native_bytes

NATIVE = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)
ENCAPSULATED = (RLELossless, JPEGLSLossless, JPEG2000Lossless)
CINE = np.random.default_rng(0).integers(0, 4096, (3, 40, 40), dtype=np.uint16)
Write = Callable[..., Path]


def refused(path: Path, root: Path) -> str:
    with pytest.raises(CaseError) as refusal:
        read_header(path, root=root)
    return refusal.value.reason


def whole(path: Path, root: Path) -> set[bool]:
    return {source.whole for source in read_header(path, root=root)}


@pytest.mark.parametrize("syntax", [*NATIVE, *ENCAPSULATED, DeflatedExplicitVRLittleEndian])
def test_a_sound_file_is_whole(syntax: UID, write: Write, tmp_path: Path) -> None:
    one = write(CINE[0], name="one", syntax=syntax, BitsStored=12, HighBit=11)
    cine = write(CINE, name="cine", syntax=syntax, frames=3, BitsStored=12, HighBit=11)
    for path, frames in ((one, 1), (cine, 3)):
        sources = read_header(path, root=tmp_path)
        assert [(source.whole, source.frame) for source in sources] == [(True, n) for n in range(frames)]


@pytest.mark.parametrize("syntax", [*NATIVE, *ENCAPSULATED])
@pytest.mark.parametrize("lost", [2, 500])
def test_a_file_that_breaks_off_is_listed_but_not_whole(
    syntax: UID, lost: int, write: Write, tmp_path: Path
) -> None:
    path = write(CINE[0], syntax=syntax, BitsStored=12, HighBit=11)
    path.write_bytes(path.read_bytes()[:-lost])
    assert whole(path, tmp_path) == {False}


def test_pixel_data_that_end_as_announced_but_too_early_are_not_whole(write: Write, tmp_path: Path) -> None:
    assert whole(write(CINE[0], Rows=41), tmp_path) == {False}
    assert whole(write(CINE[0], SamplesPerPixel=3), tmp_path) == {False}
    assert whole(write(CINE[0], Rows=39), tmp_path) == {True}  # padding


def test_halved_chroma_is_counted_as_it_is_stored() -> None:
    sizes = [
        native_bytes(pixels=12, samples=3, bits=8, photometric=name)
        for name in ("RGB", "YBR_FULL_422", "YBR_PARTIAL_420")
    ]
    assert sizes == [36, 24, 18]
    assert native_bytes(pixels=9, samples=1, bits=1, photometric="MONOCHROME2") == 2


@pytest.mark.parametrize("syntax", [*NATIVE, *ENCAPSULATED, DeflatedExplicitVRLittleEndian])
def test_a_small_file_that_announces_many_frames_is_skipped_once(
    syntax: UID, write: Write, tmp_path: Path
) -> None:
    path = write(np.zeros((60, 60), np.uint8), syntax=syntax, NumberOfFrames=1)
    content = path.read_bytes()
    if syntax != DeflatedExplicitVRLittleEndian:
        for written in (b"\x28\x00\x08\x00IS\x02\x00", b"\x28\x00\x08\x00\x02\x00\x00\x00"):
            content = content.replace(written + b"1 ", written + b"99")
        content = content.replace(b"\x00\x28\x00\x08IS\x00\x021 ", b"\x00\x28\x00\x08IS\x00\x0299")
        path.write_bytes(content)
    else:
        path = write(np.zeros((60, 60), np.uint8), syntax=syntax, NumberOfFrames=65536)
    assert refused(path, tmp_path) == "pixel_data_mismatch"


@pytest.mark.parametrize("missing", ["BitsAllocated", "SamplesPerPixel"])
def test_what_a_header_leaves_out_gives_no_frames_for_nothing(
    missing: str, write: Write, tmp_path: Path
) -> None:
    path = write(np.zeros((61, 61), np.uint8), NumberOfFrames=65536, **{missing: None})
    assert refused(path, tmp_path) == "pixel_data_mismatch"


def test_a_compressed_cine_that_breaks_off_is_skipped_once(write: Write, tmp_path: Path) -> None:
    path = write(CINE, syntax=JPEGLSLossless, frames=3, BitsStored=12, HighBit=11)
    path.write_bytes(path.read_bytes()[:-500])
    assert refused(path, tmp_path) == "decode_failed"
