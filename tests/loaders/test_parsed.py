"""Content: a file is read once for all of its frames, which are as if each had read it alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, JPEGLSLossless, RLELossless

from pipeline.errors import CaseError
from pipeline.loaders import decode, image_files, read_header
from pipeline.loaders import parsed as contents
from pipeline.records import Image, ImageSource
from tests.loaders.files import reasons

THREE = np.stack([np.full((16, 20), value, np.uint8) for value in (10, 20, 30)])
SYNTAXES = [ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian, RLELossless, JPEGLSLossless]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read, in order."""
    names: list[str] = []
    read = image_files.read_bytes
    monkeypatch.setattr(image_files, "read_bytes", lambda path: names.append(path.name) or read(path))
    return names


def decoded(source: ImageSource) -> Image:
    return decode(source, case_id="case", window="full")


def reason(source: ImageSource) -> str:
    with pytest.raises(CaseError) as refusal:
        decoded(source)
    return refusal.value.reason


def test_the_frames_of_a_file_read_it_once(write, tmp_path: Path, reads: list[str]) -> None:
    first, second = (read_header(write(THREE, name=name, frames=3), root=tmp_path) for name in "ab")
    for source in (*first, *second, *second[::-1], first[0]):
        decoded(source)
    assert reads == ["a", "b", "a"]


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_frame_is_the_same_after_others_of_its_file(syntax, write, tmp_path: Path) -> None:
    path = write(THREE, frames=3, syntax=syntax, PatientAge="old")
    sources = read_header(path, root=tmp_path)
    for frame in (2, 0, 1, 1):
        image = decoded(sources[frame])
        assert image.pixels * 255 == pytest.approx(np.float32(THREE[frame]))
        assert reasons(image) == ["narrow_range", "element_not_used"]


@pytest.mark.parametrize(
    "name", ["SC_rgb_rle_2frame.dcm", "SC_rgb_rle_16bit_2frame.dcm", "examples_ybr_color.dcm"]
)
def test_frames_of_real_files_are_as_if_each_had_read_it_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(get_testdata_file(name, download=False))
    sources = read_header(path, root=path.parent)[:4]
    together = [decoded(source) for source in sources]
    monkeypatch.setattr(contents, "MOST_PIXEL_BYTES", 0)
    for source, image in zip(sources, together, strict=True):
        alone = decoded(source)
        assert np.array_equal(alone.pixels, image.pixels)
        assert (alone.sha256, alone.cautions, alone.spacing_mm) == (
            image.sha256,
            image.cautions,
            image.spacing_mm,
        )


def overwritten(path: Path) -> None:
    """Another file with the size and the time of this one."""
    before = path.stat()
    other = path.with_name("other")
    other.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    os.utime(other, ns=(before.st_mtime_ns, before.st_mtime_ns))
    other.replace(path)


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (overwritten, "file_changed"),
        (os.utime, "file_changed"),
        (Path.unlink, "unreadable"),
        (piped, "not_a_file"),
    ],
)
def test_a_change_between_two_frames_is_noticed(
    write, tmp_path: Path, change: Callable[[Path], None], told: str
) -> None:
    path = write(THREE, frames=3)
    sources = read_header(path, root=tmp_path)
    decoded(sources[0])
    change(path)
    assert [reason(source) for source in sources] == [told] * 3


@pytest.mark.parametrize("limit", ["MOST_PIXEL_BYTES", "MOST_OTHER_BYTES"])
def test_a_large_file_is_not_kept(
    write, tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(contents, limit, 100)
    for source in read_header(write(THREE, frames=3, name="a"), root=tmp_path):
        decoded(source)
    assert reads == ["a"] * 3


def test_a_deflated_file_whose_data_set_may_be_any_size_is_not_kept(
    write, tmp_path: Path, reads: list[str]
) -> None:
    path = write(THREE, frames=3, name="a", syntax=DeflatedExplicitVRLittleEndian)
    for source in read_header(path, root=tmp_path):
        decoded(source)
    assert reads == ["a"] * 3


def test_nothing_of_a_file_is_left_once_the_next_one_is_read(write, tmp_path: Path) -> None:
    path = write(THREE, frames=3)
    decoded(read_header(path, root=tmp_path)[0])
    assert len(contents._latest) == 1
    decoded(read_header(write(THREE[0], name="single"), root=tmp_path)[0])
    assert not contents._latest


def test_the_data_set_that_frames_share_is_left_as_it_was(write, tmp_path: Path) -> None:
    path = write(THREE, frames=3, syntax=RLELossless)
    source = read_header(path, root=tmp_path)[0]
    decoded(source)
    assert contents.content_of(source).dataset.PixelData == dcmread(path).PixelData
