"""`python tests/classifiers/onnx/make_files.py keras | torch`: make the files in `files/` again.

keras needs tensorflow and tf2onnx: a narrow Xception, with what Keras computes of it for two images.
torch needs onnx and onnxscript: the DenseNet of `tests/study.py`, with its weights, by both exporters.
Neither is needed by the tests.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

FILES = Path(__file__).parent / "files"
SIDE = 61


def xception(layers: Any, keras: Any) -> tuple[Any, Any, Any]:
    """Entry flow and exit flow of Xception (Chollet, 2017), 8 to 24 filters wide."""

    def separable(values: Any, filters: int) -> Any:
        values = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False)(values)
        return layers.BatchNormalization()(values)

    images = layers.Input((SIDE, SIDE, 1))
    values = layers.Conv2D(8, 3, strides=2, use_bias=False)(images)
    values = layers.Activation("relu")(layers.BatchNormalization()(values))
    for block, filters in enumerate((12, 16)):
        shortcut = layers.Conv2D(filters, 1, strides=2, padding="same", use_bias=False)(values)
        values = layers.Activation("relu")(values) if block else values
        values = separable(layers.Activation("relu")(separable(values, filters)), filters)
        values = layers.MaxPooling2D(3, strides=2, padding="same")(values)
        values = layers.add([values, layers.BatchNormalization()(shortcut)])
    last = layers.Activation("relu")(separable(values, 24))
    dense = layers.Dense(2, activation="sigmoid")
    return keras.Model(images, dense(layers.GlobalAveragePooling2D()(last))), keras.Model(images, last), dense


def make_keras() -> None:
    import keras  # noqa: PLC0415
    import tensorflow as tf  # noqa: PLC0415
    import tf2onnx  # noqa: PLC0415

    keras.utils.set_random_seed(0)
    random = np.random.default_rng(1)
    network, before, dense = xception(keras.layers, keras)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            (count,) = layer.get_weights()[0].shape
            ranges = ((0.5, 1.5), (-0.3, 0.3), (-0.2, 0.2), (0.5, 2.0))
            layer.set_weights([random.uniform(*ends, count) for ends in ranges])
    dense.set_weights([random.normal(0, 2, (24, 2)), np.array([0.3, -0.2])])
    signature = (tf.TensorSpec((None, SIDE, SIDE, 1), tf.float32, name="image"),)
    function = tf.function(lambda images: network(images, training=False), input_signature=signature)
    tf2onnx.convert.from_function(
        function, input_signature=signature, opset=15, output_path=str(FILES / "keras_xception.onnx")
    )
    images = random.random((2, SIDE, SIDE, 1), np.float32)
    kernel, bias = dense.get_weights()
    np.savez(
        FILES / "keras_xception.npz",
        images=images,
        probabilities=network(images, training=False).numpy(),
        activations=before(images, training=False).numpy(),
        kernel=kernel,
        bias=bias,
    )


def make_torch() -> None:
    import onnx  # noqa: PLC0415
    import torch  # noqa: PLC0415
    from monai.networks.nets import DenseNet  # noqa: PLC0415
    from safetensors.torch import save_file  # noqa: PLC0415

    from tests.study import ARGUMENTS  # noqa: PLC0415

    torch.manual_seed(0)
    network = DenseNet(**ARGUMENTS).eval()
    for name, tensor in network.state_dict().items():
        if tensor.is_floating_point():
            tensor.add_(0.3 * torch.rand_like(tensor) if "var" in name else 0.1 * torch.randn_like(tensor))
    save_file(network.state_dict(), FILES / "torch_densenet.safetensors")
    images = torch.rand(1, 1, SIDE, SIDE)
    program = torch.onnx.export(network, (images,), dynamo=True)
    program.save(FILES / "torch_densenet.onnx", external_data=False)
    model = onnx.load(FILES / "torch_densenet.onnx")
    for entry in (
        *model.graph.node,
        *model.graph.value_info,
        *model.graph.input,
        *model.graph.output,
        model.graph,
    ):
        entry.ClearField("metadata_props")  # traces with paths of the machine
    onnx.save(model, FILES / "torch_densenet.onnx")
    torch.onnx.export(
        network, (images,), FILES / "torch_densenet_any.onnx", dynamo=False, opset_version=13,
        input_names=["image"], dynamic_axes={"image": {0: "batch"}},
    )  # fmt: skip


if __name__ == "__main__":
    {"keras": make_keras, "torch": make_torch}[sys.argv[1]]()
