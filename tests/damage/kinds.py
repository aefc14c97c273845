"""Kinds: every kind of damage to an image's file, by name, and folders full of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import cycle, islice
from pathlib import Path
from random import Random

from tests.damage import headers, pictures, strangers, streams, torn
from tests.damage.sound import PLAIN, sound_files

SOUND = "sound"
KINDS: Mapping[str, Callable[[Random, Path], None]] = {
    SOUND: lambda _, path: _write_sound(path),
    **torn.KINDS,
    **headers.KINDS,
    **streams.KINDS,
    **strangers.KINDS,
    **pictures.KINDS,
}


def write_damaged(folder: Path, *, count: int, seed: int, first: int = 0) -> Iterator[tuple[str, Path]]:
    """Kind and path of `count` files, cycling through all kinds; the same arguments give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, kind in enumerate(islice(cycle(KINDS), first, first + count), start=first):
        path = folder / f"{number:06}-{kind}"
        KINDS[kind](Random(f"{seed} {number} {kind}"), path)
        yield kind, path


def _write_sound(path: Path) -> None:
    path.write_bytes(sound_files()[PLAIN])
