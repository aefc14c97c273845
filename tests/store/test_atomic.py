"""Atomic: a file is either complete or absent."""

import os
import stat
from pathlib import Path

import pytest

from pipeline.errors import OutputError
from pipeline.store.atomic import OWNER_ONLY, atomic_file, atomic_text, write_bytes


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


class PowerCutError(Exception):
    pass


def test_a_file_appears_whole_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.txt"
    with atomic_file(path) as file:
        file.write(b"whole")
        file.flush()
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert names(path.parent) == ["a.txt"]


@pytest.mark.parametrize("ending", [PowerCutError, KeyboardInterrupt])
def test_a_block_that_is_broken_off_leaves_nothing(tmp_path: Path, ending: type[BaseException]) -> None:
    def write_half() -> None:
        with atomic_file(tmp_path / "a.txt") as file:
            file.write(b"half")
            raise ending

    with pytest.raises(ending):
        write_half()
    assert names(tmp_path) == []


def test_a_block_of_text_that_is_broken_off_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("before")

    def write_half() -> None:
        with atomic_text(tmp_path / "a.txt") as file:
            file.write("half")
            raise PowerCutError

    with pytest.raises(PowerCutError):
        write_half()
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "before"


def test_a_file_that_was_there_is_replaced(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a", b"a long old content")
    write_bytes(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"


def test_a_name_taken_by_a_folder_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OutputError, match=r"a: cannot be written \(Is a directory\).*; remove what is"):
        write_bytes(tmp_path / "a", b"content")
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_mode_is_the_one_asked_for_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_bytes(tmp_path / "secret", b"", mode=OWNER_ONLY)
        write_bytes(tmp_path / "open", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "open").stat().st_mode) == 0o644


def test_a_secret_is_at_no_time_readable_by_others(tmp_path: Path) -> None:
    with atomic_file(tmp_path / "secret", mode=OWNER_ONLY):
        (passing,) = tmp_path.iterdir()
        assert stat.S_IMODE(passing.stat().st_mode) == 0o600


def test_text_is_utf_8_with_line_ends_as_written(tmp_path: Path) -> None:
    with atomic_text(tmp_path / "a") as file:
        file.write("Größe\n×\r\n")
    assert (tmp_path / "a").read_bytes() == "Größe\n×\r\n".encode()


def test_text_with_bytes_of_another_encoding_is_written_as_it_came(tmp_path: Path) -> None:
    with atomic_text(tmp_path / "a") as file:
        file.write(os.fsdecode(b"f\xfcr.dcm"))
    assert (tmp_path / "a").read_bytes() == b"f\xfcr.dcm"
