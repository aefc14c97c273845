"""Rules: how the operations of torch pass positions on; an operation without a rule loses them."""

from __future__ import annotations

from pipeline.attribution.receptive_field.cutting import cut, picked, selected, sliced, unbound
from pipeline.attribution.receptive_field.joining import (
    attended,
    concatenated,
    linear,
    product,
    stacked,
)
from pipeline.attribution.receptive_field.operation import Operation, Rule
from pipeline.attribution.receptive_field.reshaping import (
    expanded,
    flipped,
    halved,
    in_columns,
    kept,
    moved,
    new,
    reduced,
    rolled,
    same,
    shuffled,
    squeezed,
    swapped,
    unfolded,
    unsqueezed,
    viewed,
    windowed,
)
from pipeline.attribution.receptive_field.windows import WINDOWS

FUSED_ATTENTION = (
    "_scaled_dot_product_flash_attention_for_cpu", "_scaled_dot_product_flash_attention",
    "_scaled_dot_product_efficient_attention", "_scaled_dot_product_cudnn_attention",
    "scaled_dot_product_attention", "_scaled_dot_product_attention_math",
)  # fmt: skip
"""Operations that are whole attentions of queries, keys and values."""
RULES: dict[str, Rule] = {
    **dict.fromkeys(
        (
            "clone", "detach", "alias", "contiguous", "_to_copy", "to", "lift_fresh", "native_dropout",
            "dropout", "softmax", "_softmax", "_safe_softmax", "log_softmax", "_log_softmax",
            "native_layer_norm", "_fused_rms_norm", "rms_norm", "hardswish", "_prelu_kernel",
            "log_sigmoid_forward", "rrelu_with_noise", "rrelu",
        ),
        same,
    ),
    **dict.fromkeys(
        (
            "native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training",
            "cudnn_batch_norm", "miopen_batch_norm", "_batch_norm_with_update", "native_group_norm",
            "instance_norm", "batch_norm",
        ),
        kept("input"),
    ),
    **dict.fromkeys(
        (
            "zeros_like", "ones_like", "full_like", "empty_like", "rand_like", "randn_like", "new_empty",
            "new_zeros", "new_ones", "new_full", "new_empty_strided",
        ),
        new,
    ),
    "copy": kept("src"),
    "_transformer_encoder_layer_fwd": kept("src"),
    "_native_multi_head_attention": kept("query"),
    **dict.fromkeys(("view", "_unsafe_view", "reshape", "_reshape_alias", "unflatten", "flatten"), viewed),
    "permute": moved(lambda operation, count: [dim % count for dim in operation.arguments["dims"]]),
    "transpose": moved(swapped),
    "t": moved(lambda _operation, count: list(range(count))[::-1]),
    "numpy_T": moved(lambda _operation, count: list(range(count))[::-1]),
    "squeeze": squeezed,
    "unsqueeze": unsqueezed,
    "expand": expanded,
    "repeat": expanded,
    **dict.fromkeys(
        (
            "mean", "sum", "amax", "amin", "max", "min", "var", "std", "var_mean", "norm",
            "linalg_vector_norm", "logsumexp", "prod", "argmax", "argmin", "all", "any", "nansum",
        ),
        reduced,
    ),
    "slice": sliced,
    "select": selected,
    **dict.fromkeys(("split", "split_with_sizes", "chunk", "unsafe_split", "unsafe_chunk"), cut),
    "unbind": unbound,
    "unfold": unfolded,
    "im2col": in_columns,
    "index_select": picked,
    **dict.fromkeys(("channel_shuffle", "native_channel_shuffle"), shuffled),
    "glu": halved,
    "cat": concatenated,
    "stack": stacked,
    "mm": product("self", "mat2"),
    "bmm": product("self", "mat2"),
    "matmul": product("self", "other"),
    "addmm": product("mat1", "mat2"),
    "baddbmm": product("batch1", "batch2"),
    "linear": linear,
    **dict.fromkeys(FUSED_ATTENTION, attended),
    "flip": flipped,
    "roll": rolled,
    **{name: windowed(window) for name, window in WINDOWS.items()},
}  # fmt: skip
"""Name of an operation, without the trailing _ of its in-place form → rule."""


def attends(name: str, operation: Operation) -> bool:
    """Whether the operation is attention to positions: of queries to keys, or a softmax over positions."""
    key = "key" if name in {*FUSED_ATTENTION, "_native_multi_head_attention"} else None
    if key is None and name not in {"softmax", "_softmax", "_safe_softmax"}:
        return False
    layout = operation.layout(key) if key else operation.known
    if not isinstance(layout, tuple):
        return False
    return bool(layout[-2 if key else operation.arguments["dim"]].axes)
