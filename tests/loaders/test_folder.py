"""Folder: every file below a folder is named once, in one order."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from pipeline.errors import CaseError, ConfigError
from pipeline.loaders import find_files, read_header


def names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in find_files(folder)]


def test_files_of_any_name_and_depth_come_in_sorted_order(tmp_path: Path) -> None:
    for name in ("b.dcm", "a/z/IM0001", "a.dcm", "a/.hidden", "a b/ü.DCM"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert names(tmp_path) == ["a/.hidden", "a/z/IM0001", "a b/ü.DCM", "a.dcm", "b.dcm"]
    assert list(find_files(tmp_path)) == sorted(find_files(tmp_path))


def test_a_loop_of_links_ends_and_a_linked_folder_is_entered_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "image").touch()
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "same").symlink_to(tmp_path / "a")
    assert names(tmp_path) == ["a/image"]


def test_linked_files_are_found_and_dangling_links_are_named(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch()
    folder = tmp_path / "studies"
    folder.mkdir()
    (folder / "good").symlink_to(tmp_path / "elsewhere")
    (folder / "lost").symlink_to(tmp_path / "nothing")
    assert names(folder) == ["good", "lost"]
    with pytest.raises(CaseError) as refusal:
        read_header(folder / "lost", root=folder)
    assert refusal.value.reason == "unreadable"


def test_pipes_and_sockets_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        assert names(tmp_path) == []


def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    listed = Path.iterdir

    def refuse(folder: Path) -> object:
        if folder.name == "closed":
            raise PermissionError(13, "Permission denied")
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert names(tmp_path) == ["closed"]
    with pytest.raises(CaseError) as refusal:
        read_header(tmp_path / "closed", root=tmp_path)
    assert refusal.value.reason == "not_a_file"


def test_no_folder_is_a_complaint_about_the_config(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="found no folder"):
        list(find_files(tmp_path / "absent"))
