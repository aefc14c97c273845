"""Windows: convolutions and pools of ONNX, whose padding may differ between both ends of an axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from pipeline.classifiers.onnx.graph import Node
from pipeline.errors import CaseError

AXES: Final = 2
LARGEST: Final = 2**14
"""Pixels; a larger kernel or padding is an error in the file."""
KINDS: Final = ("NOTSET", "", "VALID", "SAME_UPPER", "SAME_LOWER")
"""Of padding: as stated, none, or as much as gives one output per stride."""


@dataclass(frozen=True, slots=True)
class Window:
    """A window that moves over (batch, channels, rows, columns)."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pads: tuple[int, int, int, int]
    """Rows before, columns before, rows after, columns after."""
    automatic: str = ""
    """SAME_UPPER or SAME_LOWER: one output per stride; an odd padding has more at the end or at the start."""

    def padding(self, images: Tensor) -> tuple[int, int, int, int]:
        """Rows before, columns before, rows after, columns after, for a batch."""
        if not self.automatic:
            return self.pads
        before, after = [], []
        for side, kernel, stride, dilation in zip(
            images.shape[2:], self.kernel, self.stride, self.dilation, strict=True
        ):
            total = max((-(-side // stride) - 1) * stride + dilation * (kernel - 1) + 1 - side, 0)
            less, more = total // 2, total - total // 2
            before.append(less if self.automatic == "SAME_UPPER" else more)
            after.append(more if self.automatic == "SAME_UPPER" else less)
        return before[0], before[1], after[0], after[1]

    def padded(self, images: Tensor, value: float = 0.0) -> tuple[Tensor, tuple[int, int]]:
        """The images padded where both ends of an axis differ, and the padding that is left to the operation.

        Torch's pools pad up to half a kernel.
        """
        top, left, bottom, right = self.padding(images)
        halves = [kernel // 2 for kernel in self.kernel]
        if (top, left) == (bottom, right) and top <= halves[0] and left <= halves[1]:
            return images, (top, left)
        return functional.pad(images, (left, right, top, bottom), value=value), (0, 0)


def window_of(node: Node, kernel: Sequence[int]) -> Window:
    """The window that a node's attributes state. Raises CaseError if it is not one of two axes."""
    stride = _sides(node, "strides")
    dilation = _sides(node, "dilations")
    pads = tuple(node.attributes.get("pads") or [0] * 2 * AXES)
    automatic = node.attributes.get("auto_pad", "NOTSET")
    if len(kernel) != AXES or len(stride) != AXES or len(dilation) != AXES or len(pads) != 2 * AXES:
        raise CaseError(
            "unsupported",
            f"has the operator {node.operator} over {len(kernel)} axes, wanted 2; export it for images",
        )
    if min(*kernel, *stride, *dilation) < 1 or min(pads) < 0 or max(*kernel, *pads) > LARGEST:
        raise CaseError(
            "unsupported", f"has the operator {node.operator} with sizes that no image has; export it again"
        )
    if automatic not in KINDS:
        raise CaseError(
            "unsupported",
            f"has the operator {node.operator} with the padding {automatic!r:.40}; export it again",
        )
    pads = (0, 0, 0, 0) if automatic == "VALID" else pads
    return Window(
        _pair(kernel),
        _pair(stride),
        _pair(dilation),
        (*_pair(pads), *_pair(pads[2:])),
        automatic if automatic.startswith("SAME") else "",
    )


def _sides(node: Node, name: str) -> Sequence[int]:
    sides: Sequence[int] = node.attributes.get(name) or [1] * AXES
    return sides


def _pair(values: Sequence[int]) -> tuple[int, int]:
    return int(values[0]), int(values[1])


class Convolution(nn.Conv2d):
    """A convolution with its weights, which are those of the file."""

    def __init__(self, weight: Tensor, bias: Tensor | None, window: Window, groups: int) -> None:
        channels = weight.shape[1] * groups
        super().__init__(
            channels, weight.shape[0], window.kernel, window.stride, 0, window.dilation, groups,
            bias=bias is not None, device="meta",
        )  # fmt: skip
        self.window = window
        self.weight = nn.Parameter(weight, requires_grad=False)
        if bias is not None:
            self.bias = nn.Parameter(bias, requires_grad=False)

    def forward(self, images: Tensor) -> Tensor:
        """The convolution of a batch (batch, channels, rows, columns)."""
        top, left, bottom, right = self.window.padding(images)
        if (top, left) == (bottom, right):
            padding = top, left
        else:
            images, padding = functional.pad(images, (left, right, top, bottom)), (0, 0)
        return functional.conv2d(
            images,
            self.weight,
            self.bias,
            self.stride,
            padding,
            self.dilation,
            self.groups,
        )


class TransposedConvolution(nn.ConvTranspose2d):
    """A transposed convolution with its weights, which are those of the file."""

    def __init__(self, weight: Tensor, bias: Tensor | None, window: Window, groups: int, node: Node) -> None:
        channels = weight.shape[1] * groups
        super().__init__(
            weight.shape[0], channels, window.kernel, window.stride, groups=groups, bias=bias is not None,
            dilation=window.dilation, device="meta",
        )  # fmt: skip
        self.window, self.more = window, _pair(node.attributes.get("output_padding") or [0] * AXES)
        self.sides = node.attributes.get("output_shape")
        self.weight = nn.Parameter(weight, requires_grad=False)
        if bias is not None:
            self.bias = nn.Parameter(bias, requires_grad=False)

    def forward(self, images: Tensor) -> Tensor:  # type: ignore[override]  # torch's takes an output size, too
        """The transposed convolution of a batch (batch, channels, rows, columns)."""
        top, left, bottom, right = self._cut(images)
        is_even = (top, left) == (bottom, right)
        padding = (top, left) if is_even else 0
        found = functional.conv_transpose2d(
            images, self.weight, self.bias, self.stride, padding, self.more, self.groups, self.dilation
        )
        if is_even:
            return found
        rows, columns = found.shape[2:]
        return found[:, :, top : rows - bottom, left : columns - right]

    def _cut(self, images: Tensor) -> tuple[int, int, int, int]:
        """Rows and columns that are cut off before, and rows and columns after."""
        window = self.window
        if not (window.automatic or self.sides):
            return window.pads
        before, after = [], []
        for axis, side in enumerate(images.shape[2:]):
            stride = window.stride[axis]
            whole = (
                stride * (side - 1) + self.more[axis] + window.dilation[axis] * (window.kernel[axis] - 1) + 1
            )
            total = whole - (self.sides[axis] if self.sides else side * stride)
            if total < 0 or (self.sides and total % 2):  # runtimes differ in the end at which one more is cut
                raise CaseError(
                    "unsupported",
                    f"has a transposed convolution with output_shape {self.sides}, which does not say "
                    "how much is cut at each end; export it with pads",
                )
            less, more = total // 2, total - total // 2
            before.append(less if window.automatic == "SAME_UPPER" else more)
            after.append(more if window.automatic == "SAME_UPPER" else less)
        return before[0], before[1], after[0], after[1]


class LargestOf(nn.Module):
    """A maximum pool."""

    def __init__(self, window: Window, *, ceil: bool) -> None:
        super().__init__()
        self.window, self.ceil = window, ceil

    def forward(self, images: Tensor) -> Tensor:
        """The largest value below each place of the window; padding counts as the least."""
        window = self.window
        images, padding = window.padded(images, value=-torch.inf)
        return functional.max_pool2d(
            images, window.kernel, window.stride, padding, window.dilation, ceil_mode=self.ceil
        )


class MeanOf(nn.Module):
    """An average pool."""

    def __init__(self, window: Window, *, ceil: bool, counts_padding: bool) -> None:
        super().__init__()
        self.window, self.ceil, self.counts_padding = window, ceil, counts_padding

    def forward(self, images: Tensor) -> Tensor:
        """The mean below each place of the window, of the image alone or of its padding, too."""
        padded, padding = self.window.padded(images)
        means = self._pooled(padded, padding)
        if self.counts_padding or padded is images:
            return means
        there, _ = self.window.padded(torch.ones_like(images[:1, :1]))
        return means / self._pooled(there, padding)

    def _pooled(self, images: Tensor, padding: tuple[int, int]) -> Tensor:
        window = self.window
        return functional.avg_pool2d(
            images, window.kernel, window.stride, padding, ceil_mode=self.ceil,
            count_include_pad=self.counts_padding,
        )  # fmt: skip


def build_pool(node: Node) -> nn.Module:
    """The pool of a node."""
    window = window_of(node, node.attributes.get("kernel_shape", ()))
    ceil = bool(node.attributes.get("ceil_mode", 0))
    if node.operator == "MaxPool":
        return LargestOf(window, ceil=ceil)
    if window.dilation != (1, 1):
        raise CaseError("unsupported", "has an average pool with dilations; export it without")
    return MeanOf(window, ceil=ceil, counts_padding=bool(node.attributes.get("count_include_pad", 0)))


def build_convolution(node: Node, weight: Tensor, bias: Tensor | None) -> nn.Module:
    """The convolution of a node with its weights."""
    groups: Any = node.attributes.get("group", 1)
    kernel, is_transposed = tuple(weight.shape[2:]), node.operator == "ConvTranspose"
    stated = tuple(node.attributes.get("kernel_shape") or kernel)
    fits = weight.dim() == AXES + 2 and stated == kernel and weight.numel() > 0
    if not fits or not 0 < groups <= len(weight) or len(weight) % groups:
        raise CaseError(
            "damaged", f"has a convolution whose weights {tuple(weight.shape)} do not fit it; export it again"
        )
    filters = weight.shape[1] * groups if is_transposed else len(weight)
    if bias is not None and tuple(bias.shape) != (filters,):
        raise CaseError(
            "damaged", f"has a convolution whose bias {tuple(bias.shape)} does not fit it; export it again"
        )
    window = window_of(node, kernel)
    if is_transposed:
        return TransposedConvolution(weight, bias, window, groups, node)
    return Convolution(weight, bias, window, groups)
