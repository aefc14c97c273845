"""Pickled: a checkpoint of torch → its content as data; nothing that it names is run."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Final

from pipeline.classifiers.harmless import is_array, is_of_others
from pipeline.classifiers.pickle_files import OLDER_MARK, ZIP_MARKS, opened
from pipeline.classifiers.pickled_networks import Reading
from pipeline.classifiers.pickled_tensors import TensorMaker
from pipeline.errors import ConfigError
from pipeline.guards.reading import guarded, named

ENCRYPTED: Final = 1
"""Flag of a member of an archive (APPNOTE, 4.4.4)."""
DAMAGED: Final = "is a damaged pickle, or none, and is not loaded; fetch it or save the state dict again"


@dataclass(frozen=True, slots=True)
class Content:
    """What a weights file holds: mappings by text, with tensors, numbers and texts in them."""

    value: object
    networks: Mapping[int, str] = field(default_factory=dict)
    """Identity of a mapping that was a whole pickled network → its class."""
    objects: tuple[str, ...] = ()
    """Classes and functions of others that the file names; none was imported."""
    calls: tuple[str, ...] = ()
    """Functions that run code when pickle loads the file; none was called."""
    has_arrays: bool = False
    """Whether there are arrays of NumPy in it."""
    in_python: str = ""
    """What loads the file in Python, with all that it runs."""


def load_pickle(content: bytes, path: Path) -> Content:
    """The content of a checkpoint, without importing, making or calling what it names.

    Raises ConfigError if it is damaged, encrypted or compressed.
    """
    _refuse_compressed(content, path)
    with named(path), guarded("not_weights", DAMAGED):
        pickled, numbers = opened(content)
        reading = Reading(TensorMaker(numbers))
        value = reading.read(pickled.value)
    return Content(
        value,
        networks={key: printable(name) for key, name in reading.networks.items()},
        objects=tuple(printable(name) for name in pickled.names if is_of_others(name)),
        calls=tuple(map(printable, pickled.calls)),
        has_arrays=any(map(is_array, pickled.names)),
        in_python=_in_python(path, of_torch=content.startswith((*ZIP_MARKS, OLDER_MARK))),
    )


def printable(text: str) -> str:
    """The text without control characters, at most 100 characters long."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:100])


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


def _in_python(path: Path, *, of_torch: bool) -> str:
    """What loads the file in Python; `of_torch`: torch.save has written it."""
    name = repr(printable(path.name))
    return f"torch.load({name}, weights_only=False)" if of_torch else f"pickle.load(open({name}, 'rb'))"
