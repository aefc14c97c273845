"""Reading: the bytes of an ONNX file → its graph, as onnx.proto defines them; nothing in it is run.

What is outside of the file is never opened, and what the file could claim without holding it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from math import prod
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pipeline.classifiers.onnx.graph import Constant, Graph, Node, Port
from pipeline.errors import CaseError
from pipeline.guards.protobuf import Fields, Value, Wire, signed

MOST_FIELDS: Final = 2_000_000
"""Of all messages together; DenseNet-201 has some 20,000. A field takes about 200 bytes and a microsecond."""
OPERATOR_VERSIONS: Final = range(7, 29)
"""Versions of the operators whose rules are known here: from the first with NumPy's broadcasting."""
OWN_DOMAINS: Final = ("", "ai.onnx")
TYPES: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "<f4", 2: "<u1", 3: "<i1", 4: "<u2", 5: "<i2", 6: "<i4", 7: "<i8", 9: "<u1", 10: "<u2", 11: "<f8",
        12: "<u4", 16: "<u2",
    }
)  # fmt: skip
"""Number of a type → the numbers that it holds; half precision as its bits."""
HALVES: Final[Mapping[int, Callable[[NDArray[np.uint16]], NDArray[Any]]]] = MappingProxyType(
    {
        10: lambda bits: bits.view(np.float16),
        16: lambda bits: (bits.astype(np.uint32) << 16).view(np.float32),  # bfloat16
    }
)
"""Type → its numbers from their bits."""
FLOATS: Final = (1, 10, 11, 16)
"""Types of numbers that are not whole."""
LISTS: Final[Mapping[int, int]] = MappingProxyType({1: 4, 11: 10})
"""Type → field of its numbers, where they are not raw bytes; whole numbers are in fields 5, 7 and 11."""
WHOLE_FIELDS: Final = (5, 7, 11)
OTHER_ATTRIBUTES: Final = (6, 9, 10, 11, 14, 15, 21, 22, 23)
"""Fields of an attribute that is a graph, a list of texts or tensors, a type, a reference, or sparse."""
UNPRINTABLE: Final = re.compile(r"[^\w\s!-~]|[\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""What could change how a message is shown; names are shown in messages."""
ONE_FILE: Final = "save it as one file: onnx.save(onnx.load(FILE), OUT, save_as_external_data=False)"
ANOTHER_EXPORT: Final = "export it again, for images of one size and without optimisations of a vendor"


def read_graph(content: bytes) -> Graph:
    """The graph of an ONNX file. Raises CaseError, whose message begins with what was found."""
    wire = Wire(most_fields=MOST_FIELDS)
    model = wire.fields(memoryview(content))
    if model.get(25):
        raise CaseError("unsupported", f"has functions of its own, wanted operators only; {ANOTHER_EXPORT}")
    graphs = _messages(model, 7, wire)
    if len(graphs) != 1:
        raise wire.damaged(f"{len(graphs)} graphs, wanted one")
    version = _version(model, wire)
    return _graph(wire.fields(graphs[0]), wire, version)


def _version(model: Fields, wire: Wire) -> int:
    """The version of ONNX's own operators."""
    for message in _messages(model, 8, wire):
        entry = wire.fields(message)
        if _text(entry, 1, wire) in OWN_DOMAINS:
            version = _integer(entry, 2, wire)
            if version not in OPERATOR_VERSIONS:
                raise CaseError(
                    "unsupported",
                    f"has operators of version (opset) {version}, wanted {OPERATOR_VERSIONS[0]} to "
                    f"{OPERATOR_VERSIONS[-1]}; export it with opset_version 17",
                )
            return version
    raise wire.damaged("no version of its operators")


def _graph(fields: Fields, wire: Wire, version: int) -> Graph:
    if fields.get(15):
        raise CaseError("unsupported", f"has sparse weights, wanted dense ones; {ANOTHER_EXPORT}")
    constants: dict[str, Constant] = {}
    for message in _messages(fields, 5, wire):
        entry = wire.fields(message)
        name = _text(entry, 8, wire)
        if name in constants:
            raise wire.damaged(f"two constants of the name {name!r:.80}")
        constants[name] = _array(entry, wire, name)
    nodes = [_node(wire.fields(message), wire, n) for n, message in enumerate(_messages(fields, 1, wire))]
    ports = [_port(wire.fields(message), wire) for message in _messages(fields, 11, wire)]
    return Graph(
        nodes=tuple(nodes),
        constants=constants,
        inputs=tuple(port for port in ports if port.name not in constants),
        outputs=tuple(_port(wire.fields(message), wire) for message in _messages(fields, 12, wire)),
        version=version,
    )


def _node(fields: Fields, wire: Wire, number: int) -> Node:
    operator, domain = _text(fields, 4, wire), _text(fields, 7, wire)
    name = _text(fields, 3, wire) or f"{operator}_{number}"
    if domain not in OWN_DOMAINS:
        raise CaseError(
            "unsupported",
            f"has the operator {domain}:{operator}, which is not one of ONNX; {ANOTHER_EXPORT}"[:400],
        )
    return Node(
        name=name,
        operator=operator,
        inputs=tuple(_texts(fields, 1, wire)),
        outputs=tuple(_texts(fields, 2, wire)),
        attributes=dict(_attribute(wire.fields(m), wire, name) for m in _messages(fields, 5, wire)),
    )


def _attribute(fields: Fields, wire: Wire, node: str) -> tuple[str, Any]:
    name = _text(fields, 1, wire)
    if any(fields.get(number) for number in OTHER_ATTRIBUTES):
        raise CaseError(
            "unsupported",
            f"has an operator with parts that are graphs, texts or sparse ({node:.80}: {name:.80}), as loops "
            f"and conditions have; {ANOTHER_EXPORT}",
        )
    for field, read in ATTRIBUTES.items():
        if field in fields:
            return name, read(fields, wire, name)
    empty: Mapping[int, Any] = {1: 0.0, 2: 0, 3: "", 6: [], 7: []}
    return name, empty.get(_integer(fields, 20, wire), 0)


def _array(fields: Fields, wire: Wire, name: str) -> Constant:
    """The numbers of a tensor, in the machine's memory order, float32 or int64."""
    if fields.get(13) or _integer(fields, 14, wire):
        raise CaseError("external", f"keeps its weights in another file, wanted them inside; {ONE_FILE}")
    shape = list(wire.numbers(fields.get(1, [])))
    kind = _integer(fields, 2, wire)
    if kind not in TYPES:
        raise CaseError(
            "unsupported",
            f"has numbers of type {kind} ({name:.80}), wanted floating point or whole numbers; export it in "
            "float32, not quantised",
        )
    if any(side < 0 for side in shape):
        raise wire.damaged(f"the shape {shape[:8]} of {name!r:.80}")
    numbers = _numbers(fields, kind, wire)
    if len(numbers) != prod(shape):
        raise wire.damaged(f"{name!r:.80} has {len(numbers):,} numbers, and its shape {shape[:8]} others")
    if kind not in FLOATS:
        return numbers.reshape(shape).astype(np.int64)
    with np.errstate(over="ignore"):
        array = numbers.reshape(shape).astype(np.float32)
    if not np.isfinite(array).all():
        raise CaseError("not_finite", f"has weights that are not finite ({name:.80}); export it again")
    return array


def _numbers(fields: Fields, kind: int, wire: Wire) -> NDArray[Any]:
    found = _as_written(fields, kind, wire)
    return HALVES[kind](found.astype(np.uint16)) if kind in HALVES else found


def _as_written(fields: Fields, kind: int, wire: Wire) -> NDArray[Any]:
    if raw := _messages(fields, 9, wire):
        return _unpacked(raw[-1], TYPES[kind], wire)
    if kind in LISTS:
        return _floats(fields.get(LISTS[kind], []), TYPES[kind], wire)
    whole = [value for number in WHOLE_FIELDS for value in wire.numbers(fields.get(number, []))]
    return np.array(whole, np.int64)


def _floats(values: list[Value], kind: str, wire: Wire) -> NDArray[Any]:
    if any(isinstance(value, int) for value in values):
        raise wire.damaged("a whole number in place of another")
    parts = [_unpacked(value, kind, wire) for value in values if not isinstance(value, int)]
    return np.concatenate(parts) if parts else np.zeros(0, kind)


def _unpacked(value: memoryview, kind: str, wire: Wire) -> NDArray[Any]:
    if len(value) % np.dtype(kind).itemsize:
        raise wire.damaged("a list of numbers that ends within one")
    return np.frombuffer(value, kind)


def _port(fields: Fields, wire: Wire) -> Port:
    name, type_, shape = _text(fields, 1, wire), 0, None
    for tensor in _inside(fields, (2, 1), wire):
        type_ = _integer(tensor, 1, wire)
        for message in _messages(tensor, 2, wire):
            sides = [wire.fields(side) for side in _messages(wire.fields(message), 1, wire)]
            shape = tuple(_integer(side, 1, wire) or None for side in sides)
    return Port(name, type_, shape)


def _inside(fields: Fields, path: tuple[int, ...], wire: Wire) -> Iterator[Fields]:
    """The messages at a path of fields."""
    if not path:
        yield fields
        return
    for message in _messages(fields, path[0], wire):
        yield from _inside(wire.fields(message), path[1:], wire)


def _messages(fields: Fields, number: int, wire: Wire) -> list[memoryview]:
    found = [value for value in fields.get(number, []) if not isinstance(value, int)]
    if len(found) != len(fields.get(number, [])):
        raise wire.damaged("a number in place of a message")
    return found


def _texts(fields: Fields, number: int, wire: Wire) -> list[str]:
    found = [bytes(value).decode("utf-8", "replace") for value in _messages(fields, number, wire)]
    return [text if text.isprintable() else UNPRINTABLE.sub("\ufffd", text) for text in found]


def _text(fields: Fields, number: int, wire: Wire) -> str:
    return (_texts(fields, number, wire) or [""])[-1]


def _integer(fields: Fields, number: int, wire: Wire) -> int:
    value = fields.get(number, [0])[-1]
    if not isinstance(value, int):
        raise wire.damaged("a text in place of a number")
    return signed(value)


def _tensor(fields: Fields, wire: Wire, name: str) -> Constant:
    return _array(wire.fields(_messages(fields, 5, wire)[-1]), wire, name)


ATTRIBUTES: Final[Mapping[int, Callable[[Fields, Wire, str], Any]]] = MappingProxyType(
    {
        5: _tensor,
        7: lambda fields, wire, _name: [float(one) for one in _floats(fields[7], "<f4", wire)],
        8: lambda fields, wire, _name: list(wire.numbers(fields[8])),
        4: lambda fields, wire, _name: _text(fields, 4, wire),
        2: lambda fields, wire, _name: float(_floats(fields[2][-1:], "<f4", wire)[0]),
        3: lambda fields, wire, _name: _integer(fields, 3, wire),
    }
)
"""Field of an attribute's value → reader."""
