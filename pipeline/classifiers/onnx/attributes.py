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
        "Conv": (*WINDOW, "group"),
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
        "Shape": ("start", "end"),
        "Slice": ("starts", "ends", "axes", "steps"),
        "Softmax": ("axis",),
        "Split": ("axis", "split", "num_outputs"),
        "Squeeze": ("axes",),
        "Swish": ("alpha",),
        "Transpose": ("perm",),
        "Unsqueeze": ("axes",),
        **dict.fromkeys(("ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL2"), REDUCING),
        "ReduceProd": REDUCING,
    }
)
"""Operator → its attributes. `storage_order` orders indices alone, `momentum` and `seed` serve training."""


def refuse_others(node: Node) -> None:
    """Raise CaseError for an attribute that an operator should not have here."""
    others = sorted(node.attributes.keys() - set(UNDERSTOOD.get(node.operator, ())))
    if others:
        raise CaseError(
            "unsupported",
            f"has the operator {node.operator:.40} with {', '.join(others):.100}, which is not computed "
            "here; export it with opset_version 17",
        )
