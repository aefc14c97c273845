"""Pseudonyms: names for images, patients and files that tell nothing, made with a key that stays here."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import ConfigError
from pipeline.store.atomic import OWNER_ONLY, writing

KEY_BYTES = 32
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
    """The pseudonyms of the key in a file, or of a new key, which `keep` then writes."""
    if not path.exists():
        return Pseudonyms(secrets.token_bytes(KEY_BYTES))
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise ConfigError(
            f"{path}: holds {len(key)} bytes, wanted a key of {KEY_BYTES}; restore the file, or delete it to "
            "start anew (with a new key every pseudonym changes)"
        )
    return Pseudonyms(key)


def keep(pseudonyms: Pseudonyms, path: Path) -> None:
    """Write the key where there is none yet, readable by its owner alone.

    Raises ConfigError where another run wrote another key meanwhile.
    """
    passing = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write_owner_only(passing, pseudonyms.key)
            path.hardlink_to(passing)  # whole or not at all, and never over another
        except FileExistsError:
            if path.read_bytes() != pseudonyms.key:
                message = f"{path}: another run made the key meanwhile; start this one again"
                raise ConfigError(message) from None
        finally:
            passing.unlink(missing_ok=True)


def _write_owner_only(path: Path, content: bytes) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(file, "wb") as stream:
        stream.write(content)
