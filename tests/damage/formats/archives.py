"""Archives: every field of a ZIP file's headers, and the members of the archive."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from random import Random

from tests.damage.blunt import named

LOCAL = {
    "version": (4, "H"), "flags": (6, "H"), "method": (8, "H"), "time": (10, "I"), "crc": (14, "I"),
    "packed": (18, "I"), "size": (22, "I"), "name": (26, "H"), "extra": (28, "H"),
}  # fmt: skip
CENTRAL = {
    "maker": (4, "H"), "version": (6, "H"), "flags": (8, "H"), "method": (10, "H"), "crc": (16, "I"),
    "packed": (20, "I"), "size": (24, "I"), "name": (28, "H"), "extra": (30, "H"), "comment": (32, "H"),
    "disk": (34, "H"), "attributes": (38, "I"), "offset": (42, "I"),
}  # fmt: skip
END = {
    "disk": (4, "H"), "start": (6, "H"), "here": (8, "H"), "all": (10, "H"), "size": (12, "I"),
    "offset": (16, "I"), "comment": (20, "H"),
}  # fmt: skip
RECORDS: Mapping[bytes, Mapping[str, tuple[int, str]]] = {
    b"PK\x03\x04": LOCAL,
    b"PK\x01\x02": CENTRAL,
    b"PK\x05\x06": END,
}
"""Signature → field → offset and struct code (APPNOTE.TXT 4.3)."""
NUMBERS = (
    0,
    1,
    2,
    3,
    8,
    9,
    12,
    14,
    45,
    63,
    93,
    97,
    99,
    0x7FFF,
    0xFFFF,
    2**31 - 1,
    2**31,
    2**32 - 2,
    2**32 - 1,
)


def zip_field(random: Random, data: bytes) -> bytes:
    """One field of one header; in half of the files, in the other headers that have it, too."""
    changed = bytearray(data)
    signature = random.choice(list(RECORDS))
    field = random.choice(list(RECORDS[signature]))
    everywhere = random.random() < 0.5
    value = random.choice((*NUMBERS, random.getrandbits(16), 1 << random.randrange(16)))
    for kind, fields in RECORDS.items():
        if field in fields and (kind == signature or everywhere):
            offset, code = fields[field]
            for start in _starts(data, kind):
                room = struct.calcsize(code) * 8
                struct.pack_into(f"<{code}", changed, start + offset, value & (2**room - 1))
    return bytes(changed)


def rotten_member(random: Random, data: bytes) -> bytes:
    """Flipped bits in the packed content of a member."""
    changed = bytearray(data)
    start = random.choice(_starts(data, b"PK\x03\x04"))
    length = max(1, min(struct.unpack_from("<I", data, start + 18)[0], len(data) - start - 60))
    for _ in range(random.choice((1, 3, 20))):
        changed[min(start + 40 + random.randrange(length), len(data) - 1)] ^= 1 << random.randrange(8)
    return bytes(changed)


def other_members(random: Random, data: bytes) -> bytes:
    """Members left out, repeated, renamed, encrypted by flag, packed by other methods; thousands of them."""
    members = contents(data)
    name = random.choice(list(members))
    way = random.choice(("none", "without", "repeated", "renamed", "more", "packed", "comment"))
    names = ("../" + name, "/" + name, name[:-4], "", "a\0b.npy", "é.npy", "x" * 60000, name + "/")
    written = {
        "none": {},
        "without": {key: value for key, value in members.items() if key != name},
        "renamed": {random.choice(names) if key == name else key: value for key, value in members.items()},
        "more": members | {f"{number}.npy": b"" for number in range(random.choice((1, 5000)))},
    }.get(way, members)
    again = [(name, members[name])] * (way == "repeated")
    method = random.choice((zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)) if way == "packed" else zipfile.ZIP_STORED
    return archive([*written.items(), *again], method, comment=bytes(65535) if way == "comment" else b"")


def contents(data: bytes) -> dict[str, bytes]:
    """Member → bytes."""
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def archive(
    members: list[tuple[str, bytes]], method: int = zipfile.ZIP_STORED, *, comment: bytes = b""
) -> bytes:
    """A ZIP file, with names as they are."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as written:
        for name, content in members:
            entry = zipfile.ZipInfo("a")
            entry.filename, entry.compress_type = name, method
            _quietly(written, entry, content)
        written.comment = comment
    return buffer.getvalue()


def _quietly(written: zipfile.ZipFile, entry: zipfile.ZipInfo, content: bytes) -> None:
    """Write a member whose name may be there already."""
    written.NameToInfo.pop(entry.filename, None)
    written.writestr(entry, content)


def _starts(data: bytes, signature: bytes) -> list[int]:
    found, at = [], data.find(signature)
    while at >= 0:
        if at + 46 <= len(data) or signature == b"PK\x05\x06":
            found.append(at)
        at = data.find(signature, at + 4)
    return found


ARCHIVE = named(zip_field, rotten_member, other_members)
