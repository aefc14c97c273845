"""Tables: CSV files by their columns, cells, separators, quotes and encodings."""

from __future__ import annotations

import codecs
from functools import cache
from random import Random

from tests.damage.blunt import BLUNT, named

NASTY = (
    "", " ", "NaN", "inf", "-1", "1e999", "-1e-999", "0x10", "1_000", "1,5", "1;5", "٣", "１２", "9" * 400,
    "9" * 5000,
    "½", "²", "true", "None", "null", "=1+1", "a\0b", "\ufeff", "\u2028", "\x1b[31m", '"', "'", "\\",
    "../a", "a/b/c",
    "{image}", "\ud7ff", "é" * 300, "x" * 200_000, "1e5", "+3", "3.", ".3", "--", "1.2.3.4", "A", "a.dcm",
    "nodule ",
)  # fmt: skip
ENCODINGS = (
    "utf-8-sig",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
    "utf-32",
    "latin-1",
    "cp037",
    "utf-7",
    "shift_jis",
)


@cache
def sound_maps_table() -> bytes:
    """The table of external maps."""
    return (
        b"file,image,finding,method,probability,frame\na.npy,a,nodule,mine,0.75,\na.npy,a,cyst,mine,0.25,0\n"
    )


@cache
def sound_boxes() -> bytes:
    """Boxes of two readers."""
    return (
        b"image,finding,reader,x,y,width,height\n"
        b"a,nodule,r1,1,1,2,3\na,nodule,r2,0,1,3,3\nb,nodule,r1,1,1,1,1\n"
    )


@cache
def sound_lists() -> bytes:
    """Boxes with a list of findings in a cell, as in VinDr-Mammo."""
    return (
        b"image_id,finding_categories,xmin,ymin,xmax,ymax\n"
        b"a,\"['nodule', 'cyst']\",1,1,3,4\nb,['No Finding'],,,,\nc,['cyst'],0,0,2,2.5\n"
    )


@cache
def sound_run_lengths() -> bytes:
    """Run lengths of SIIM-ACR."""
    return b"ImageId, EncodedPixels\na, 1025 2 1022 3\na, 9 1\nb,-1\n"


@cache
def sound_via() -> bytes:
    """A rectangle of VIA, and an image without regions."""
    header = (
        "filename,file_size,file_attributes,region_count,region_id,region_shape_attributes,region_attributes"
    )
    shape = '{""name"":""rect"",""x"":1,""y"":1,""width"":2,""height"":3}'
    row = 'a.png,9,"{}",1,0,"' + shape + '","{""label"":""nodule""}"'
    return f'{header}\n{row}\nb.png,9,"{{}}",0,0,"{{}}","{{}}"\n'.encode()


@cache
def sound_words() -> bytes:
    """Labels as words, as in ChestX-ray14."""
    return b"Image Index,Finding Labels,Patient ID\na.png,nodule|cyst,1\nb.png,No Finding,2\nc.png,cyst,3\n"


@cache
def sound_points() -> bytes:
    """Points of two readers."""
    return b"image,finding,reader,x,y\na,nodule,r1,1,1.5\na,nodule,r2,2,2\nb,cyst,r1,,\n"


@cache
def sound_labels() -> bytes:
    """Image-level labels."""
    return b"image,nodule,cyst\na,1,0\nb,0,\nc,-1,1\n"


@cache
def sound_selection() -> bytes:
    """Images with their part of the study set and the patient's sex."""
    return b"image,split,sex\na,test,F\nb,train,M\nc,test,M\n"


def cell(random: Random, data: bytes) -> bytes:
    """One cell, a whole column, or a name in the first row."""
    rows = _rows(data)
    word = random.choice(NASTY)
    column = random.randrange(len(rows[0]))
    way = random.choice(("cell", "column", "head"))
    for number, row in enumerate(rows):
        if (way == "column" and number) or (way == "head" and not number):
            row[column] = word
    if way == "cell":
        random.choice(rows)[column] = word
    return _text(rows, quoted=random.random() < 0.3)


def columns(random: Random, data: bytes) -> bytes:
    """No columns, one, up to 20,000; names missing, repeated, in another order."""
    rows = _rows(data)
    way = random.choice(
        ("without", "repeated", "reversed", "some", "many", "alike", "shorter", "longer", "no_head")
    )
    if way == "without":
        place = random.randrange(len(rows[0]))
        rows = [[*row[:place], *row[place + 1 :]] for row in rows]
    elif way == "reversed":
        rows = [row[::-1] for row in rows]
    elif way == "some":
        rows = [row[: random.choice((0, 1, 2))] for row in rows]
    elif way in {"many", "alike", "repeated"}:
        count = random.choice((1, 300, 9_994, 10_001, 20_000)) if way != "repeated" else 1
        names = {
            "many": [f"c{n}" for n in range(count)],
            "alike": ["c"] * count,
            "repeated": [random.choice(rows[0])],
        }
        rows = [row + (names[way] if not number else ["1"] * count) for number, row in enumerate(rows)]
    elif way in {"shorter", "longer"}:
        row = random.choice(rows)
        row[:] = row[:1] if way == "shorter" else row + [random.choice(("", "1", "more"))] * 5
    else:
        rows = rows[1:]
    return _text(rows)


def large(random: Random, data: bytes) -> bytes:
    """Many columns times many rows, one endless line, a huge cell, and very many short rows."""
    way = random.choice(("square", "wide", "line", "cell", "rows", "blank", "owners"))
    if way == "square":
        count = random.choice((2_000, 20_000))
        names = ",".join(f"c{n}" for n in range(count)).encode()
        return data.split(b"\n")[0] + b"," + names + b"\na\n" + b"a,1\n" * (3_000_000 // count)
    if way == "wide":
        return data.split(b"\n")[0] + b"," * 3_000_000 + b"\n" + b"a\n" * 20
    if way == "rows":
        return data + data.split(b"\n")[1].join([b"\n"] * 10_000)
    long = {
        "line": b"x" * 2**23,
        "cell": b'"' + b"x,\n" * 2**20 + b'"\n',
        "blank": b"\n" * 2**22,
        "owners": b"a," * 2**20,
    }
    return data + long[way]


def separators(random: Random, data: bytes) -> bytes:
    """Other separators, a line that names one, mixed ones, and other ends of lines."""
    text = data.replace(
        b",", random.choice((b",", b";", b"\t", b"|", b":", b" ", b"\0", b"\x1f", b", ", b";;"))
    )
    first = random.choice(
        (
            b"",
            b"sep=;\n",
            b"sep=,\r\n",
            b"sep=\t\n",
            b"SEP=|\n",
            b"sep=\n",
            b"sep=,,\n",
            b"sep=\0\n",
            b'"sep=;"\n',
        )
    )
    ends = random.choice((b"\n", b"\r\n", b"\r", b"\n\r", b"\n\n\n", b"\x0b", b"\xe2\x80\xa8", b""))
    return first + text.replace(b"\n", ends)


def quotes(random: Random, data: bytes) -> bytes:
    """Quotes that stay open, that close early, doubled and of other kinds."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 2, 9))):
        place = random.randrange(len(changed) + 1)
        changed[place:place] = random.choice((b'"', b'""', b'"\n', b'","', b"'", b"\xe2\x80\x9c", b'\\"'))
    return bytes(changed)


def encoding(random: Random, data: bytes) -> bytes:
    """Other encodings, marks that contradict the text, and bytes of none."""
    way = random.choice(("whole", "mark", "byte", "half"))
    text = data.decode().replace("nodule", random.choice(("nodule", "nódule", "結節")))
    if way == "whole":
        return text.encode(random.choice(ENCODINGS), "replace")
    if way == "mark":
        marks = (
            codecs.BOM_UTF8,
            codecs.BOM_UTF16_LE,
            codecs.BOM_UTF16_BE,
            codecs.BOM_UTF32_LE,
            codecs.BOM_UTF8 * 2,
        )
        return random.choice(marks) + data
    if way == "half":
        return codecs.BOM_UTF16_LE + text.encode("utf-16-le")[:-1]
    place = random.randrange(len(data))
    odd = (b"\xff", b"\x80", b"\xc0\xaf", b"\xed\xa0\x80", b"\0", b"\x1a", b"\xf4\x90\x80\x80")
    return data[:place] + random.choice(odd) + data[place:]


def rows(random: Random, data: bytes) -> bytes:
    """Rows repeated, contradicting, missing, or between blank ones."""
    head, *others = data.split(b"\n")[:-1]
    again = random.choice(others).replace(b"1", random.choice((b"0", b"1", b"2")))
    many = [*others, again] if random.random() < 0.5 else [*others, again] * random.choice((2, 3000))
    return random.choice((b"\n".join([head, *many]), b"\n".join([head]), b"\n".join([head, b"", *many,
        b" ", b",,,"]),
                          b"\n".join([head, head, *many]), b"\n".join([b"# about", head,
                          *many])))  # fmt: skip


def _rows(data: bytes) -> list[list[str]]:
    return [line.split(",") for line in data.decode().splitlines()]


def _text(rows: list[list[str]], *, quoted: bool = False) -> bytes:
    marked = ([f'"{cell}"' if quoted else cell for cell in row] for row in rows)
    return "".join(",".join(row) + "\n" for row in marked).encode()


TABLE = {**BLUNT, **named(cell, columns, large, separators, quotes, encoding, rows)}
