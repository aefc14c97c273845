"""Markup: XML and text files of annotation tools: numbers, names, nesting, entities, and what has no end."""

from __future__ import annotations

import re
from random import Random

from tests.damage.blunt import BLUNT, named

NUMBERS = (
    b"", b" ", b"nan", b"-inf", b"1e999", b"-1", b"0", b"9" * 400, b"9" * 5_000, b"1e-999", b"0x10", b"1_0",
    b"1,5", b"x" * 100_000, b"\xef\xbc\x91", b"-0.0", b"1;2", b"\xff",
)  # fmt: skip
ENTITIES = (
    b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]>',
    b'<!DOCTYPE a SYSTEM "file:///etc/passwd">', b'<!DOCTYPE a [<!ENTITY c SYSTEM "file:///etc/passwd">]>',
    b'<!DOCTYPE a [<!ENTITY % c SYSTEM "http://127.0.0.1/"> %c;]>', b"<!DOCTYPE a>",
    b"<?xml-stylesheet href='x'?>",
)  # fmt: skip


def sound_voc() -> bytes:
    """Two boxes of Pascal VOC."""
    box = b"<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>4</xmax><ymax>5</ymax></bndbox>"
    entries = b"".join(b"<object><name>%s</name>%s</object>" % (name, box) for name in (b"nodule", b"cyst"))
    size = b"<size><width>5</width><height>6</height></size>"
    return b"<annotation><filename>a.png</filename>" + size + entries + b"</annotation>"


def sound_cvat() -> bytes:
    """A box, a polygon and points of CVAT, and a track."""
    box = b'<box label="nodule" xtl="1.00" ytl="1.00" xbr="4.00" ybr="3.50" frame="0" outside="0"/>'
    shapes = (
        box
        + b'<polygon label="cyst" points="1,1;4,1;4,5"/><ellipse label="cyst" cx="2" cy="2" rx="1" ry="2"/>'
    )
    image = b'<image id="0" name="a.png" width="5" height="6">' + shapes + b'<tag label="cyst"/></image>'
    track = b'<track id="0" label="nodule">' + box + b"</track>"
    return b"<annotations><meta><source>b.png</source></meta>" + image + track + b"</annotations>"


def sound_yolo() -> bytes:
    """A box and a polygon of YOLO."""
    return b"0 0.5 0.5 0.5 0.25\n1 0.25 0.25 0.75 0.25 0.75 0.75\n"


def sound_names() -> bytes:
    """The names of classes of YOLO."""
    return b"path: ../x\nnc: 2\nnames:\n  0: nodule\n  1: cyst\n"


def numbers(random: Random, data: bytes) -> bytes:
    """A number of another form."""
    found = list(re.finditer(rb"\d+(?:\.\d+)?", data))
    match = random.choice(found)
    return data[: match.start()] + random.choice(NUMBERS) + data[match.end() :]


def names(random: Random, data: bytes) -> bytes:
    """An element, attribute or word renamed, or left out."""
    match = random.choice(list(re.finditer(rb"[A-Za-z_]+", data)))
    word = random.choice(
        (b"", b"a", b"A" * 70_000, b"\xed\xa0\x80", b"\xff", b"&amp;", b"&#0;", b"&#xd800;", b"../a")
    )
    return data.replace(match[0], word, random.choice((1, -1)))


def entities(random: Random, data: bytes) -> bytes:
    """A document type or entities."""
    return random.choice(ENTITIES) + data.replace(b"nodule", random.choice((b"&c;", b"nodule", b"&lt;")))


def nested(random: Random, data: bytes) -> bytes:
    """Elements within each other."""
    depth = random.choice((30, 33, 1_000, 100_000))
    closing = b"</object>" * random.choice((depth, 0))
    return data.replace(b">", b">" + b"<object>" * depth + closing, 1)


def many(random: Random, data: bytes) -> bytes:
    """Many elements or lines."""
    count = random.choice((1_000, 100_000))
    middle = len(data) // 2
    start = max(data.rfind(b"<", 0, middle), data.rfind(b"\n", 0, middle) + 1)
    word = random.choice((b"<box/>", b"<object/>", b"0 0.5 0.5 0.5 0.25\n", b'<image name="a"/>'))
    return data[:start] + word * count + data[start:]


def encoding(random: Random, data: bytes) -> bytes:
    """Other encodings, stated or not."""
    text = data.decode()
    name = random.choice((b"utf-16", b"latin-1", b"no-such", b"utf-7", b"cp037"))
    return random.choice((
        text.encode("utf-16"), text.encode("utf-32"), b"\xef\xbb\xbf" + data, data + b"\0", b"\0" + data,
        b'<?xml version="1.0" encoding="' + name + b'"?>' + data, data + data,
    ))  # fmt: skip


XML = {**BLUNT, **named(numbers, names, entities, nested, many, encoding)}
YOLO = {**BLUNT, **named(numbers, many, encoding)}
