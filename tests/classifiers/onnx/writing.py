"""Writing: ONNX files by the field numbers of onnx.proto, so that tests need no other library for it."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

TYPES = {
    np.dtype("f4"): 1, np.dtype("i1"): 3, np.dtype("i4"): 6, np.dtype("i8"): 7, np.dtype("?"): 9,
    np.dtype("f2"): 10, np.dtype("f8"): 11,
}  # fmt: skip
Shape = Sequence[int | str]


def varint(number: int) -> bytes:
    number &= 2**64 - 1
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def field(number: int, value: float | str | bytes) -> bytes:
    """A field of a message: a whole number, a float of 4 bytes, a text or a message."""
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def tensor(array: NDArray[Any], name: str = "") -> bytes:
    sides = b"".join(field(1, side) for side in array.shape)
    return sides + field(2, TYPES[array.dtype]) + field(8, name) + field(9, array.tobytes())


def attribute(name: str, value: Any) -> bytes:
    parts = {
        int: lambda: field(3, value) + field(20, 2),
        float: lambda: field(2, value) + field(20, 1),
        str: lambda: field(4, value) + field(20, 3),
        np.ndarray: lambda: field(5, tensor(value)) + field(20, 4),
        list: lambda: b"".join(field(8, one) for one in value) + field(20, 7),
    }
    return field(1, name) + parts[type(value)]()


def node(operator: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> bytes:
    """One operator; `domain` and `name` are its own fields."""
    domain, name = attributes.pop("domain", ""), attributes.pop("name", "")
    named = [field(1, one) for one in inputs] + [field(2, one) for one in outputs]
    stated = [field(5, attribute(key, value)) for key, value in attributes.items()]
    return b"".join([*named, field(3, name), field(4, operator), *stated, field(7, domain)])


def port(name: str, shape: Shape | None, kind: int = 1) -> bytes:
    if shape is None:
        return field(1, name)
    sides = [field(1, field(1, side) if isinstance(side, int) else field(2, side)) for side in shape]
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, b"".join(sides))))


def model(
    nodes: Sequence[bytes],
    constants: Mapping[str, NDArray[Any]],
    *,
    inputs: Mapping[str, Shape | None],
    outputs: Mapping[str, Shape | None],
    version: int = 17,
    more: bytes = b"",
) -> bytes:
    """A whole file; `more` are further fields of the graph."""
    graph = [field(1, one) for one in nodes] + [field(2, "graph")]
    graph += [field(5, tensor(array, name)) for name, array in constants.items()]
    graph += [field(11, port(name, shape)) for name, shape in inputs.items()]
    graph += [field(12, port(name, shape)) for name, shape in outputs.items()]
    return field(1, 8) + field(7, b"".join(graph) + more) + field(8, field(2, version))
