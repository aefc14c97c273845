"""Pseudonyms: names that reveal nothing without the key."""

import errno
import hashlib
import hmac
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.cohort.pseudonyms import KEY_BYTES, Pseudonyms, open_pseudonyms, write_key
from pipeline.errors import ConfigError

KEY, OTHER = bytes(range(32)), bytes(32)


def test_a_pseudonym_is_the_start_of_the_keyed_hash_of_kind_and_identity() -> None:
    whole = hmac.new(KEY, b"case\x001.2.3\x000", hashlib.sha256).hexdigest()
    assert Pseudonyms(KEY).of("case", "1.2.3", 0) == f"case-{whole[:12]}"


def test_the_same_identity_has_the_same_name_and_another_key_gives_another() -> None:
    assert Pseudonyms(KEY).of("patient", "P-1") == Pseudonyms(KEY).of("patient", "P-1")
    assert Pseudonyms(KEY).of("patient", "P-1") != Pseudonyms(OTHER).of("patient", "P-1")


def test_without_its_key_a_guessed_identity_cannot_be_tested() -> None:
    plain = hashlib.sha256(b"patient\x00P-1").hexdigest()[:12]
    assert plain not in Pseudonyms(KEY).of("patient", "P-1")


def test_kinds_and_parts_of_an_identity_do_not_collide() -> None:
    of = Pseudonyms(KEY).of
    digests = {
        name.rpartition("-")[2]
        for name in (
            of("case", "1"),
            of("patient", "1"),
            of("case", "1", 1),
            of("case", "11"),
            of("case", 1, ""),
        )
    }
    assert len(digests) == 5


def test_an_identity_that_is_no_unicode_has_a_name_too() -> None:
    assert re.fullmatch(r"file-[0-9a-f]{12}", Pseudonyms(KEY).of("file", os.fsdecode(b"f\xfcr.dcm")))


def test_a_new_key_is_random_written_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "out" / "pseudonym.key"
    first = open_pseudonyms(path)
    assert not path.exists()  # a run that cannot start writes nothing
    write_key(first, path)
    assert (len(first.key), stat.S_IMODE(path.stat().st_mode)) == (KEY_BYTES, 0o600)
    assert open_pseudonyms(path) == first
    write_key(first, path)
    with pytest.raises(ConfigError, match="another run has just created a different key"):
        write_key(Pseudonyms(OTHER), path)
    assert open_pseudonyms(path) == first
    assert open_pseudonyms(tmp_path / "elsewhere").key != first.key


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_of_another_length_is_refused(tmp_path: Path, length: int) -> None:
    (tmp_path / "key").write_bytes(bytes(length))
    with pytest.raises(ConfigError, match=f"key: holds {length} bytes, wanted a key of 32"):
        open_pseudonyms(tmp_path / "key")


def test_a_key_that_others_may_read_is_made_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(KEY)
    path.chmod(0o644)
    assert open_pseudonyms(path).key == KEY
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_another_users_key_that_all_may_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    path.write_bytes(KEY)
    path.chmod(0o644)
    monkeypatch.setattr("os.geteuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(ConfigError, match=r"others can read it; .* \(chmod 600\)"):
        open_pseudonyms(path)


def test_where_rights_cannot_be_changed_the_key_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "key"
    path.write_bytes(KEY)
    path.chmod(0o644)
    monkeypatch.setattr("os.fchmod", refusing(errno.EPERM))
    assert open_pseudonyms(path).key == KEY


def test_a_key_that_is_a_link_to_nothing_is_reported(tmp_path: Path) -> None:
    (tmp_path / "key").symlink_to(tmp_path / "lost")
    with pytest.raises(ConfigError, match="is a link to a missing file; restore the key"):
        open_pseudonyms(tmp_path / "key")


def test_a_key_that_cannot_be_read_or_is_no_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigError, match=r"cannot be read \(Is a directory\)"):
        open_pseudonyms(tmp_path / "folder")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="pipe: holds 0 bytes"):
        open_pseudonyms(tmp_path / "pipe")


KILLED = """
import os, sys
from pathlib import Path
from pipeline.cohort.pseudonyms import Pseudonyms, write_key
Path.hardlink_to = lambda *_: os.kill(os.getpid(), 9)
write_key(Pseudonyms(bytes(32)), Path(sys.argv[1]))
"""


def test_what_a_run_that_was_killed_left_of_a_key_goes_when_there_is_one(tmp_path: Path) -> None:
    path = tmp_path / "pseudonym.key"
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False, cwd=Path(__file__).parents[2])
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".pseudonym.key-")
    beside = tmp_path / ".pseudonym.key-of-mine"
    beside.touch()
    write_key(Pseudonyms(KEY), path)
    assert sorted(tmp_path.iterdir()) == [beside, path]
    assert path.read_bytes() == KEY


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP])
def test_without_hard_links_a_key_is_written_and_never_over_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    path = tmp_path / "pseudonym.key"
    monkeypatch.setattr("pathlib.Path.hardlink_to", refusing(number))
    write_key(Pseudonyms(KEY), path)
    assert (list(tmp_path.iterdir()), stat.S_IMODE(path.stat().st_mode)) == ([path], 0o600)
    with pytest.raises(ConfigError, match="another run has just created a different key"):
        write_key(Pseudonyms(OTHER), path)
    assert path.read_bytes() == KEY


def test_a_run_whose_passing_key_another_has_taken_away_compares_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pseudonym.key"

    def taken_away(_own: Path, temporary: Path) -> None:
        path.write_bytes(KEY)
        temporary.unlink()
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    monkeypatch.setattr("pathlib.Path.hardlink_to", taken_away)
    write_key(Pseudonyms(KEY), path)
    path.unlink()
    with pytest.raises(ConfigError, match="another run has just created a different key"):
        write_key(Pseudonyms(OTHER), path)


def refusing(number: int) -> Callable[..., None]:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.mark.parametrize("name", ["\ud800", "a\udc80", "\U0001f600"])
def test_whatever_a_name_holds_it_has_a_pseudonym(name: str) -> None:
    assert re.fullmatch(r"finding-[0-9a-f]{12}", Pseudonyms(KEY).of("finding", name))
