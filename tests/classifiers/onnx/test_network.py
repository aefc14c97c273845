"""Networks of ONNX files give the logits and maps of the frameworks that wrote them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from monai.networks.nets import DenseNet
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn

from pipeline.attribution.explainer import open_explainer
from pipeline.classifiers.onnx.network import OnnxNetwork
from pipeline.classifiers.onnx.opening import open_onnx
from pipeline.classifiers.onnx.reading import read_graph
from pipeline.errors import CaseError
from tests.classifiers.onnx.judge import judged
from tests.classifiers.onnx.writing import model, node
from tests.study import ARGUMENTS

FILES = Path(__file__).parent / "files"
SIDE = 61


def opened(name: str) -> OnnxNetwork:
    content = (FILES / name).read_bytes()
    network, _ = open_onnx(content, channels=1, shape=(SIDE, SIDE), findings=2, activation="sigmoid")
    return network


def plain_densenet() -> nn.Module:
    network = DenseNet(**ARGUMENTS)
    network.load_state_dict(load_file(FILES / "torch_densenet.safetensors"))
    return network.eval()


def images(count: int = 2) -> Tensor:
    return torch.rand(count, 1, SIDE, SIDE, generator=torch.Generator().manual_seed(5))


def class_activation_maps(network: nn.Module, batch: Tensor) -> NDArray[np.float64]:
    """CAM from gradients of plain autograd in double precision: cells x gradient x activation, summed."""
    network = network.double()
    kept = network.features(batch.double()).relu().detach().requires_grad_()
    logits = network.class_layers[1:](kept)
    maps = []
    for finding in range(2):
        (gradient,) = torch.autograd.grad(logits[:, finding].sum(), kept, retain_graph=True)
        cells = kept.shape[2] * kept.shape[3]
        maps.append((cells * gradient.mean(dim=(2, 3), keepdim=True) * kept).sum(dim=1))
    return torch.stack(maps, dim=1).detach().numpy()


@pytest.mark.parametrize("name", ["torch_densenet.onnx", "torch_densenet_any.onnx"])
def test_both_exporters_of_torch_give_the_networks_logits_and_double_precision_maps(name: str) -> None:
    batch, plain = images(), plain_densenet()
    explainer = open_explainer(opened(name), methods=["cam", "gradcam"], example=batch)
    explanation = explainer.explain(batch)
    with torch.no_grad():
        expected = plain.double()(batch.double())
    np.testing.assert_allclose(explanation.logits, expected.numpy(), atol=1e-5)
    maps = class_activation_maps(plain, batch)
    for method in ("cam", "gradcam"):
        np.testing.assert_allclose(explanation.maps[method], maps, atol=1e-5)


def test_cells_of_a_file_lie_where_those_of_the_network_lie() -> None:
    batch = images()
    layers = ["gradcam", "gradcam@stride4"]
    of_file = open_explainer(opened("torch_densenet_any.onnx"), methods=layers, example=batch)
    of_network = open_explainer(plain_densenet(), methods=layers, example=batch)
    assert of_file.explain(batch).cells == of_network.explain(batch).cells


def test_a_keras_xception_gives_the_probabilities_and_maps_of_keras() -> None:
    """Maps of Keras's own activations, in float64: the mean over cells is the logit less the bias."""
    keras = np.load(FILES / "keras_xception.npz")
    batch = torch.from_numpy(keras["images"]).permute(0, 3, 1, 2).contiguous()
    explanation = open_explainer(opened("keras_xception.onnx"), methods=["cam"], example=batch).explain(batch)
    probabilities = 1 / (1 + np.exp(-explanation.logits))
    np.testing.assert_allclose(probabilities, keras["probabilities"], atol=1e-6)
    maps = np.einsum("brcf,fk->bkrc", keras["activations"].astype(float), keras["kernel"].astype(float))
    np.testing.assert_allclose(explanation.maps["cam"], maps, atol=1e-5)
    np.testing.assert_allclose(maps.mean(axis=(2, 3)) + keras["bias"], explanation.logits, atol=1e-5)


def test_same_padding_of_an_odd_side_places_the_cells_of_keras() -> None:
    """By hand, 3 x 3 with stride 2 each: 61 pixels without padding give 30 cells from pixel 1, 2 apart.

    SAME pads 30 cells by none before and one after, so the pool's lie from pixel 3, 4 apart, and the
    shortcut's from 1: the sum's from 2. It pads 15 cells by one on both sides: from 2, 8 apart.
    """
    example = images()
    (rows, columns) = (
        open_explainer(opened("keras_xception.onnx"), methods=["cam"], example=example)
        .explain(example)
        .cells["cam"]
    )
    assert rows == columns
    assert (rows.size, rows.start, rows.step) == (8, 2.0, 8.0)


@pytest.mark.parametrize("channels_last", [False, True])
def test_a_linear_layer_in_two_operators_is_a_head(*, channels_last: bool) -> None:
    """tf2onnx writes a product and a sum; PyTorch Lite and others keep channels last to the end."""
    random = np.random.default_rng(0)
    kernel = random.normal(size=(6, 1, 3, 3)).astype(np.float32)
    weight, bias = random.normal(size=(6, 2)).astype(np.float32), np.array([0.5, -1], np.float32)
    shape = ("n", 9, 9, 1) if channels_last else ("n", 1, 9, 9)
    axes = [1, 2] if channels_last else [2, 3]
    nodes = [
        node(
            "Transpose" if channels_last else "Identity",
            ["x"],
            ["first"],
            **({"perm": [0, 3, 1, 2]} if channels_last else {}),
        ),
        node("Conv", ["first", "kernel"], ["filtered"], pads=[1, 1, 1, 1]),
        node("Relu", ["filtered"], ["rectified"]),
        node(
            "Transpose" if channels_last else "Identity",
            ["rectified"],
            ["last"],
            **({"perm": [0, 2, 3, 1]} if channels_last else {}),
        ),
        node("ReduceMean", ["last"], ["means"], axes=axes, keepdims=0),
        node("MatMul", ["means", "weight"], ["product"]),
        node("Add", ["product", "bias"], ["logits"]),
        node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    content = model(
        nodes,
        {"kernel": kernel, "weight": weight, "bias": bias},
        inputs={"x": shape},
        outputs={"probabilities": ("n", 2)},
    )
    network, _ = open_onnx(content, channels=1, shape=(9, 9), findings=2, activation="softmax")
    batch = torch.rand(2, 1, 9, 9, generator=torch.Generator().manual_seed(0))
    explainer = open_explainer(network, methods=["cam"], example=batch)
    assert explainer.targets["last"].call.channels_last is channels_last
    means = torch.conv2d(batch, torch.from_numpy(kernel), padding=1).relu().double()
    maps = np.einsum("bcij,ck->bkij", means.numpy(), weight.astype(float))
    np.testing.assert_allclose(explainer.explain(batch).maps["cam"], maps, atol=1e-5)
    given = batch.permute(0, 2, 3, 1) if channels_last else batch
    probabilities = torch.softmax(network(batch), dim=1).numpy()
    np.testing.assert_allclose(probabilities, judged(content, given.contiguous().numpy()), atol=1e-6)


@pytest.mark.parametrize("transposed", [0, 1])
def test_a_general_product_scales_weights_and_bias(transposed: int) -> None:
    weight, bias = np.arange(6, dtype=np.float32).reshape(3, 2), np.array([10, 20], np.float32)
    given = weight.T.copy() if transposed else weight
    content = model(
        [node("Gemm", ["x", "w", "b"], ["y"], alpha=2.0, beta=0.5, transB=transposed)],
        {"w": given, "b": bias},
        inputs={"x": (1, 3)},
        outputs={"y": (1, 2)},
    )
    network = OnnxNetwork(read_graph(content), output="y")
    assert network(torch.tensor([[1.0, 0, 2]])).tolist() == [[2 * 8 + 5, 2 * 11 + 10]]


def test_a_file_for_one_image_computes_any_number() -> None:
    """An exporter that fixes the number of images writes it into shapes."""
    content = model(
        [node("Reshape", ["x", "shape"], ["flat"]), node("MatMul", ["flat", "w"], ["y"])],
        {"shape": np.array([1, 4], np.int64), "w": np.eye(4, 2, dtype=np.float32)},
        inputs={"x": (1, 1, 2, 2)},
        outputs={"y": (1, 2)},
    )
    network, _ = open_onnx(content, channels=1, shape=(2, 2), findings=2, activation="sigmoid")
    assert network(torch.arange(12.0).reshape(3, 1, 2, 2)).tolist() == [[0, 1], [4, 5], [8, 9]]


def test_parts_squeezed_cut_and_joined_are_those_of_the_operators() -> None:
    nodes = [
        node("Split", ["x", "sizes"], ["a", "b"], axis=1),
        node("Squeeze", ["b", "axes"], ["c"]),
        node("Split", ["a"], ["d", "e"], axis=1),
        node("Squeeze", ["d"], ["f"]),
        node("Swish", ["e"], ["g"]),
        node("Sum", ["c", "f", "g"], ["y"]),
    ]
    constants = {"sizes": np.array([2, 1], np.int64), "axes": np.array([1], np.int64)}
    content = model(nodes, constants, inputs={"x": (2, 3, 2)}, outputs={"y": None}, version=24)
    values = torch.arange(12.0).reshape(2, 3, 2)
    expected = values[:, 2] + values[:, 0] + values[:, 1:2] * values[:, 1:2].sigmoid()
    torch.testing.assert_close(OnnxNetwork(read_graph(content), output="y")(values), expected)


@pytest.mark.parametrize(
    ("nodes", "found"),
    [
        ([node("Relu", ["y"], ["y"])], "reads what is not there"),
        (
            [node("Relu", ["b"], ["a"]), node("Relu", ["a"], ["b"]), node("Add", ["b", "x"], ["y"])],
            "reads what",
        ),
        ([node("Relu", ["x"], ["y"]), node("Relu", ["x"], ["y"])], "makes what is there already"),
        ([node("Identity", ["c"], ["y"])], "does not depend on the image"),
        ([node("Loop", ["x"], ["y"])], "has the operator Loop"),
        ([node("QLinearConv", ["x"], ["y"], group=1)], "is quantised: QLinearConv rounds activations"),
        ([node("QuantizeLinear", ["x", "c"], ["y"], axis=1)], "so that the gradient of a logit is 0 almost"),
        ([node("Relu", ["x"], ["y"], slope=1.0)], "has the operator Relu with slope"),
        ([node("Conv", ["x", "x"], ["y"])], "computes the weights of an operator"),
        ([node("Conv", ["x", "c"], ["y"])], "weights (2,) do not fit"),
        ([node("Gemm", ["x", "c"], ["y"])], "weights (2,) do not fit"),
        ([node("MaxPool", ["x"], ["y"], kernel_shape=[3])], "over 1 axes"),
        ([node("MaxPool", ["x"], ["y"], kernel_shape=[3, 2**40])], "sizes that no image has"),
        ([node("MaxPool", ["x"], ["y"], kernel_shape=[3, 3], strides=[0, 1])], "sizes that no image has"),
        ([node("MaxPool", ["x"], ["y"], kernel_shape=[3, 3], auto_pad="OTHER")], "padding 'OTHER'"),
        ([node("AveragePool", ["x"], ["y"], kernel_shape=[3, 3], dilations=[2, 2])], "dilations"),
        ([node("Dropout", ["x", "c", "true"], ["y"])], None),
    ],
)
def test_graphs_that_cannot_be_computed_are_refused_with_the_reason(
    nodes: list[bytes], found: str | None
) -> None:
    constants = {"c": np.ones(2, np.float32), "true": np.array(1, np.int64)}
    content = model(nodes, constants, inputs={"x": (1, 1, 5, 5)}, outputs={"y": None})
    with pytest.raises(CaseError) as refused:
        OnnxNetwork(read_graph(content), output="y")(torch.zeros(1, 1, 5, 5))
    assert (found or "drops values at random") in refused.value.message
    assert "; " in refused.value.message
