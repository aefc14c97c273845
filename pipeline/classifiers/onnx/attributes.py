"""Attributes: those of each operator that are computed as stated; any other refuses the file."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pipeline.classifiers.onnx.graph import Node
from pipeline.errors import CaseError

WINDOW: Final = ("auto_pad", "dilations", "kernel_shape", "pads", "strides")
REDUCING: Final = ("axes", "keepdims", "noop_with_empty_axes")
UNDERSTOOD: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "BatchNormalization": ("epsilon", "momentum", "training_mode"),
        "Cast": ("to", "saturate", "round_mode"),
        "Clip": ("min", "max"),
        "Concat": ("axis",),
        "Constant": ("value", "value_float", "value_floats", "value_int", "value_ints"),
        "ConstantOfShape": ("value",),
        "Conv": (*WINDOW, "group"),
        "ConvTranspose": (*WINDOW, "group", "output_padding", "output_shape"),
        "DequantizeLinear": ("axis", "block_size", "output_dtype"),
        "AveragePool": (*WINDOW, "ceil_mode", "count_include_pad"),
        "MaxPool": (*WINDOW, "ceil_mode", "storage_order"),
        "Dropout": ("ratio", "seed"),
        "Elu": ("alpha",),
        "Flatten": ("axis",),
        "Gather": ("axis",),
        "Gelu": ("approximate",),
        "Gemm": ("alpha", "beta", "transA", "transB"),
        "HardSigmoid": ("alpha", "beta"),
        "InstanceNormalization": ("epsilon",),
        "LayerNormalization": ("axis", "epsilon", "stash_type"),
        "LeakyRelu": ("alpha",),
        "LRN": ("alpha", "beta", "bias", "size"),
        "Pad": ("mode", "pads", "value"),
        "Reshape": ("allowzero",),
        "Resize": (
            *("antialias", "axes", "coordinate_transformation_mode", "cubic_coeff_a", "exclude_outside"),
            *("extrapolation_value", "keep_aspect_ratio_policy", "mode", "nearest_mode"),
        ),
        "Shape": ("start", "end"),
        "Slice": ("starts", "ends", "axes", "steps"),
        "Softmax": ("axis",),
        "Split": ("axis", "split", "num_outputs"),
        "Squeeze": ("axes",),
        "Swish": ("alpha",),
        "Transpose": ("perm",),
        "Unsqueeze": ("axes",),
        "Upsample": ("mode", "scales"),
        **dict.fromkeys(("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2"), REDUCING),
        "ReduceProd": REDUCING,
    }
)
"""Operator → its attributes. `storage_order` orders indices alone, `momentum` and `seed` serve training, and
`extrapolation_value` is for a kind of Resize that is refused."""


QUANTISED: Final = (
    "QuantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger",
)  # fmt: skip
"""Operators that round activations to whole numbers, or compute with such."""


def refuse_others(node: Node) -> None:
    """Raise CaseError for an attribute that an operator should not have here, or a quantised operator."""
    if node.operator in QUANTISED:
        raise CaseError(
            "unsupported",
            f"is quantised: {node.operator} rounds activations to whole numbers, so that the gradient of a "
            "logit is 0 almost everywhere, and maps would be empty; give the network as it was before that, "
            "in float32 (weights alone may be whole numbers)",
        )
    others = sorted(node.attributes.keys() - set(UNDERSTOOD.get(node.operator, ())))
    if others:
        raise CaseError(
            "unsupported",
            f"has the operator {node.operator:.40} with {', '.join(others):.100}, which is not computed "
            "here; export it with opset_version 17",
        )
