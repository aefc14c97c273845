"""Pseudonyms: keyed hashes that replace the names of images, patients and files; the key stays local."""

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

KEY = "pseudonym.key"
"""File in the folder of runs, readable only by its owner."""
KEY_BYTES = 32
GROUP_AND_OTHERS = 0o077
"""Permission bits of everybody but the owner."""
NO_HARD_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""Errors of file systems that do not support hard links."""
SHOWN_DIGITS = 12
"""48 bits: the chance of a collision among 100,000 images is 2 in 100,000."""


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """Keyed hashes (HMAC-SHA256, RFC 2104). Without the key, a guessed identity cannot be verified."""

    key: bytes
    """32 random bytes."""

    def of(self, kind: str, *identity: object) -> str:
        """The pseudonym of an identity, for example ("patient", "P-0815") → "patient-3f0c…"."""
        text = "\0".join([kind, *map(str, identity)])
        digest = hmac.new(self.key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        return f"{kind}-{digest[:SHOWN_DIGITS]}"

    def seal(self, name: str, content: bytes) -> str:
        """The keyed hash of a file's content, which shows changes to who has the key, and nobody else."""
        return hmac.new(self.key, f"seal\0{name}\0".encode() + content, hashlib.sha256).hexdigest()


def open_pseudonyms(path: Path) -> Pseudonyms:
    """Pseudonyms with the key in a file, or with a new key that `write_key` writes later.

    Removes the read permission of other users. Raises ConfigError if the key file cannot be used.
    """
    try:
        return Pseudonyms(_read(path))
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            raise ConfigError(
                f"{path}: is a link to a missing file; restore the key, or remove the link to create a "
                "new key (every pseudonym will change)"
            ) from None
        return Pseudonyms(secrets.token_bytes(KEY_BYTES))
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); run as the key's owner, or choose another --out"
        ) from error


def write_key(pseudonyms: Pseudonyms, path: Path) -> None:
    """Write the key, readable by its owner only, unless the file exists.

    Raises ConfigError if another run has written a different key in the meantime.
    """
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    make_folder(path.parent)
    with writing(path):
        try:
            _write_owner_only(temporary, pseudonyms.key)
            _publish(temporary, path, pseudonyms.key)
        except FileExistsError:
            if _read(path) != pseudonyms.key:
                message = f"{path}: another run has just created a different key; rerun this command"
                raise ConfigError(message) from None
        finally:
            temporary.unlink(missing_ok=True)
        # The key exists now, so temporary key files, also those of killed runs, can go.
        for leftover in path.parent.glob(f".{path.name}-{'?' * 16}"):
            leftover.unlink(missing_ok=True)


def _read(path: Path) -> bytes:
    """The key in a file; removes the read permission of other users."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        status = os.fstat(file.fileno())
        key = file.read(KEY_BYTES + 1) if stat.S_ISREG(status.st_mode) else b""
        if len(key) != KEY_BYTES:
            raise ConfigError(
                f"{path}: holds {status.st_size} bytes, wanted a key of {KEY_BYTES}; restore the file, or "
                "delete it to create a new key (every pseudonym will change)"
            )
        if status.st_mode & GROUP_AND_OTHERS:
            _restrict_to_owner(file.fileno(), status, path)
    return key


def _restrict_to_owner(file: int, status: os.stat_result, path: Path) -> None:
    """Remove the permissions of group and others; ignored where the file system does not support it."""
    if status.st_uid != os.geteuid():
        raise ConfigError(
            f"{path}: the key belongs to another user and others can read it; have its owner restrict it "
            "(chmod 600), or choose another --out"
        )
    with suppress(OSError):
        os.fchmod(file, OWNER_ONLY)


def _publish(temporary: Path, path: Path, key: bytes) -> None:
    """Give the file its final name atomically. Raises FileExistsError instead of overwriting.

    Without hard links (FAT, some network shares) the key is written directly under its final name.
    """
    try:
        path.hardlink_to(temporary)
    except FileNotFoundError:  # removed by another run that has published its key
        raise FileExistsError(path) from None
    except OSError as error:
        if error.errno not in NO_HARD_LINKS:
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
