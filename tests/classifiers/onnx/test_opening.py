"""An ONNX file becomes a network for the card's images, or is refused with what it has and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from pipeline.classifiers.onnx.network import OnnxNetwork
from pipeline.classifiers.onnx.opening import open_onnx
from pipeline.errors import CaseError
from pipeline.records import Notice
from tests.classifiers.onnx.writing import Shape, model, node, port

WEIGHT = np.array([[1, 2]], np.float32)


def file(*ends: bytes, inputs: Mapping[str, Shape | None] | None = None, **changes: Any) -> bytes:
    """Mean brightness times 1 and 2, as the value "logits"; `ends` are further operators."""
    nodes = [node("GlobalAveragePool", ["x"], ["p"]), node("Flatten", ["p"], ["f"])]
    given: dict[str, Any] = {"outputs": {"logits": ("n", 2)}, **changes}
    return model(
        [*nodes, node("MatMul", ["f", "w"], ["logits"]), *ends],
        {"w": WEIGHT},
        inputs=inputs or {"x": ("n", 1, "rows", "columns")},
        **given,
    )


def opened(
    content: bytes, activation: str = "sigmoid", **changes: Any
) -> tuple[OnnxNetwork, tuple[Notice, ...]]:
    given: dict[str, Any] = {"channels": 1, "shape": (6, 5), "findings": 2, **changes}
    return open_onnx(content, activation=activation, **given)


def refusal(content: bytes, activation: str = "sigmoid", **changes: Any) -> str:
    with pytest.raises(CaseError) as refused:
        opened(content, activation, **changes)
    assert "; " in refused.value.message
    return refused.value.message


@pytest.mark.parametrize(
    ("end", "activation"), [("Sigmoid", "sigmoid"), ("Softmax", "softmax"), ("LogSoftmax", "softmax")]
)
def test_a_sigmoid_or_softmax_at_the_end_is_left_off(end: str, activation: str) -> None:
    ends = [node(end, ["logits"], ["q"]), node("Identity", ["q"], ["y"])]
    network, notices = opened(file(*ends, outputs={"y": ("n", 2)}), activation)
    assert network(torch.full((1, 1, 6, 5), 3.0)).tolist() == [[3.0, 6.0]]
    assert notices == ()


@pytest.mark.parametrize("activation", ["softmax", "none"])
def test_an_end_that_contradicts_the_card_is_refused(activation: str) -> None:
    content = file(node("Sigmoid", ["logits"], ["y"]), outputs={"y": ("n", 2)})
    found = refusal(content, activation)
    assert found.startswith(
        f"ends in Sigmoid, but the card says activation: {activation}; set activation: sigmoid"
    )


def test_a_sigmoid_on_the_way_stays() -> None:
    """The gate of a squeeze-and-excitation block, and of a swish, is no end."""
    content = file(
        node("Sigmoid", ["logits"], ["s"]), node("Mul", ["s", "logits"], ["y"]), outputs={"y": ("n", 2)}
    )
    network, _ = opened(content)
    expected = torch.tensor([[3.0, 6.0]])
    torch.testing.assert_close(network(torch.full((1, 1, 6, 5), 3.0)), expected * expected.sigmoid())


def test_the_only_output_with_a_number_per_finding_is_chosen_and_told() -> None:
    network, (notice,) = opened(file(outputs={"p": ("n", 1, 1, 1), "logits": ("n", 2)}))
    assert network(torch.ones(2, 1, 6, 5)).tolist() == [[1.0, 2.0]] * 2
    assert notice.kind == "guess"
    assert notice.text() == (
        "The ONNX file has 2 outputs; 'logits' is explained, because it alone has one number per finding."
    )


def test_channels_may_come_last() -> None:
    nodes = [
        node("ReduceMean", ["x"], ["m"], axes=[1, 2], keepdims=0),
        node("MatMul", ["m", "w"], ["y"]),
    ]
    constants = {"w": np.array([[1, 0], [0, 1], [0, 0]], np.float32)}
    content = model(nodes, constants, inputs={"x": ("n", 6, 5, 3)}, outputs={"y": ("n", 2)})
    images = torch.tensor([1.0, 2.0, 3.0]).reshape(1, 3, 1, 1).expand(2, 3, 6, 5)
    assert opened(content, channels=3)[0](images).tolist() == [[1.0, 2.0]] * 2


@pytest.mark.parametrize(
    ("inputs", "found"),
    [
        (
            {"x": ("n", 1, 7, 5)},
            "has an input of (any, 1, 7, 5), but the card's preprocessing gives 1 channels of",
        ),
        ({"x": ("n", 3, 6, 5)}, "1 channels of 6 x 5 px"),
        ({"x": ("n", "c", "h", "w")}, "with a fixed number of channels"),
        ({"x": ("n", 1)}, "has an input of shape (any, 1), wanted four sides"),
        ({"x": None}, "has an input of shape (), wanted"),
        ({"x": ("n", 1, 6, 5), "age": ("n", 1)}, "has 2 inputs (x, age)"),
    ],
)
def test_an_input_that_the_card_does_not_give_is_refused(
    inputs: Mapping[str, Shape | None], found: str
) -> None:
    content = file(inputs=inputs)
    assert found in refusal(content)


def test_an_input_of_bytes_is_refused() -> None:
    content = file()
    whole = content.replace(port("x", ("n", 1, "rows", "columns")), port("x", ("n", 1, "rows", "columns"), 2))
    assert whole != content
    assert refusal(whole).startswith("has an input of whole numbers, wanted float32; ")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (file(outputs={"logits": ("n", 2), "logits ": ("n", 2)}), "has 2 outputs (logits (any, 2), logits "),
        (
            file(outputs={"p": ("n", 1, 1, 1)}),
            "gives (2, 1, 1, 1) for a batch of 2 with 6 x 5 px, wanted (2, 2): one",
        ),
        (file(outputs={"x": ("n", 2)}), "gives (2, 1, 6, 5) for"),
        (file(outputs={"other": ("n", 2)}), "has an output that does not depend on the image"),
        (file(outputs={}), "has 0 outputs"),
        (file(node("Reshape", ["logits", "two"], ["y"]), outputs={"y": (2, 2)}), "reads what is not there"),
        (
            file(node("Add", ["logits", "x"], ["y"]), outputs={"y": ("n", 2)}),
            "the operator Add_3 does not fit its",
        ),
    ],
)
def test_outputs_that_are_not_a_logit_per_finding_are_refused(content: bytes, found: str) -> None:
    assert found in refusal(content)


@pytest.mark.parametrize(
    ("nodes", "constants", "found"),
    [
        (
            [node("Pad", ["x", "pads"], ["y"])],
            {"pads": np.array([0, 0, 16000, 16000] * 2, np.int64)},
            "makes ",
        ),
        (
            [node("Add", ["x", "a"], ["z"]), node("Add", ["z", "b"], ["y"])],
            {"a": np.zeros((1, 40_000, 1, 1), np.float32), "b": np.zeros((40_000, 1, 1, 1, 1), np.float32)},
            "makes ",
        ),
        (
            [node("Add", ["a", "b"], ["z"]), node("Add", ["x", "z"], ["y"])],
            {"a": np.zeros((40_000, 1), np.int64), "b": np.zeros((1, 40_000), np.int64)},
            "has the operator Add on 80,000 numbers that do not depend on the image",
        ),
        (
            [
                node("Shape", ["x"], ["s"]),
                node("Cast", ["s"], ["t"], to=1),
                node("Pad", ["t", "pads"], ["z"]),
                node("Mul", ["x", "z"], ["y"]),
            ],
            {"pads": np.array([0, 16000], np.int64)},
            "has the operator Pad on",
        ),
    ],
)
def test_results_that_would_fill_memory_are_refused_before_they_are_made(
    nodes: list[bytes], constants: dict[str, Any], found: str
) -> None:
    content = model(nodes, constants, inputs={"x": ("n", 1, 6, 5)}, outputs={"y": ("n", 2)})
    assert found in refusal(content)


def test_shapes_that_are_computed_from_the_images_are_followed() -> None:
    """`x.view(x.size(0), -1)` as torch's older exporter writes it."""
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "zero"], ["n"], axis=0),
        node("Unsqueeze", ["n", "axes"], ["u"]),
        node("Concat", ["u", "rest"], ["shape"], axis=0),
        node("Reshape", ["x", "shape"], ["flat"]),
        node("MatMul", ["flat", "w"], ["y"]),
    ]
    constants = {
        "zero": np.array(0, np.int64),
        "axes": np.array([0], np.int64),
        "rest": np.array([-1], np.int64),
        "w": np.eye(30, 2, dtype=np.float32),
    }
    content = model(nodes, constants, inputs={"x": ("n", 1, 6, 5)}, outputs={"y": ("n", 2)})
    assert opened(content)[0](torch.arange(60.0).reshape(2, 1, 6, 5)).tolist() == [[0, 1], [30, 31]]
