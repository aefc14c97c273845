"""What an ONNX file holds is read; what it claims, hides or keeps elsewhere is refused."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from pipeline.classifiers.onnx.reading import read_graph
from pipeline.errors import CaseError
from tests.classifiers.onnx.writing import field, model, node, tensor, varint

NODES = [node("Relu", ["x"], ["y"], name="first")]


def file(more: bytes = b"", *, version: int = 17, nodes: list[bytes] | None = None) -> bytes:
    return model(
        nodes or NODES, {}, inputs={"x": ("n", 1, 4, 4)}, outputs={"y": None}, version=version, more=more
    )


def constant(body: bytes) -> bytes:
    return field(5, body + field(8, "c"))


def refusal(content: bytes) -> str:
    with pytest.raises(CaseError) as refused:
        read_graph(content)
    assert "; " in refused.value.message
    return refused.value.message


FLOATS = np.array([[1.5, -2.0]], np.float32)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (tensor(FLOATS), FLOATS),
        (tensor(FLOATS.astype(np.float64)), FLOATS),
        (tensor(FLOATS.astype(np.float16)), FLOATS),
        (tensor(np.array([[3, -4]], np.int64)), np.array([[3, -4]])),
        (tensor(np.array([[3, -4]], np.int32)), np.array([[3, -4]])),
        (field(1, 1) + field(1, 2) + field(2, 1) + field(4, FLOATS.tobytes()), FLOATS),
        (field(1, 1) + field(1, 2) + field(2, 1) + field(4, 1.5) + field(4, -2.0), FLOATS),
        (
            field(1, varint(1) + varint(2)) + field(2, 7) + field(7, varint(3) + varint(-4)),
            np.array([[3, -4]]),
        ),
        (field(1, 1) + field(1, 2) + field(2, 10) + field(5, 0x3E00) + field(5, 0xC000), FLOATS),
        (field(1, 1) + field(1, 2) + field(2, 16) + field(9, b"\xc0\x3f\x00\xc0"), FLOATS),
        (field(1, 1) + field(1, 2) + field(2, 16) + field(5, 0x3FC0) + field(5, 0xC000), FLOATS),
        (field(2, 1) + field(4, 1.5), np.array(1.5, np.float32)),
    ],
)
def test_numbers_are_read_in_every_way_that_they_are_written(body: bytes, expected: np.ndarray) -> None:
    found = read_graph(file(constant(body))).constants["c"]
    assert found.dtype == (np.float32 if expected.dtype.kind == "f" else np.int64)
    np.testing.assert_array_equal(found, expected)


def test_constants_among_the_inputs_are_not_inputs() -> None:
    """Older files list every constant as an input, too."""
    content = model(NODES, {"w": FLOATS}, inputs={"x": ("n", 1, 4, 4), "w": (1, 2)}, outputs={"y": None})
    assert [port.name for port in read_graph(content).inputs] == ["x"]


def test_weights_in_another_file_are_refused_and_it_is_not_opened() -> None:
    entry = field(13, field(1, "location") + field(2, "/etc/passwd"))
    for body in (entry, field(14, 1)):
        found = refusal(file(constant(field(1, 2) + field(2, 1) + body)))
        assert found.startswith("keeps its weights in another file, wanted them inside; save it as one file")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (
            field(1, 2**40) + field(2, 1) + field(9, b"1234"),
            "has 1 numbers, and its shape [1099511627776] others",
        ),
        (field(1, -1) + field(2, 1), "the shape [-1]"),
        (field(1, 0) + field(1, 2**62) + field(2, 1) + field(9, b"1234"), "has 1 numbers"),
        (field(1, 1) + field(2, 1) + field(9, b"12345"), "a list of numbers that ends within one"),
        (field(1, 1) + field(2, 8) + field(6, "text"), "has numbers of type 8"),
        (field(1, 1) + field(2, 99), "has numbers of type 99"),
        (field(1, 1) + field(2, 1) + field(4, 7), "a whole number in place of another"),
        (field(1, 1) + field(2, 16) + field(9, b"\x80\x7f"), "weights that are not finite"),
        (field(1, 1) + field(2, 1) + field(9, struct.pack("<f", np.nan)), "weights that are not finite"),
        (field(1, 1) + field(2, 11) + field(9, struct.pack("<d", 1e300)), "weights that are not finite"),
        (field(1, 1) + field(2, 1) + field(9, 5), "a number in place of a message"),
        (field(1, 1) + field(2, "1"), "a text in place of a number"),
    ],
)
def test_numbers_that_are_not_what_their_shape_says_are_refused(body: bytes, found: str) -> None:
    assert found in refusal(file(constant(body)))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "is damaged (0 graphs, wanted one)"),
        (file() + field(7, b""), "is damaged (2 graphs, wanted one)"),
        (file() + field(25, b""), "has functions of its own"),
        (file(version=6), "has operators of version (opset) 6, wanted 7 to 28"),
        (file(version=99), "has operators of version (opset) 99"),
        (file(field(15, b"")), "has sparse weights"),
        (file(constant(tensor(FLOATS)) * 2), "two constants of the name 'c'"),
        (file(nodes=[node("FusedConv", ["x"], ["y"], domain="com.microsoft")]), "com.microsoft:FusedConv"),
        (file(nodes=[NODES[0] + field(5, field(1, "body") + field(6, b""))]), "as loops and conditions have"),
        (file(nodes=[NODES[0] + field(5, field(1, "of") + field(21, "a"))]), "parts that are graphs"),
        (file()[:-1], "it ends within"),
        (b"\xff" * 20, "a number without an end"),
        (b"\x0b", "a field of an unknown kind"),
        (varint(7 << 3 | 2) + varint(2**63), "it ends within a field"),
    ],
)
def test_files_that_hold_more_or_less_than_a_graph_are_refused(content: bytes, found: str) -> None:
    assert found in refusal(content)


def test_names_hold_nothing_that_would_change_the_terminal() -> None:
    found = refusal(file(nodes=[node("\x1b[2JConv\n", ["x"], ["y"], domain="a\u202eb")]))
    assert found.isprintable()
    assert "a\ufffdb:\ufffd[2JConv\ufffd" in found


def test_attributes_are_read_by_their_kind() -> None:
    stated = {"i": -3, "f": 0.5, "s": "SAME", "n": [2, -1], "t": FLOATS}
    floats = field(5, field(1, "v") + field(7, 1.5) + field(7, struct.pack("<2f", 2, 3)))
    empty = field(5, field(1, "e") + field(20, 7))
    (found,) = read_graph(file(nodes=[node("Relu", ["x"], ["y"], **stated) + floats + empty])).nodes
    assert {k: v for k, v in found.attributes.items() if k != "t"} == {
        **{k: v for k, v in stated.items() if k != "t"}, "v": [1.5, 2.0, 3.0], "e": [],
    }  # fmt: skip
    np.testing.assert_array_equal(found.attributes["t"], FLOATS)
