"""Pseudonyms: names for images, patients and files that tell nothing, made with a key that stays here."""

from __future__ import annotations

import errno
import hashlib
import hmac
import os
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.store.atomic import OWNER_ONLY, make_folder, writing

KEY_BYTES = 32
EVERYBODY_ELSE = 0o077
"""Rights of all but the owner."""
WITHOUT_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""What file systems say that know no hard links."""
SHOWN_DIGITS = 12
"""48 bits: among 100,000 images two share a pseudonym with a chance of 2 in 100,000."""


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Keyed hashes (HMAC-SHA256, RFC 2104): without the key nobody can test a guess."""

    key: bytes

    def of(self, kind: str, *identity: object) -> str:
        """For example "patient-3f0c…" of ("patient", "P-0815"); the same identity gives the same name."""
        text = "\0".join([kind, *map(str, identity)])
        digest = hmac.new(self.key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        return f"{kind}-{digest[:SHOWN_DIGITS]}"


def open_pseudonyms(path: Path) -> Pseudonyms:
    """The pseudonyms of the key in a file, or of a new key, which `keep` then writes.

    A key that others may read is made its owner's alone. ConfigError where it cannot be used as it is.
    """
    try:
        return Pseudonyms(_read(path))
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise ConfigError(
                f"{path}: is a link to a file that is not there; bring the key back, or remove the link to "
                "start anew (with a new key every pseudonym changes)"
            ) from None
        return Pseudonyms(secrets.token_bytes(KEY_BYTES))
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); let its owner run this, or choose another --out"
        ) from error


def keep(pseudonyms: Pseudonyms, path: Path) -> None:
    """Write the key where there is none yet, readable by its owner alone.

    Raises ConfigError where another run wrote another key meanwhile.
    """
    passing = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    make_folder(path.parent)
    with writing(path):
        try:
            _write_owner_only(passing, pseudonyms.key)
            _put(passing, path, pseudonyms.key)
        except FileExistsError:
            if _read(path) != pseudonyms.key:
                message = f"{path}: another run made the key meanwhile; start this one again"
                raise ConfigError(message) from None
        finally:
            passing.unlink(missing_ok=True)
        # There is a key, so whatever else was to become it is needless, also what a killed run left.
        for needless in path.parent.glob(f".{path.name}-{'?' * 16}"):
            needless.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    """The key in a file, which is then nobody else's to read."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        status = os.fstat(file.fileno())
        key = file.read(KEY_BYTES + 1) if stat.S_ISREG(status.st_mode) else b""
        if len(key) != KEY_BYTES:
            raise ConfigError(
                f"{path}: holds {status.st_size} bytes, wanted a key of {KEY_BYTES}; restore the file, or "
                "delete it to start anew (with a new key every pseudonym changes)"
            )
        if status.st_mode & EVERYBODY_ELSE:
            _tighten(file.fileno(), status, path)
    return key


def _tighten(file: int, status: os.stat_result, path: Path) -> None:
    """Take away the rights of all but the owner; some file systems know none, and keep what they show."""
    if status.st_uid != os.geteuid():
        raise ConfigError(
            f"{path}: the key may be read by others than its owner, another user; have it made its owner's "
            "alone (chmod 600), or choose another --out"
        )
    with suppress(OSError):
        os.fchmod(file, OWNER_ONLY)


def _put(passing: Path, path: Path, key: bytes) -> None:
    """Give the file its name, whole or not at all and never over another; FileExistsError where there is one.

    Where there are no hard links (FAT, some network shares) the file is written under its own name.
    """
    try:
        path.hardlink_to(passing)
    except FileNotFoundError:  # taken away by a run that has put a key
        raise FileExistsError(path) from None
    except OSError as error:
        if error.errno not in WITHOUT_LINKS:
            raise
        _write_owner_only(path, key)


def _write_owner_only(path: Path, content: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(file)
    except BaseException:
        path.unlink()
        raise
