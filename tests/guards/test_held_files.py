"""Held files: a path opens bytes that no disk holds, as long as it is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.guards.held_files import held_file


def test_a_path_opens_the_bytes_and_leads_to_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = len([*Path("/proc/self/fd").iterdir()])
    with held_file(b"abc" * 1000, suffix=".nii.gz") as path:
        assert path.name.endswith(".nii.gz")
        assert path.read_bytes() == path.read_bytes() == b"abc" * 1000
        assert Path(path.readlink()).readlink().as_posix().startswith("/memfd:")
        assert [one.is_symlink() for one in tmp_path.rglob("*") if not one.is_dir()] == [True]
    assert not any(tmp_path.iterdir())
    assert len([*Path("/proc/self/fd").iterdir()]) == before
