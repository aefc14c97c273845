"""Decoding: each frame gives one image, or one reason for skipping it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

from pipeline.errors import CaseError, ConfigError
from pipeline.loaders import dataset as datasets
from pipeline.loaders import decode, read_header
from pipeline.loaders.dataset import read_bytes

SQUARE = [[0, 51], [102, 255]]
NOISE = np.random.default_rng(0).integers(0, 4096, (40, 40), dtype=np.uint16)


def reason(source, **options: object) -> str:
    with pytest.raises(CaseError) as refusal:
        decode(source, case_id="case", **options)
    assert "/" not in refusal.value.message
    return refusal.value.reason


def test_a_spacing_of_the_table_counts_where_the_file_has_none(write, tmp_path: Path) -> None:
    (source,) = read_header(write(SQUARE), root=tmp_path)
    without, with_table = (decode(replace(source, spacing_mm=mm), case_id="c7") for mm in (None, (0.2, 0.3)))
    assert (without.spacing_mm, without.spacing_at, without.directions) == (None, "", None)
    assert (with_table.spacing_mm, with_table.spacing_at) == ((0.2, 0.3), "table")


def test_an_image_says_what_was_decoded(write, tmp_path: Path) -> None:
    path = write(SQUARE, PixelSpacing=[0.5, 0.25], PatientOrientation=["L", "F"])
    (source,) = read_header(path, root=tmp_path)
    image = decode(source, case_id="c7")
    assert image.directions == ("L", "F")
    assert image.spacing_at == "unstated"  # a radiograph with Pixel Spacing alone
    assert image.case_id == "c7"
    assert image.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert image.attributes == source.attributes
    assert image.spacing_mm == (0.5, 0.25)
    assert image.pixels.dtype == np.float32
    assert image.pixels.flags.c_contiguous
    assert image.pixels == pytest.approx(np.array(SQUARE) / 255)


def test_the_file_is_read_once(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (source,) = read_header(write(SQUARE), root=tmp_path)
    reads: list[Path] = []
    monkeypatch.setattr(
        "pipeline.loaders.image_files.read_bytes", lambda path: reads.append(path) or read_bytes(path)
    )
    decode(source, case_id="case")
    assert reads == [Path(source.path)]


def test_a_file_that_is_missing_changed_or_shorter_than_listed(write, tmp_path: Path) -> None:
    path = write(np.zeros((2, 3, 3), np.uint8), frames=2)
    sources = read_header(path, root=tmp_path)
    for pixels in (np.zeros((3, 3), np.uint8), np.zeros((3, 4), np.uint8)):
        write(pixels)
        assert reason(sources[0]) == reason(sources[1]) == "file_changed"
    path.write_bytes(b"something else")
    assert reason(sources[0]) == "file_changed"
    write(np.zeros((3, 3), np.uint8))
    assert reason(replace(sources[1], fingerprint="")) == "frame_missing"
    path.unlink()
    assert reason(sources[0]) == "unreadable"


@pytest.mark.parametrize("offset", [0, 300, 75_000, -1])
def test_a_change_that_leaves_size_and_time_alone_is_noticed(write, tmp_path: Path, offset: int) -> None:
    path = write(np.zeros((500, 300), np.uint8))
    (source,) = read_header(path, root=tmp_path)
    decode(source, case_id="case")
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(source.modified_ns, source.modified_ns))
    assert path.stat().st_size == source.size_bytes
    assert reason(source) == "file_changed"


def test_a_change_within_a_large_file_is_noticed_by_its_time(
    write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "_ENDS_BYTES", 2**10)
    path = write(np.zeros((500, 300), np.uint8))
    (source,) = read_header(path, root=tmp_path)
    content = bytearray(path.read_bytes())
    content[75_000] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(source.modified_ns + 1, source.modified_ns + 1))
    assert reason(source) == "file_changed"


def test_a_change_within_a_large_file_is_noticed_though_its_time_is_put_back(
    write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "_ENDS_BYTES", 2**10)
    path = write(np.zeros((500, 300), np.uint8))
    (source,) = read_header(path, root=tmp_path)
    content = path.read_bytes()
    decode(source, case_id="case")
    other = tmp_path / "other"
    other.write_bytes(content[:75_000] + b"\1" + content[75_001:])
    os.utime(other, ns=(source.modified_ns, source.modified_ns))
    other.replace(path)
    assert reason(source) == "file_changed"
    (source,) = read_header(path, root=tmp_path)
    path.write_bytes(content)
    os.utime(path, ns=(source.modified_ns,) * 2)
    while path.stat().st_ctime_ns == source.changed_ns:  # clocks of file systems tick in milliseconds
        os.utime(path, ns=(source.modified_ns,) * 2)
    assert path.stat().st_mtime_ns == source.modified_ns
    assert reason(source) == "file_changed"


def test_a_small_file_whose_rights_change_is_still_the_same(write, tmp_path: Path) -> None:
    path = write(np.zeros((500, 300), np.uint8))
    (source,) = read_header(path, root=tmp_path)
    (tmp_path / "link").hardlink_to(path)
    while path.stat().st_ctime_ns == source.changed_ns:
        path.chmod(0o600)
    assert decode(source, case_id="case").shape == (500, 300)


def test_a_file_too_large_is_not_read(write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (source,) = read_header(write(SQUARE), root=tmp_path)
    monkeypatch.setattr(datasets, "LARGEST_FILE_BYTES", 100)
    assert reason(source) == "too_large"


def test_a_frame_too_large_is_refused_before_its_file_is_read(
    write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source,) = read_header(write(SQUARE), root=tmp_path)
    monkeypatch.setattr("pipeline.loaders.image_files.read_bytes", lambda path: pytest.fail(f"read {path}"))
    assert reason(replace(source, shape=(20_000, 20_000))) == "too_large"


def test_a_frame_that_is_not_there(write, tmp_path: Path) -> None:
    compressed = write(NOISE, syntax=JPEGLSLossless, BitsStored=12, HighBit=11)
    (source,) = read_header(compressed, root=tmp_path)
    assert reason(replace(source, frame=1)) == "frame_missing"


def test_a_window_without_width_is_a_complaint_about_the_config(write, tmp_path: Path) -> None:
    (source,) = read_header(write(SQUARE), root=tmp_path)
    for width in (0.0, -1.0, float("nan")):
        with pytest.raises(ConfigError, match="width"):
            decode(source, case_id="case", window=(40.0, width))


def test_a_constant_image_is_finite(write, load) -> None:
    assert load(write(np.ones((2, 2), np.uint16))).pixels == pytest.approx(np.full((2, 2), 1 / 65535))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_damaged_bytes_give_an_image_or_a_reason(syntax, write, tmp_path: Path) -> None:
    path = write(NOISE, syntax=syntax, BitsStored=12, HighBit=11)
    content = path.read_bytes()
    random = np.random.default_rng(1)
    for _ in range(60):
        damaged = bytearray(content)
        for offset in random.integers(132, 1200, 8):
            damaged[offset] = random.integers(0, 256)
        path.write_bytes(damaged)
        try:
            for source in read_header(path, root=tmp_path)[:2]:
                image = decode(source, case_id="case")
                assert np.isfinite(image.pixels).all()
                assert 0 <= image.pixels.min() <= image.pixels.max() <= 1
        except CaseError as refusal:
            assert refusal.reason.islower()  # noqa: PT017 – either is right


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_a_file_truncated_within_its_pixels(syntax, write, tmp_path: Path) -> None:
    path = write(NOISE, syntax=syntax, BitsStored=12, HighBit=11)
    path.write_bytes(path.read_bytes()[:-500])
    (source,) = read_header(path, root=tmp_path)
    assert reason(source) == "decode_failed"
