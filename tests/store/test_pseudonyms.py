"""Pseudonyms: names that tell nothing without their key."""

import hashlib
import hmac
import os
import re
import stat
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.store.pseudonyms import KEY_BYTES, Pseudonyms, keep, open_pseudonyms

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
    keep(first, path)
    assert (len(first.key), stat.S_IMODE(path.stat().st_mode)) == (KEY_BYTES, 0o600)
    assert open_pseudonyms(path) == first
    keep(first, path)
    with pytest.raises(ConfigError, match="another run made the key meanwhile"):
        keep(Pseudonyms(OTHER), path)
    assert open_pseudonyms(path) == first
    assert open_pseudonyms(tmp_path / "elsewhere").key != first.key


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_of_another_length_is_refused(tmp_path: Path, length: int) -> None:
    (tmp_path / "key").write_bytes(bytes(length))
    with pytest.raises(ConfigError, match=f"key: holds {length} bytes, wanted a key of 32"):
        open_pseudonyms(tmp_path / "key")


@pytest.mark.parametrize("name", ["\ud800", "a\udc80", "\U0001f600"])
def test_whatever_a_name_holds_it_has_a_pseudonym(name: str) -> None:
    assert re.fullmatch(r"finding-[0-9a-f]{12}", Pseudonyms(KEY).of("finding", name))
