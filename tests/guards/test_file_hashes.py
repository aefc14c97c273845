"""Hashes of files, and refusal of a file that changed after it was listed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from pipeline.errors import CaseError
from pipeline.guards import file_hashes as module
from pipeline.guards.file_hashes import TOO_LARGE, UNREADABLE, file_hash, refuse_changed


@pytest.mark.parametrize("size", [0, 5, module.PIECE_BYTES + 1, module.CACHED_FROM_BYTES])
def test_it_is_the_sha256(tmp_path: Path, size: int) -> None:
    (tmp_path / "a").write_bytes(bytes(size))
    assert file_hash(tmp_path / "a") == hashlib.sha256(bytes(size)).hexdigest()
    refuse_changed(tmp_path / "a", file_hash(tmp_path / "a"))


def test_a_large_file_that_is_written_again_is_another_whatever_its_time_says(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(module.CACHED_FROM_BYTES))
    known, times = file_hash(path), (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    while path.stat().st_ctime_ns == times[1]:  # the clock of some file systems is slow
        path.write_bytes(bytes(module.CACHED_FROM_BYTES - 1) + b"a")
        os.utime(path, ns=times)
    with pytest.raises(CaseError, match="changed after the folder was listed"):
        refuse_changed(path, known)


def test_no_file_and_no_ordinary_one_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert [file_hash(tmp_path / name) for name in ("none", "pipe", ".")] == [UNREADABLE] * 3


def test_a_file_beyond_the_limit_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    os.truncate(tmp_path / "a", module.LARGEST_BYTES + 1)
    assert file_hash(tmp_path / "a") == TOO_LARGE
    with pytest.raises(CaseError) as refused:
        refuse_changed(tmp_path / "a", TOO_LARGE)
    assert refused.value.reason == "too_large"


def test_a_file_that_becomes_a_named_pipe_before_it_is_opened_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    ordinary = (tmp_path / "file").stat()
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(Path, "stat", lambda _: ordinary)
    assert file_hash(tmp_path / "pipe") == UNREADABLE
