"""Folder: every file below a folder is found once, in a fixed order."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
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
    with pytest.raises(ConfigError, match="is not a folder; choose the folder"):
        list(find_files(tmp_path / "absent"))


@contextmanager
def nested(folder: Path, name: str, depth: int) -> Iterator[None]:
    """`depth` nested folders with an empty file in the last; removes them, because rmtree cannot."""
    start = Path.cwd()
    os.chdir(folder)
    for _ in range(depth):
        Path(name).mkdir()
        os.chdir(name)
    Path("image").touch()
    os.chdir(start)
    yield
    os.chdir(folder)
    for _ in range(depth):
        os.chdir(name)
    Path("image").unlink()
    for _ in range(depth):
        os.chdir("..")
        Path(name).rmdir()
    os.chdir(start)


def test_folders_nested_deeper_than_calls_can_be_are_searched(tmp_path: Path) -> None:
    (tmp_path / "e").touch()
    with nested(tmp_path, "d", 1100):
        found = names(tmp_path)
    assert found == [f"{'d/' * 1100}image", "e"]


def test_a_path_too_long_to_look_at_is_named(tmp_path: Path) -> None:
    with nested(tmp_path, "d" * 250, 20):
        (path,) = find_files(tmp_path)
        with pytest.raises(CaseError) as refusal:
            read_header(path, root=tmp_path)
    assert refusal.value.reason == "unreadable"


def test_a_folder_that_was_removed_before_it_is_entered_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "image").touch()
    monkeypatch.setattr(Path, "is_dir", lambda path: path.name in {"gone", tmp_path.name})
    assert names(tmp_path) == ["gone", "image"]
