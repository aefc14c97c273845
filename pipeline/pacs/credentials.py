"""Credentials: a bearer token or a client certificate, from the environment or an owner-only file.

They are in no config, log, manifest or provenance: only the name of the file may be.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pipeline.errors import ConfigError
from pipeline.guards.existing import existing_path
from pipeline.guards.yaml_models import read_yaml

VARIABLES: Final = {
    "token": "HEATPROOF_PACS_TOKEN",
    "certificate": "HEATPROOF_PACS_CERTIFICATE",
    "key": "HEATPROOF_PACS_KEY",
    "authority": "HEATPROOF_PACS_AUTHORITY",
}
"""Key of a file of credentials → variable of the environment, which the file overrides."""
FILES: Final = ("certificate", "key", "authority")
SECRET_FILES: Final = ("key",)
PRIVATE: Final = b"PRIVATE KEY-----"
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
FIRST, LAST = "!", "~"


@dataclass(frozen=True, slots=True)
class Credentials:
    """How this side shows who it is, and whom it trusts. Its text shows no secret."""

    token: str = field(default="", repr=False)
    """Bearer token (RFC 6750); empty: none."""
    certificate: Path | None = None
    """PEM of the client certificate."""
    key: Path | None = None
    """PEM of its private key; None: it is in the certificate's file."""
    authority: Path | None = None
    """PEM of the certificates that are trusted, instead of those that `certifi` lists."""


NONE: Final = Credentials()


def read_credentials(file: Path | None, environment: Mapping[str, str] = os.environ) -> Credentials:
    """The credentials of the file, or else of the environment.

    Raises ConfigError that quotes no value: for a file that others can read, unknown keys, missing files.
    """
    found = {key: environment[name] for key, name in VARIABLES.items() if environment.get(name)}
    where = dict(VARIABLES)
    if file is not None:
        values = _values(file)
        found |= values
        where |= {key: f"{file}: {key}" for key in values}
    token = found.get("token", "").strip()
    if any(not FIRST <= letter <= LAST for letter in token):
        raise ConfigError(f"{where['token']}: holds blanks or letters that no token has; copy it again")
    folder = Path() if file is None else file.parent
    paths = {key: folder / found[key] for key in FILES if key in found}
    for key, path in paths.items():
        existing_path(path, where[key], f"the path of a PEM file as {where[key]}")
        if key in SECRET_FILES or _holds_key(path):
            _refuse_shared(path)
    if "key" in paths and "certificate" not in paths:
        raise ConfigError(f"{where['key']}: is a key without a certificate; name that too")
    return Credentials(token, **paths)


def _values(file: Path) -> dict[str, str]:
    existing_path(file, "pacs.credentials", "a file of credentials")
    _refuse_shared(file)
    try:
        values = read_yaml(file)
    except ConfigError:
        values = {"": ""}  # the error would quote the file
    wrong = [key for key, value in values.items() if key not in VARIABLES or not isinstance(value, str)]
    if wrong:
        raise ConfigError(
            f"{file}: is not a file of credentials; write lines of YAML with texts: {', '.join(VARIABLES)}"
        )
    return values


def _holds_key(path: Path) -> bool:
    """Whether a PEM holds a private key, as those of certificates may (RFC 7468, 10 and 11)."""
    with suppress(OSError), path.open("rb") as lines:  # who uses the file says that it cannot be read
        return any(PRIVATE in line for line in lines)
    return False


def _refuse_shared(path: Path) -> None:
    if path.stat().st_mode & OTHERS:
        raise ConfigError(f"{path}: others can read it, and it holds a secret; chmod 600 it")
