"""Every operator gives what OpenVINO computes from the same file, or its formula."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from pipeline.classifiers.onnx.network import OnnxNetwork
from pipeline.classifiers.onnx.operators import OPERATIONS
from pipeline.classifiers.onnx.reading import read_graph
from tests.classifiers.onnx.judge import judged
from tests.classifiers.onnx.writing import model, node

RANDOM = np.random.default_rng(0)
SHAPE = (2, 4, 9, 8)
Constants = list[NDArray[Any]]


def numbers(*shape: int, low: float = -1.0) -> NDArray[np.float32]:
    return RANDOM.uniform(low, 1.0, shape).astype(np.float32)


def whole(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def scalar(value: float) -> NDArray[np.float32]:
    return np.array(value, np.float32)


def case(
    operator: str, *constants: NDArray[Any], version: int = 17, low: float = -3.0, **attributes: Any
) -> Any:
    words = " ".join([operator, *(f"{key}={value}" for key, value in attributes.items()), f"v{version}"])
    return pytest.param(operator, list(constants), attributes, version, low, id=words)


POSITIVE = 0.1
FOUR = [numbers(4, low=0.1) for _ in range(4)]
KERNEL = numbers(6, 2, 3, 3)
TRANSPOSED = numbers(4, 3, 3, 3)


CASES = [
    *(
        case(name)
        for name in (
            "Identity",
            "Relu",
            "Sigmoid",
            "Tanh",
            "Selu",
            "HardSwish",
            "Mish",
            "Softplus",
            "Softsign",
            "Erf",
            "Exp",
            "Abs",
            "Neg",
            "Floor",
            "Ceil",
            "Dropout",
        )
    ),
    *(case(name, low=POSITIVE) for name in ("Log", "Sqrt", "Reciprocal")),
    *(case(name, numbers(4, 1, 1, low=0.2)) for name in ("Add", "Sub", "Mul", "Div", "Min", "Max")),
    case("Sum", numbers(*SHAPE), numbers(1, 1, 8)),
    case("Pow", scalar(2.0), low=POSITIVE),
    case("PRelu", numbers(4, 1, 1)),
    case("LeakyRelu"),
    case("LeakyRelu", alpha=0.2),
    case("Elu", alpha=0.7),
    case("HardSigmoid"),
    case("HardSigmoid", alpha=0.1, beta=0.4),
    case("Gelu", version=20),
    case("Gelu", version=20, approximate="tanh"),
    case("Clip", scalar(0.0), scalar(6.0)),
    case("Clip", min=-0.5, max=0.5, version=9),
    case("Softmax", axis=1),
    case("Softmax", axis=-1),
    case("Softmax", axis=2, version=9),
    case("Cast", to=1),
    case("MatMul", numbers(8, 3)),
    case("MatMul", numbers(1, 1, 8, 3)),
    case("BatchNormalization", *FOUR),
    case("BatchNormalization", *FOUR, epsilon=0.01, momentum=0.5),
    case("InstanceNormalization", *FOUR[:2], epsilon=0.01),
    case("LRN", size=3),
    case("LRN", size=5, alpha=0.3, beta=0.5, bias=2.0),
    case("LayerNormalization", numbers(8), numbers(8), axis=-1, epsilon=0.001),
    case("GlobalAveragePool"),
    case("GlobalMaxPool"),
    *(
        case(name, axes=[2, 3], keepdims=0, low=POSITIVE)
        for name in ("ReduceMean", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceProd")
    ),
    case("ReduceMean", axes=[1]),
    case("ReduceMean", whole(-1, 2), version=18, keepdims=0),
    case("ReduceSum", whole(2), keepdims=0),
    case("ReduceSum", axes=[1], version=11),
    case("Flatten"),
    case("Flatten", axis=2),
    case("Reshape", whole(0, -1, 4)),
    case("Reshape", whole(2, 2, 2, -1)),
    case("Transpose", perm=[0, 2, 3, 1]),
    case("Transpose"),
    case("Unsqueeze", whole(0, -1)),
    case("Unsqueeze", axes=[2], version=11),
    case("Shape", start=1),
    case("Concat", numbers(*SHAPE), axis=1),
    case("Concat", numbers(2, 4, 9, 3), axis=-1),
    case("Slice", whole(1, 0), whole(-1, 100), whole(2, 3), whole(2, 3)),
    case("Slice", whole(1), whole(3)),
    case("Slice", starts=[1], ends=[5], axes=[2], version=9),
    case("Gather", whole(2, 0, -1), axis=1),
    case("Gather", np.array(1, np.int64), axis=2),
    case("Gather", whole(0, 3).reshape(1, 2), axis=3),
    case("Pad", whole(0, 0, 1, 2, 0, 0, 3, 0), scalar(-1.5)),
    case("Pad", whole(0, 1, 0, 0, 0, 0, 0, 2)),
    case("Pad", whole(0, 0, 1, 2, 0, 0, 3, 0), mode="reflect"),
    case("Pad", whole(0, 0, 1, 2, 0, 0, 3, 0), mode="edge"),
    case("Pad", pads=[0, 0, 1, 0, 0, 0, 0, 1], version=9),
    case("Pad", whole(1, 2), scalar(0.5), whole(-1), version=18),
    case("Conv", KERNEL, numbers(6), group=2),
    case("Conv", KERNEL, group=2, pads=[1, 1, 1, 1], strides=[2, 2]),
    case("Conv", KERNEL, group=2, pads=[0, 1, 2, 0], strides=[2, 1], dilations=[2, 1]),
    *(
        case("Conv", KERNEL, group=2, auto_pad=pad, strides=[2, 2])
        for pad in ("SAME_UPPER", "SAME_LOWER", "VALID")
    ),
    case("Conv", KERNEL, group=2, auto_pad="SAME_UPPER", dilations=[2, 2], kernel_shape=[3, 3]),
    case("MaxPool", kernel_shape=[3, 2]),
    case("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    case("MaxPool", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1),
    case("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 0, 1, 1]),
    case("MaxPool", kernel_shape=[2, 2], strides=[2, 2], dilations=[2, 2]),
    *(
        case("MaxPool", kernel_shape=[3, 3], strides=[2, 2], auto_pad=pad)
        for pad in ("SAME_UPPER", "SAME_LOWER", "VALID")
    ),
    case("AveragePool", kernel_shape=[3, 3], strides=[2, 2]),
    case("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    case("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
    case("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 1, 1, 0]),
    case("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[0, 1, 1, 0], count_include_pad=1),
    *(
        case("AveragePool", kernel_shape=[3, 3], strides=[2, 2], auto_pad=pad)
        for pad in ("SAME_UPPER", "SAME_LOWER", "VALID")
    ),
    case("ConvTranspose", TRANSPOSED),
    case("ConvTranspose", numbers(4, 3, 2, 2), numbers(3), strides=[2, 2]),
    case("ConvTranspose", TRANSPOSED, strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1]),
    case("ConvTranspose", TRANSPOSED, strides=[2, 1], pads=[0, 1, 1, 2], dilations=[2, 1]),
    case("ConvTranspose", numbers(4, 3, 4, 4), numbers(6), group=2, strides=[2, 2], pads=[1, 1, 1, 1]),
    *(
        case("ConvTranspose", TRANSPOSED, strides=[2, 2], auto_pad=pad)
        for pad in ("SAME_UPPER", "SAME_LOWER", "VALID")
    ),
    case("ConvTranspose", TRANSPOSED, strides=[2, 2], output_shape=[17, 15]),
    case("Expand", whole(1, 2, 1, 1, 1)),
    case("Expand", whole(2, 1, 9, 1)),
]
"""Operator, its constants after the images, its attributes, version, and the least number of the images."""


def single(operator: str, constants: Constants, attributes: dict[str, Any], version: int) -> bytes:
    names = {f"c{n}": array for n, array in enumerate(constants)}
    nodes = [node(operator, ["x", *names], ["y"], **attributes)]
    return model(nodes, names, inputs={"x": SHAPE}, outputs={"y": None}, version=version)


def normalised(
    images: NDArray[np.float64], axes: tuple[int, ...], scale: Any, shift: Any, epsilon: float
) -> NDArray[np.float64]:
    mean, variance = images.mean(axes, keepdims=True), images.var(axes, keepdims=True)
    return (images - mean) / np.sqrt(variance + epsilon) * scale + shift


BY_HAND: dict[str, Callable[..., NDArray[np.float64]]] = {
    "Softsign": lambda images: images / (1 + np.abs(images)),
    "InstanceNormalization": lambda images, scale, shift, *, epsilon: normalised(
        images, (2, 3), scale[:, None, None], shift[:, None, None], epsilon
    ),
    "LayerNormalization": lambda images, scale, shift, *, axis, epsilon: normalised(
        images, (axis,), scale, shift, epsilon
    ),
}
"""Operator → its formula, where OpenVINO gives something else, or refuses, on a processor without AVX2."""


def wanted(
    content: bytes,
    images: NDArray[np.float32],
    operator: str,
    constants: Constants,
    attributes: dict[str, Any],
) -> NDArray[Any]:
    if operator in BY_HAND:
        return BY_HAND[operator](images.astype(np.float64), *constants, **attributes)
    return judged(content, images)


@pytest.mark.parametrize(("operator", "constants", "attributes", "version", "low"), CASES)
def test_an_operator_computes_what_openvino_or_its_formula_gives(
    operator: str, constants: Constants, attributes: dict[str, Any], version: int, low: float
) -> None:
    content = single(operator, constants, attributes, version)
    images = np.random.default_rng(1).uniform(low, 3.0, SHAPE).astype(np.float32)
    found = OnnxNetwork(read_graph(content), output="y").eval()(torch.from_numpy(images))
    expected = wanted(content, images, operator, constants, attributes)
    assert tuple(found.shape) == expected.shape
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=2e-5, atol=2e-5)


COMPARED = {
    "Equal": [0, 1, 0],
    "Greater": [0, 0, 1],
    "Less": [1, 0, 0],
    "GreaterOrEqual": [0, 1, 1],
    "LessOrEqual": [1, 1, 0],
}


@pytest.mark.parametrize(("operator", "expected"), COMPARED.items())
def test_comparisons_are_truth_values_that_choose(operator: str, expected: list[int]) -> None:
    """(-1, 0, 2) compared with 0; what is true takes 5, what is false 7."""
    nodes = [node(operator, ["x", "zero"], ["t"]), node("Where", ["t", "five", "seven"], ["y"])]
    constants = {"zero": scalar(0), "five": scalar(5), "seven": scalar(7)}
    content = model(nodes, constants, inputs={"x": (1, 3)}, outputs={"y": None})
    found = OnnxNetwork(read_graph(content), output="y")(torch.tensor([[-1.0, 0, 2]]))
    assert found.tolist() == [[5.0 if one else 7.0 for one in expected]]


@pytest.mark.parametrize(("operator", "expected"), [("And", [0, 1, 1, 0]), ("Or", [1, 1, 1, 1])])
def test_truth_values_are_joined_and_turned(operator: str, expected: list[int]) -> None:
    """(2, 0, -1, -1): not above 0 is (0, 1, 1, 1), below the bounds is (1, 1, 1, 0)."""
    nodes = [
        node("Greater", ["x", "zero"], ["above"]),
        node("Not", ["above"], ["t"]),
        node("Less", ["x", "bounds"], ["below"]),
        node(operator, ["t", "below"], ["joined"]),
        node("Cast", ["joined"], ["y"], to=1),
    ]
    constants = {"zero": scalar(0), "bounds": np.array([3, 1, 0, -2], np.float32)}
    content = model(nodes, constants, inputs={"x": (1, 4)}, outputs={"y": None})
    found = OnnxNetwork(read_graph(content), output="y")(torch.tensor([[2.0, 0, -1, -1]]))
    assert found.tolist() == [expected]


def test_every_operator_is_judged() -> None:
    own = {
        "Resize",
        "Upsample",
        "Squeeze",
        "Split",
        "Swish",
        "Where",
        "And",
        "Or",
        "Not",
        "ConstantOfShape",
        "DequantizeLinear",
        *COMPARED,
    }
    assert {case.values[0] for case in CASES} | own >= set(OPERATIONS)
