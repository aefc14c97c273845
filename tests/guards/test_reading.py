"""Only regular files below a size are opened, at once, and every error of a parser gets a reason."""

import os
import socket
from pathlib import Path

import pytest

from pipeline.errors import CaseError, ConfigError
from pipeline.guards.reading import guarded, named, open_file, read_file


def reason(path: str | Path, most_bytes: int = 100) -> str:
    with pytest.raises(CaseError) as refusal:
        read_file(path, most_bytes=most_bytes)
    return refusal.value.reason


def test_a_regular_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    assert read_file(path, most_bytes=100) == b"x" * 100
    assert reason(path, 99) == "too_large"


def test_links_are_followed_to_regular_files_only(tmp_path: Path) -> None:
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_bytes(b"content")
    link.symlink_to(path)
    assert read_file(link, most_bytes=100) == b"content"
    link.unlink()
    link.symlink_to("/dev/zero")
    assert reason(link) == "not_a_file"
    link.unlink()
    link.symlink_to(link)
    assert reason(link) == "unreadable"


def test_what_is_not_a_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert reason(pipe) == "not_a_file"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        assert reason(tmp_path / "socket") == "not_a_file"
    assert reason("/dev/zero") == "not_a_file"
    assert reason(tmp_path) == "not_a_file"
    assert reason(tmp_path / "missing") == "unreadable"
    assert reason("null\0byte") == "unreadable"


def test_a_file_whose_size_is_unknown_is_read_up_to_the_limit() -> None:
    assert reason("/proc/self/maps", 10) == "too_large"


def test_an_announced_length_takes_no_memory_beyond_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 10)
    with open_file(path, most_bytes=100) as file:
        assert file.read(2**40) == b"x" * 10


@pytest.mark.parametrize("error", [KeyError("Doe^Jane"), ZeroDivisionError(), BaseException("a panic")])
def test_whatever_a_parser_raises_gets_the_reason(error: BaseException) -> None:
    with (
        pytest.raises(CaseError) as refusal,
        guarded("unreadable", "The map is not readable; save it again."),
    ):
        raise error
    assert (refusal.value.reason, refusal.value.message) == (
        "unreadable",
        "The map is not readable; save it again.",
    )
    assert refusal.value.__cause__ is error


def test_memory_has_a_reason_of_its_own() -> None:
    with (
        pytest.raises(CaseError) as refusal,
        guarded("unreadable", "The map is not readable; save it again."),
    ):
        raise MemoryError
    assert refusal.value.reason == "out_of_memory"
    assert str(refusal.value).startswith("The map is not readable (not enough memory); ")


@pytest.mark.parametrize("error", [ConfigError("own"), CaseError("own", "own"), KeyboardInterrupt()])
def test_errors_of_the_house_and_interruptions_pass(error: BaseException) -> None:
    with pytest.raises(type(error)) as passed, guarded("unreadable", "not readable"):
        raise error
    assert passed.value is error


def test_a_file_that_the_run_cannot_do_without_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^weights\.pt: is a folder, wanted"), named("weights.pt"):
        raise CaseError("not_a_file", "is a folder, wanted a regular file")
