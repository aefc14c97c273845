"""Strangers: files of other types among the studies, and entries that are not files."""

from __future__ import annotations

import os
import socket
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random

from PIL import Image

from tests.damage.sound import INSTALLED, PLAIN, jpeg, sound_files


def foreign_file(random: Random, path: Path) -> None:
    """DICOMDIR, ZIP, PDF, pictures, HTML, noise and empty files."""
    noise = random.randbytes(random.choice((1, 131, 132, 4000)))
    contents = (
        b"",
        noise,
        noise.ljust(128, b"\0")[:128] + b"DICM" + noise,
        bytes(128) + b"DICM",
        (INSTALLED / "dicomdirtests" / "DICOMDIR-empty.dcm").read_bytes(),
        (INSTALLED / "rtplan.dcm").read_bytes(),
        _archive(),
        b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n",
        jpeg(9, 9),
        _portable_picture(),
        b"<html><script>alert(1)</script></html>",
        b"\x08\x00\x05\x00" * 400,
        b"\x1f\x8b" + noise,
    )
    path.write_bytes(random.choice(contents))


def named_pipe(_random: Random, path: Path) -> None:
    os.mkfifo(path)


def socket_file(_random: Random, path: Path) -> None:
    place = path.with_name(f"{path.name[:6]}-s")  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(place.parent)
        try:
            listener.bind(place.name)
        finally:
            os.chdir(here)


def link(random: Random, path: Path) -> None:
    """Links that loop, are broken, lead upwards, or to a device."""
    path.symlink_to(
        random.choice((path, path.parent, Path("/nowhere"), Path("/dev/zero"), Path("/dev/null")))
    )


def without_permission(random: Random, path: Path) -> None:
    if random.random() < 0.5:
        path.write_bytes(sound_files()[PLAIN])
        path.chmod(0)
    else:
        path.mkdir()
        (path / "inside.dcm").write_bytes(sound_files()[PLAIN])
        path.chmod(0)


def odd_name(random: Random, path: Path) -> None:
    """Names that are not UTF-8, contain control characters or markup, or have the maximum length."""
    names = (
        b"\xff\xfe\x80.dcm",
        b"a\nb\r\t.dcm",
        b"<img src=x onerror=alert(1)>.dcm",
        b"=cmd()|'x'.dcm",
        b"." * 3 + b"x",
        b"n" * 255,
    )
    name = os.fsencode(path.name[:12]) + random.choice(names)
    (path.parent / os.fsdecode(name[:255])).write_bytes(sound_files()[PLAIN])


@cache
def _archive() -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.dcm", sound_files()[PLAIN])
    return buffer.getvalue()


@cache
def _portable_picture() -> bytes:
    buffer = BytesIO()
    Image.new("L", (8, 8)).save(buffer, "PNG")
    return buffer.getvalue()


KINDS: Mapping[str, Callable[[Random, Path], None]] = {
    kind.__name__: kind
    for kind in (foreign_file, named_pipe, socket_file, link, without_permission, odd_name)
}
