"""Blunt: damage to the bytes of a file, regardless of their meaning, and what is no regular file at all."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

Damage = Callable[[Random, bytes], bytes]
"""The bytes of an intact file → damaged bytes."""
GIANT_BYTES = 200 << 30
EARLY = 400
"""Bytes at the start of a file, where sizes and types are."""


def named(*damage: Damage) -> Mapping[str, Damage]:
    """Kind → damage, by the names of the functions."""
    return {function.__name__: function for function in damage}


def cut(random: Random, data: bytes) -> bytes:
    return data[: random.randrange(len(data))]


def flipped(random: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 4, 32))):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def flipped_early(random: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(random.choice((1, 3, 9))):
        changed[random.randrange(min(len(changed), EARLY))] = random.choice(
            (0, 1, 127, 255, random.randrange(256))
        )
    return bytes(changed)


def doubled(random: Random, data: bytes) -> bytes:
    start, end = sorted((random.randrange(len(data)), random.randrange(len(data))))
    return data[:end] + data[start:]


def noise(random: Random, data: bytes) -> bytes:
    return random.choice(
        (b"", b"\0", random.randbytes(len(data)), data[:8] + random.randbytes(99), b"{" * 9000)
    )


BLUNT = named(cut, flipped, flipped_early, doubled, noise)


def giant(_: Random, path: Path, data: bytes) -> None:
    """The intact file followed by zeros, as a sparse file."""
    path.write_bytes(data)
    os.truncate(path, GIANT_BYTES)


def not_a_file(random: Random, path: Path, data: bytes) -> None:
    """A named pipe, a socket, a device, a folder, or a link that leads nowhere."""
    way = random.choice(("pipe", "socket", "device", "memory", "folder", "loop", "nowhere", "linked"))
    if way == "pipe":
        os.mkfifo(path)
    elif way == "socket":
        here = os.open(path.parent, os.O_RDONLY)  # the name of a socket has at most 108 bytes
        try:
            with socket.socket(socket.AF_UNIX) as bound:
                bound.bind(f"/proc/self/fd/{here}/{path.name}")
        finally:
            os.close(here)
    elif way == "folder":
        path.mkdir()
    elif way == "linked":
        other = path.with_name("elsewhere")
        other.write_bytes(data)
        path.symlink_to(other)
    else:
        targets = {"device": "/dev/zero", "memory": "/proc/self/mem", "loop": path.name, "nowhere": "nowhere"}
        path.symlink_to(targets[way])


Place = Callable[[Random, Path, bytes], None]
"""Writes something at a path, from the bytes of an intact file."""
PLACES: Mapping[str, Place] = {kind.__name__: kind for kind in (giant, not_a_file)}
"""Kinds that write the file themselves."""
