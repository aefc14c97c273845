"""Pickled: a checkpoint of torch → its content by torch's restricted unpickler, or a refusal in our words."""

from __future__ import annotations

import pickletools
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any, Final

import torch

from pipeline.errors import CaseError, ConfigError
from pipeline.guards.reading import guarded, named

OF_TENSORS: Final = ("torch", "torch._utils", "torch._tensor", "torch.storage", "torch.serialization")
"""Modules whose classes and functions rebuild tensors."""
CONTAINERS: Final = {"collections.OrderedDict", "builtins.set", "__builtin__.set"}
VALUES: Final = {"_codecs.encode", "torch.nn.parameter.Parameter"}
MOST_NAMED: Final = 3
OLDER_MARK: Final = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""Start of torch's older format: pickles of this number, a version and byte order precede the content."""
ZIP_MARKS: Final = (b"PK\x03\x04", b"PK\x05\x06")
ENCRYPTED: Final = 1
"""Flag of a member of an archive (APPNOTE, 4.4.4)."""
DAMAGED: Final = "is a damaged pickle, or none, and is not loaded; fetch it or save the state dict again"
ARRAYS: Final = {"numpy.ndarray"}
TEXTS: Final = {"BINUNICODE", "SHORT_BINUNICODE", "UNICODE", "BINUNICODE8"}
STORES: Final = {"MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT"}
FETCHES: Final = {"BINGET", "LONG_BINGET", "GET"}


@dataclass(frozen=True, slots=True)
class Found:
    """What a pickle names besides tensors."""

    names: tuple[str, ...]
    """Classes and functions that do not belong to tensors, without repeats."""
    is_object: bool
    """Whether the pickle is an object of the first of them, not a mapping that holds it."""
    keys: tuple[str, ...]
    """Texts before the first of them; the last one is its key in the mapping."""
    texts: frozenset[str]
    """All texts."""


def load_pickle(content: bytes, path: Path) -> Any:
    """The content of a checkpoint: tensors in mappings and lists, and plain values.

    Raises ConfigError for anything else; it names the class or function found, which is never run.
    """
    _refuse_compressed(content, path)
    _refuse_byte_arrays(content, path)
    try:
        with guarded("not_weights", "a hostile or broken pickle may raise anything"):
            return torch.load(BytesIO(content), map_location="cpu", weights_only=True)
    except CaseError as error:
        raise ConfigError(_refusal(content, path)) from error


def printable(text: str) -> str:
    """The text without control characters, at most 100 characters long."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:100])


def names_in(content: bytes) -> Found:
    """The names in a checkpoint's pickle, read without running it, as far as it can be read."""
    names: dict[str, None] = {}
    keys: list[str] = []
    texts: set[str] = set()
    marks = {"module"} if content.startswith(OLDER_MARK) else set()  # written before each layer's class
    in_container = False
    for kind, word in _words(content):
        if kind == "name" and not names:
            _drop_parts(keys, word)
        if kind == "text":
            texts.add(word)
            keys += [] if names or word in marks else [word]
        elif kind == "container" or word in CONTAINERS:
            in_container = in_container or not names
        elif word not in VALUES and word.rpartition(".")[0] not in OF_TENSORS:
            names.setdefault(word)
    return Found(tuple(names), bool(names) and not in_container, tuple(keys), frozenset(texts))


def _drop_parts(keys: list[str], name: str) -> None:
    """Remove module and class from the end of the texts, where newer pickles keep them as such."""
    module, _, last = name.rpartition(".")
    for part in (last, module):
        if keys and keys[-1] == part:
            keys.pop()


def _refuse_compressed(content: bytes, path: Path) -> None:
    """Raise ConfigError for a damaged archive, or a compressed one, which could expand beyond memory."""
    if not content.startswith(ZIP_MARKS):
        return  # torch's older format
    with named(path), guarded("not_weights", DAMAGED):
        entries = zipfile.ZipFile(BytesIO(content)).infolist()
    if any(entry.flag_bits & ENCRYPTED for entry in entries):
        raise ConfigError(f"{path}: is an encrypted archive; save it again with torch.save")
    if sum(entry.file_size for entry in entries) > len(content):
        raise ConfigError(
            f"{path}: its parts are larger than the file; save it again with torch.save, uncompressed"
        )


def _refuse_byte_arrays(content: bytes, path: Path) -> None:
    """Raise ConfigError for a pickle that names bytearray: torch calls it with any size, which fills memory.

    Only a name that is spelled out can be called, so bytes are enough to find it.
    """
    with named(path), guarded("not_weights", DAMAGED):
        pickles = _pickle_in(content).getbuffer()
    if re.search(b"bytearray", pickles):
        raise ConfigError(
            f"{path}: contains more than tensors (bytearray), and is not loaded; if you trust its origin, "
            "save its tensors alone, as a state_dict"
        )


def _refusal(content: bytes, path: Path) -> str:
    """Why a pickle was not loaded, and how to save its tensors."""
    found = names_in(content)
    if not found.names:
        return f"{path}: {DAMAGED}"
    shown = found.names[: 1 if found.is_object else MOST_NAMED]
    more = "" if found.is_object or found.names == shown else f" and {len(found.names) - len(shown)} more"
    what = "is a whole pickled model" if found.is_object else "contains more than tensors"
    return (
        f"{path}: {what} ({', '.join(shown)}{more}), which can run code when it is read, "
        "and is not loaded; if you trust its origin, save its tensors alone, as a state_dict: "
        f"{_one_line(found, path, of_torch=content.startswith((*ZIP_MARKS, OLDER_MARK)))}"
    )


def _one_line(found: Found, path: Path, *, of_torch: bool) -> str:
    """One line of Python that saves the tensors alone; `of_torch`: torch.save has written the file."""
    name = repr(printable(path.name))
    loaded = f"torch.load({name}, weights_only=False)" if of_torch else f"pickle.load(open({name}, 'rb'))"
    state = next((f"[{text!r}]" for text in sorted(found.texts) if text.endswith("state_dict")), "")
    if not state and ARRAYS & {*found.names}:
        return (
            f"torch.save({{name: torch.as_tensor(array) for name, array in {loaded}.items()}}, "
            "'state_dict.pth')"
        )
    if found.is_object:
        state = ".state_dict()"
    elif not state:
        state = f"[{found.keys[-1]!r}].state_dict()" if found.keys else ""
    return f"torch.save({loaded}{state}, 'state_dict.pth')"


def _words(content: bytes) -> Iterator[tuple[str, str]]:
    """("name", "module.class"), ("text", text) and ("container", ""), in order."""
    texts: list[str] = []
    stored: dict[object, str] = {}
    numbers = count()
    last = ""
    try:
        for operation, value, _ in pickletools.genops(_pickle_in(content)):
            name = operation.name
            if name in STORES:
                stored[next(numbers) if name == "MEMOIZE" else value] = last
            elif name in FETCHES:
                texts.append(stored.get(value, ""))
            last = printable(str(value)) if name in TEXTS else ""
            if name in TEXTS:
                texts.append(last)
                yield "text", last
            elif name in {"GLOBAL", "INST"}:
                yield "name", printable(str(value).replace(" ", "."))
            elif name == "STACK_GLOBAL":
                yield "name", ".".join(texts[-2:])
            elif name in {"EMPTY_DICT", "DICT", "EMPTY_LIST", "LIST"}:
                yield "container", ""
    except Exception:  # noqa: BLE001  a hostile or broken pickle may raise anything; what came before stands
        return


def _pickle_in(content: bytes) -> BytesIO:
    """The pickle of a checkpoint, at its start; of an archive no more than the pickle's entry declares."""
    if content.startswith(ZIP_MARKS):
        archive = zipfile.ZipFile(BytesIO(content))
        (entry,) = (entry for entry in archive.infolist() if entry.filename.rpartition("/")[2] == "data.pkl")
        with archive.open(entry) as part:
            return BytesIO(part.read(entry.file_size))
    pickles = BytesIO(content)
    if content.startswith(OLDER_MARK):
        for _ in range(3):
            list(pickletools.genops(pickles))
    return pickles
