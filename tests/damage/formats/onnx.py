"""ONNX: a small network by the fields of its messages, its operators, its attributes and its constants."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from pipeline.classifiers import ModelCard
from pipeline.classifiers.onnx.operators import OPERATIONS
from pipeline.guards.protobuf import Wire
from tests.classifiers.onnx import writing
from tests.damage.blunt import BLUNT, named
from tests.damage.formats.settings import CARD

SIDE = 32
SIZES = (0, 1, -1, 2, 3, 7, 64, 10_000, 2**20, 2**31, 2**40, 2**62, -(2**63))
NAMES = ("", "x", "y", "logits", "p", "f", "a" * 300, "\0", "../x", "é")
MORE = ("Loop", "If", "Scan", "ConvTranspose", "Tile", "NonZero", "QLinearConv", "Attention", "")


@dataclass(frozen=True)
class Operator:
    """One operator, as it is written."""

    kind: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Network:
    """What a file holds."""

    operators: list[Operator]
    constants: dict[str, NDArray[Any]]
    shape: list[int | str] = field(default_factory=lambda: ["n", 1, SIDE, SIDE])
    version: int = 17


def _sound() -> Network:
    random = np.random.default_rng(0)

    def weights(*shape: int) -> NDArray[np.float32]:
        return random.normal(size=shape).astype(np.float32)

    return Network(
        [
            Operator("Conv", ["x", "k", "b"], ["c"], {"strides": [2, 2], "auto_pad": "SAME_UPPER"}),
            Operator("BatchNormalization", ["c", "s", "b", "b", "s"], ["n"], {"epsilon": 0.001}),
            Operator("Relu", ["n"], ["r"]),
            Operator("MaxPool", ["r"], ["m"], {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1] * 4}),
            Operator("Concat", ["m", "m"], ["j"], {"axis": 1}),
            Operator("Transpose", ["j"], ["t"], {"perm": [0, 2, 3, 1]}),
            Operator("ReduceMean", ["t"], ["a"], {"axes": [1, 2], "keepdims": 0}),
            Operator("Reshape", ["a", "shape"], ["f"]),
            Operator("MatMul", ["f", "w"], ["p"]),
            Operator("Add", ["p", "v"], ["logits"]),
            Operator("Sigmoid", ["logits"], ["y"]),
        ],
        {
            "k": weights(4, 1, 3, 3), "b": weights(4), "s": np.abs(weights(4)) + 0.5, "w": weights(8, 2),
            "v": weights(2), "shape": np.array([-1, 8], np.int64),
        },
    )  # fmt: skip


def _written(network: Network) -> bytes:
    nodes = [writing.node(one.kind, one.inputs, one.outputs, **one.attributes) for one in network.operators]
    return writing.model(
        nodes,
        network.constants,
        inputs={"x": network.shape},
        outputs={"y": ("n", 2)},
        version=network.version,
    )


@cache
def sound_onnx() -> bytes:
    """A network of a convolution, pools and a linear layer."""
    return _written(_sound())


def card(path: Path) -> ModelCard:
    """The card of a damaged file, with its hash."""
    sha256 = "0" * 64
    with contextlib.suppress(OSError):
        if path.is_file() and path.stat().st_size < 2**24:  # not of a device or a pipe, which have no end
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    own = {"architecture": {"onnx": path.name}, "sha256": sha256, "findings": ["nodule", "cyst"]}
    values = {**CARD, **own, "not_findings": []}
    return ModelCard.model_validate(yaml.safe_load(yaml.safe_dump(values)))


def operators(random: Random, _: bytes) -> bytes:
    """Operators repeated, left out, in another order, of another kind, or with other inputs and outputs."""
    network = _sound()
    place = random.randrange(len(network.operators))
    one = network.operators[place]
    changes: tuple[Callable[[], list[Operator]], ...] = (
        list,
        lambda: [one, one],
        lambda: [replace(one, kind=random.choice((*OPERATIONS, "MaxPool", "AveragePool", "Gemm", *MORE)))],
        lambda: [replace(one, inputs=[random.choice((*NAMES, *"kbswcnrmjta", "shape")) for _ in one.inputs])],
        lambda: [replace(one, inputs=one.inputs[: random.randrange(2)])],
        lambda: [replace(one, inputs=[*one.inputs, random.choice(NAMES)])],
        lambda: [replace(one, outputs=[random.choice(NAMES)])],
        lambda: [replace(one, inputs=one.outputs)],
    )
    network.operators[place : place + 1] = random.choice(changes)()
    if random.random() < 0.2:
        random.shuffle(network.operators)
    return _written(network)


def attributes(random: Random, _: bytes) -> bytes:
    """Attributes of other values, kinds and names."""
    network = _sound()
    place = random.choice([n for n, one in enumerate(network.operators) if one.attributes])
    stated = network.operators[place].attributes
    name = random.choice(list(stated))
    value = stated[name]
    if isinstance(value, list) and random.random() < 0.7:
        value[random.randrange(len(value))] = random.choice(SIZES)
    else:
        others = (
            random.choice(SIZES),
            1e30,
            float("nan"),
            "SAME_LOWER",
            [],
            [1],
            [1] * 9,
            np.ones(3, np.float32),
        )
        stated[random.choice((name, name, "group", "axis", "ceil_mode", "body"))] = random.choice(others)
    return _written(network)


def constants(random: Random, _: bytes) -> bytes:
    """Constants of other shapes, numbers and sizes."""
    network = _sound()
    name = random.choice(list(network.constants))
    array = network.constants[name]
    others: tuple[NDArray[Any], ...] = (
        array[:0], array[:1], array.ravel(), array.T.copy(), array[None], array.astype(np.float64) * 1e300,
        array * np.array(np.nan, array.dtype) if array.dtype.kind == "f" else array * 10**9,
        np.array(random.choice(SIZES), np.int64), np.array([random.choice(SIZES)] * 2, np.int64),
        np.zeros((1, 1000, 1), np.float32), np.array(1.0, np.float32), array.astype(np.float16),
    )  # fmt: skip
    with np.errstate(all="ignore"):
        network.constants[name] = random.choice(others)
    return _written(network)


def ports(random: Random, _: bytes) -> bytes:
    """The input of another shape, the operators of another version."""
    network = _sound()
    network.shape[random.randrange(4)] = random.choice((*SIZES, "m"))
    versions = (17, 17, 7, 11, 13, 18, 24, 0, 6, 99, 2**40)
    return _written(replace(network, version=random.choice(versions)))


def wire(random: Random, data: bytes) -> bytes:
    """A field at any depth: of another number, kind or length, left out, or repeated."""
    return _changed(random, data, depth=random.randrange(5))


def _changed(random: Random, message: bytes, *, depth: int) -> bytes:
    fields = list(_fields(message))
    if not fields:
        return random.choice((b"", writing.field(random.randrange(30), random.choice(SIZES))))
    place = random.randrange(len(fields))
    number, value = fields[place]
    if depth and isinstance(value, bytes) and len(value) > 2:
        try:
            inner = writing.field(number, _changed(random, value, depth=depth - 1))
        except Exception:  # noqa: BLE001  it is a text or a list of numbers
            inner = writing.field(number, value[1:])
    else:
        inner = random.choice((
            b"", writing.field(number, value) * 2, writing.field(random.randrange(30), value),
            writing.field(number, random.choice(SIZES)), writing.field(number, b"\x08\x01"),
            writing.field(number, "x" * 70_000), writing.varint(number << 3 | 2) + writing.varint(2**40),
            writing.field(13, b"\x0a\x08location\x12\x0b/etc/passwd"), writing.field(14, 1),
        ))  # fmt: skip
    parts = [writing.field(*one) for one in fields]
    parts[place] = inner
    return b"".join(parts)


def _fields(message: bytes) -> list[tuple[int, int | bytes]]:
    found = Wire(most_fields=10_000).fields(memoryview(message))
    return [
        (number, one if isinstance(one, int) else bytes(one))
        for number, values in found.items()
        for one in values
    ]


def many(random: Random, _: bytes) -> bytes:
    """Fields or operators in numbers that no network has."""
    count = random.choice((10_000, 2_000_000))
    if random.random() < 0.5:
        return sound_onnx() + b"\x08\x08" * count
    chain = [Operator("Relu", ["x" if n == 0 else f"z{n}"], [f"z{n + 1}"]) for n in range(25_000)]
    return _written(replace(_sound(), operators=[*chain, Operator("Relu", ["z25000"], ["y"])]))


def growing(random: Random, _: bytes) -> bytes:
    """Operators whose results would fill any memory."""
    network = _sound()
    big = random.choice((5_000, 200_000))
    network.constants.update(
        {
            "l": np.zeros((big, 1, 1, 1, 1), np.float32), "i": np.zeros((big, 1), np.int64),
            "j2": np.zeros((1, big), np.int64), "pads": np.array([0, 0, 2**13, 2**13] * 2, np.int64),
            "wide": np.array([0, -1], np.int64), "huge": np.array([1, 4, big, big], np.int64),
            "large": np.array([1, 1, big, big], np.float32),
        }
    )  # fmt: skip
    ways = (
        [Operator("Add", ["r", "l"], ["q"])],
        [Operator("Expand", ["r", "huge"], ["q"])],
        [Operator("ConstantOfShape", ["huge"], ["q0"]), Operator("Add", ["r", "q0"], ["q"])],
        [Operator("Resize", ["r", "", "", "huge"], ["q"])],
        [Operator("Resize", ["r", "", "large"], ["q"])],
        [Operator("Add", ["i", "j2"], ["q0"]), Operator("Add", ["r", "q0"], ["q"])],
        [Operator("Pad", ["r", "pads"], ["q"])],
        [Operator("Gather", ["r", "i"], ["q"], {"axis": 2})],
        [Operator("Reshape", ["r", "wide"], ["q0"]), Operator("MatMul", ["q0", "j2"], ["q"])],
        [Operator("Shape", ["r"], ["q0"]), Operator("Gather", ["q0", "i"], ["q1"]),
         Operator("Cast", ["q1"], ["q2"], {"to": 1}), Operator("Mul", ["q2", "j2"], ["q"])],
    )  # fmt: skip
    place = next(n for n, one in enumerate(network.operators) if one.kind == "MaxPool")
    pool = replace(network.operators[place], inputs=["q"])
    network.operators[place : place + 1] = [*random.choice(ways), pool]
    return _written(network)


ONNX = {**BLUNT, **named(operators, attributes, constants, ports, wire, many, growing)}
