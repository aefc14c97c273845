"""Signatures: detached signatures of files in the format of minisign, by the user's own key.

https://jedisct1.github.io/minisign/: Ed25519 over the BLAKE2b hash of the file, and over the trusted comment.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import ConfigError
from pipeline.guards.reading import MIB, named, open_file, read_file
from pipeline.store.atomic import write_bytes
from pipeline.store.dates import seconds_since_1970

if TYPE_CHECKING:
    from minisign import PublicKey, SecretKey, Signature

SUFFIX = ".minisig"
KEY_ID = slice(2, 10)
"""Place of a key's id in the bytes of a signature and of a public key."""
LARGEST_KEY_BYTES = 4096
LARGEST_SIGNATURE_BYTES = 16_384
"""A trusted comment may have 8 KiB."""
LARGEST_FILE_BYTES = 2**12 * MIB
EXTRA = 'install it with: pip install "heatproof[sign]"'


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """What was found of the signature of one file."""

    path: Path
    """The signed file."""
    is_good: bool
    text: str
    """What was found, as part of a sentence."""


def signature_of(path: Path) -> Path:
    """The place of a file's signature, beside it."""
    return path.with_name(path.name + SUFFIX)


def sign(path: Path, key: Path, *, password: Callable[[], str], note: str = "") -> Path:
    """Sign a file with the secret key in `key`, and return the path of the signature beside the file.

    `password` is asked for if the key is encrypted. `note` is signed, too, as part of the trusted comment.
    Raises ConfigError if the key cannot be used, or if another key's signature stands there, which would be
    lost.
    """
    minisign = _library()
    with named(key):
        content = read_file(key, most_bytes=LARGEST_KEY_BYTES)
    with _refusing(minisign, key, "is not a secret key of minisign"):
        secret: SecretKey = minisign.SecretKey.from_bytes(content)
    with secret:
        if secret.is_encrypted():
            with _refusing(minisign, key, "cannot be opened with this password"):
                secret.decrypt(password())
        _refuse_to_replace(signature_of(path), secret)
        comment = "\t".join(
            part
            for part in (f"timestamp:{seconds_since_1970()}", f"file:{path.name}", "hashed", note)
            if part
        )
        with named(path), open_file(path, most_bytes=LARGEST_FILE_BYTES) as file:
            signature: Signature = secret.sign(file, trusted_comment=_printable(comment))
    write_bytes(signature_of(path), bytes(signature) + b"\n")
    return signature_of(path)


def check_signature(path: Path, key: Path) -> SignatureCheck:
    """Whether the signature beside a file is that of the public key in `key`. ConfigError: not a key."""
    minisign = _library()
    with named(key):
        content = read_file(key, most_bytes=LARGEST_KEY_BYTES)
    with _refusing(minisign, key, "is not a public key of minisign"):
        public = _public_key(minisign, content)
    place = signature_of(path)
    if not place.is_file() or place.is_symlink():
        return SignatureCheck(path, is_good=False, text="has no signature")
    with named(place):
        signed = read_file(place, most_bytes=LARGEST_SIGNATURE_BYTES)
    try:
        signature: Signature = minisign.Signature.from_bytes(signed)
        with named(path), open_file(path, most_bytes=LARGEST_FILE_BYTES) as file:
            public.verify(file, signature)
    except minisign.ParseError as error:
        return SignatureCheck(path, is_good=False, text=f"has a signature that cannot be read ({error})")
    except minisign.VerifyError as error:
        return SignatureCheck(
            path, is_good=False, text=f"has a signature of another key or content ({error})"
        )
    comment = signature.trusted_comment.replace("\t", ", ")
    text = f"is signed by the key {public.to_base64().decode()} ({comment})"
    return SignatureCheck(path, is_good=True, text=text)


def _refuse_to_replace(place: Path, secret: SecretKey) -> None:
    """Raise ConfigError if a signature of another key stands at `place`."""
    if not place.is_file():
        return
    with named(place):
        lines = read_file(place, most_bytes=LARGEST_SIGNATURE_BYTES).splitlines()
    found = _key_id(lines[1]) if len(lines) > 1 else b""
    if found and found != _key_id(secret.get_public_key().to_base64()):
        raise ConfigError(
            f"{place}: is a signature by another key, which signing would replace; move it to another "
            "folder, then sign again"
        )


def _key_id(line: bytes) -> bytes:
    """The id of the key in a line of minisign: the eight bytes after the algorithm; empty: no such line."""
    try:
        return base64.b64decode(line, validate=True)[KEY_ID]
    except ValueError:
        return b""


def _public_key(minisign: Any, content: bytes) -> PublicKey:
    """A key as in minisign's file of two lines, or as its second line alone."""
    lines = content.split()
    alone = len(lines) == 1
    found: PublicKey = (
        minisign.PublicKey.from_base64(lines[0]) if alone else minisign.PublicKey.from_bytes(content)
    )
    return found


def _printable(text: str) -> str:
    """ASCII without control characters but tabs, which a trusted comment has to be."""
    ascii_text = text.encode("ascii", "backslashreplace").decode("ascii")
    return "".join(character for character in ascii_text if character == "\t" or " " <= character < "\x7f")


@contextmanager
def _refusing(minisign: Any, path: Path, what: str) -> Iterator[None]:
    try:
        yield
    except minisign.Error as error:
        raise ConfigError(f"{path}: {what} ({error}); give another file") from error


def _library() -> Any:
    """The library py-minisign. Raises ConfigError that says how to install it."""
    try:
        import minisign  # noqa: PLC0415  optional
    except ImportError as error:
        raise ConfigError(
            f"signatures need the package py-minisign, which is not installed; {EXTRA}"
        ) from error
    return minisign
