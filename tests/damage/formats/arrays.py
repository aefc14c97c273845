"""Arrays: .npy and .npz files, by the fields of their headers."""

from __future__ import annotations

import struct
import zipfile
from functools import cache
from random import Random

import numpy as np

from tests.damage.blunt import BLUNT, named
from tests.damage.formats.archives import ARCHIVE, archive, contents

ROWS, COLUMNS = 6, 5
SHAPES = (
    "(True, 5)", "(6, True)", "(-6, 5)", "(6, -5)", "(-6, -5)", "(0, 5)", "(6, 0)", "()", "(30,)", "(5, 6)",
    "(1, 6, 5)", "(6, 5, 1)", "(2, 3, 5)", "(99999999999999999999, 5)", "(2147483648, 2147483648)",
    "(4611686018427387904, 4)", "(9223372036854775807, 1)", "(70000, 70000)", "(6, 5", "6, 5)", "((((",
    "[6, 5]",
    "6", "None", "(6.0, 5)", "('6', 5)", "(6j, 5)", "(6, 5, 'a')", "{6, 5}", "(6, (5,))", f"({'1, ' * 40}30)",
    "(6, 5)L", "(6L, 5L)", "(6, 5) # a", "(6, 5) if 1 else 2", "(" * 300 + ")" * 300, "-" * 9000 + "1",
    "(1e999, 5)", "(nan, 5)", "(0x6, 0b101)", "(6_0, 5)", f"({'9' * 5000}, 5)", "b'65'", "...",
)  # fmt: skip
TYPES = (
    "'<f8'", "'>f4'", "'<f2'", "'<f16'", "'|b1'", "'<i8'", "'|u1'", "'<c8'", "'<c16'", "'|O'", "'<U3'",
    "'|S4'",
    "'|V4'", "'<M8[ns]'", "'<m8[D]'", "'<M8[99999999999999999999D]'", "[('a', '<f4')]",
    "[('a', '<f4'), ('a', '<f4')]",
    "[('a', '|O')]", "[]", "''", "'f4,f4'", "('<f4', (2, 2))", "('<f4', (99999999, 9999999))", "4",
    "None", "'<f4'*9",
    "'x'", "'<f0'", "'<U99999999999'", "'|V0'", "True", "{'names': ['a'], 'formats': ['<f4']}",
    "[('', '')]", "b'<f4'",
)  # fmt: skip
ORDERS = ("True", "1", "0", "'no'", "None", "[]", "...")


@cache
def sound_npy() -> bytes:
    """A map of float32 without negative values."""
    return npy("{'descr': '<f4', 'fortran_order': False, 'shape': (6, 5), }", values().tobytes())


def values() -> np.ndarray:
    """The map, with a peak."""
    return np.linspace(0, 1, ROWS * COLUMNS, dtype=np.float32).reshape(ROWS, COLUMNS) ** 2


@cache
def sound_npz() -> bytes:
    """An archive with one deflated array."""
    return archive([("arr_0.npy", sound_npy())], zipfile.ZIP_DEFLATED)


def npy(header: str, body: bytes, *, version: int = 1, length: int | None = None) -> bytes:
    """A .npy file with any header, `length` instead of its true length."""
    text = (header + "\n").encode("utf-8", "surrogatepass")
    form = "<H" if version == 1 else "<I"
    room = 2 ** (8 * struct.calcsize(form)) - 1
    stated = struct.pack(form, (len(text) if length is None else length) & room)
    return b"\x93NUMPY" + bytes((version & 255, 0)) + stated + text + body


def header_field(random: Random, _: bytes) -> bytes:
    """Shape, type or order of the header, each as text that may not be valid Python."""
    shape, kind, order = "(6, 5)", "'<f4'", "False"
    field = random.choice(("shape", "shape", "descr", "descr", "order", "all"))
    shape = random.choice(SHAPES) if field in {"shape", "all"} else shape
    kind = random.choice(TYPES) if field in {"descr", "all"} else kind
    order = random.choice(ORDERS) if field in {"order", "all"} else order
    version = random.choice((1, 1, 2, 3))
    return npy(
        f"{{'descr': {kind}, 'fortran_order': {order}, 'shape': {shape}, }}", _body(random), version=version
    )


def header_text(random: Random, _: bytes) -> bytes:
    """Keys missing, repeated or added; what is not a mapping; other versions, lengths and alphabets."""
    good = "{'descr': '<f4', 'fortran_order': False, 'shape': (6, 5), }"
    texts = (
        "{}", "[]", "1", "", "{'shape': (6, 5)}", good[:-2] + "'more': 1}", good[:-2] + "'shape': (1, 1)}",
        good.replace("'shape'", "'\ud800'"), good.replace("'shape'", "b'shape'"), good.replace("'shape'",
            "1"),
        "{" * 200, "[" * 5000, "(" * 99999, "{'a':" * 90, "__import__('os')", "lambda: 0", "f'{1}'",
        "'" * 3, "\0" * 60,
        good + " " * 20000, good.replace("'", '"'), "\t" + good, "é" * 50, f"{{{good}}}",
            f"{{'descr': {good}}}",
    )  # fmt: skip
    lengths = (None, None, 0, 1, 65535, 2**31, 2**32 - 1)
    return npy(
        random.choice(texts),
        _body(random),
        version=random.choice((1, 2, 3, 4, 0, 255)),
        length=random.choice(lengths),
    )


def odd_values(random: Random, _: bytes) -> bytes:
    """NaN, infinity, the largest and smallest numbers, negatives, constants and booleans."""
    kind = random.choice((np.float16, np.float32, np.float64, np.int64, np.uint64, np.bool_))
    array = values().astype(kind)
    if array.dtype.kind == "f":
        odd = (np.nan, np.inf, -np.inf, np.finfo(kind).max, -np.finfo(kind).max, np.finfo(kind).tiny, -0.0)
        array.flat[:: random.choice((1, 7, 29))] = random.choice(odd)
    elif array.dtype.kind in "iu":
        array.flat[:: random.choice((1, 7))] = random.choice((np.iinfo(kind).max, np.iinfo(kind).min))
    text = f"{{'descr': {array.dtype.str!r}, 'fortran_order': {random.random() < 0.5}, 'shape': (6, 5), }}"
    return npy(text, array.tobytes())


def damaged_inside(random: Random, data: bytes) -> bytes:
    """An archive whose array is damaged."""
    inner = random.choice((header_field, header_text, odd_values, *BLUNT.values()))
    method = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    return archive([(name, inner(random, content)) for name, content in contents(data).items()], method)


@cache
def _zeros(size: int, stated: int) -> bytes:
    content = npy(f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({size >> 10}, 1024), }}", bytes(size))
    data = bytearray(archive([("arr_0.npy", content)], zipfile.ZIP_DEFLATED))
    if stated:
        struct.pack_into("<I", data, 22, stated)
        struct.pack_into("<I", data, data.rfind(b"PK\x01\x02") + 24, stated)
    return bytes(data)


def bomb(random: Random, _: bytes) -> bytes:
    """An archive that unpacks to far more than it has, or says that it has less."""
    return _zeros(random.choice((2**24, 2**28)), random.choice((0, 100, 2**32 - 2)))


def _body(random: Random) -> bytes:
    return random.choice((values().tobytes(), values().tobytes(), b"", values().tobytes()[:-3], bytes(4000)))


NPY = {**BLUNT, **named(header_field, header_text, odd_values)}
NPZ = {**BLUNT, **ARCHIVE, **named(damaged_inside, bomb)}
