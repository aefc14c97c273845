"""Checkpoints: a file's content → the tensors of one network under its names, and what was left off."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from pipeline.classifiers.pickled import Content, printable
from pipeline.classifiers.state_dicts import HEAD, WRAPPERS, find_network, listed, notices_of
from pipeline.classifiers.weight_formats import OTHER_FRAMEWORK
from pipeline.errors import ConfigError
from pipeline.records import Notice

KEY_LAYOUTS: Final = (
    # torchvision and torchxrayvision: denselayer1.norm1; old torchvision, so CheXNet: denselayer1.norm.1
    (re.compile(r"(denselayer\d+)\.(norm|conv)\.?([12])\."), r"\1.layers.\2\3."),
    # torchvision: classifier; a Sequential with Sigmoid or Dropout: classifier.0, classifier.1
    (re.compile(r"^classifier\.(?:\d+\.)?(weight|bias)$"), r"class_layers.out.\1"),
)
"""(pattern, replacement): from other layouts' names of a DenseNet's tensors to MONAI's, in this order."""
FIRST: Final = "features.conv0.weight"
"""The first tensor of a DenseNet, in all layouts; what precedes it in a file is a prefix."""
HEAD_START: Final = "class_layers.out."
OF_DENSENETS: Final = (FIRST, *HEAD)
"""Names by which MONAI's DenseNets are known."""
OPERATING_POINTS: Final = "op_threshs"
"""torchxrayvision's operating points, which are no part of the network."""
TRAINING: Final = re.compile(
    r"(^|[._])(loss\w*|criterion\w*|metrics?|pos_weight|class_weights?)([._]|$)|loss\b"
)
"""Names of tensors that only training needs."""
METRICS: Final = re.compile(r"\.(tp|fp|tn|fn|preds|target|confmat|correct|total)$")
"""Names of what torchmetrics counts."""
AVERAGED: Final = "n_averaged"
"""Counter of torch.optim.swa_utils.AveragedModel."""
COUNTER: Final = "num_batches_tracked"
"""Batch norm's count of training steps, unused in evaluation mode and missing from older files."""
MOST_FINDINGS: Final = 1000
MATRIX: Final = 2
"""Dimensions of a linear layer's weight."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tensors of one network under its own names, those of MONAI for a DenseNet."""

    tensors: Mapping[str, Tensor]
    notices: tuple[Notice, ...] = ()
    head: str = ""
    """The name of the linear head in the file."""
    operating_points: tuple[float, ...] = ()
    """torchxrayvision's operating points, one per output; NaN where an output has none."""


def read_checkpoint(
    content: Content, path: Path, *, wanted: Collection[str] = OF_DENSENETS, chosen: str | None = None
) -> Checkpoint:
    """The one network in the content of a weights file; `wanted` are the names of its tensors, in order.

    Wrapping keys ("state_dict", "model") and prefixes ("module.", "model._orig_mod.") are left off where only
    one reading is possible, with a notice; `chosen` names one of several networks. Raises ConfigError.
    """
    own_head = {name for name in wanted if name.startswith(HEAD_START)}
    is_densenet = {*HEAD} == own_head
    name_of = _monai_name if is_densenet else _name_before_layers if own_head else str
    found = find_network(content, path, wanted, chosen=chosen)
    tensors = _keyed(found.state.tensors, lambda key: WRAPPERS.sub("", key), path)
    inside = {key.removeprefix(found.prefix): value for key, value in tensors.items() if found.holds(key)}
    outside = {
        k: v for k, v in tensors.items() if not k.startswith(found.prefix) and not found.is_of_another(k)
    }
    named = _keyed(inside, name_of, path)
    own = HEAD[0].removesuffix(".weight") if is_densenet else _missing_layer(named, wanted)
    head = _foreign_head(named, outside, own, wanted)
    if head:
        source = outside if f"{head}.weight" in outside else named
        named |= {f"{own}.{part}": source.pop(f"{head}.{part}") for part in ("weight", "bias")}
    unread = [key for key in outside if METRICS.search(key) and not TRAINING.search(key)]
    unread += [key for key in (*outside, *named) if TRAINING.search(key) or key == AVERAGED]
    _refuse_strangers([key for key in outside if key not in unread], found.prefix, path)
    without = {*unread, OPERATING_POINTS}
    return Checkpoint(
        {name: value for name, value in named.items() if name not in without},
        (*notices_of(found, content), *_notices(head, unread)),
        head
        or next((printable(key.removesuffix(".weight")) for key in inside if name_of(key) == HEAD[0]), ""),
        operating_points(named),
    )


def operating_points(tensors: Mapping[str, Tensor]) -> tuple[float, ...]:
    """The operating points of torchxrayvision among the tensors; none if they are not a short vector."""
    tensor = tensors.get(OPERATING_POINTS)
    if (
        tensor is None
        or tensor.is_meta
        or tensor.layout != torch.strided
        or tensor.dim() != 1
        or len(tensor) > MOST_FINDINGS
    ):
        return ()
    return tuple(map(float, tensor.tolist())) if tensor.is_floating_point() else ()


def _monai_name(key: str) -> str:
    for layout, replacement in KEY_LAYOUTS:
        key = layout.sub(replacement, key)
    return key


def _name_before_layers(key: str) -> str:
    """MONAI's name of a DenseNet's tensor if its head is a sequence of layers, whose numbers are kept."""
    key = KEY_LAYOUTS[0][0].sub(KEY_LAYOUTS[0][1], key)
    return re.sub(r"^classifier\.(?=\d+\.)", HEAD_START, key)


def _keyed(tensors: Mapping[str, Tensor], name_of: Callable[[str], str], path: Path) -> dict[str, Tensor]:
    """The tensors under new names. Raises ConfigError if two get the same one."""
    named: dict[str, Tensor] = {}
    for key, tensor in tensors.items():
        name = name_of(key)
        if name in named and name in HEAD:
            raise ConfigError(
                f"{path}: its head has several layers, one of them {printable(key)}, and a card can state "
                f"only one; {OTHER_FRAMEWORK}"
            )
        if name in named:
            raise ConfigError(
                f"{path}: two tensors map to {printable(name)}, one of them is {printable(key)}; remove one"
            )
        named[name] = tensor
    return named


def _missing_layer(named: Mapping[str, Tensor], wanted: Collection[str]) -> str:
    """The only layer of the network whose tensors, weight and bias, are not in the file; else ""."""
    missing = {name for name in wanted if name not in named and not name.endswith(COUNTER)}
    layer = next(iter(missing), "").rpartition(".")[0]
    return layer if missing == {f"{layer}.weight", f"{layer}.bias"} else ""


def _foreign_head(
    named: Mapping[str, Tensor], outside: Mapping[str, Tensor], own: str, wanted: Collection[str]
) -> str:
    """The name in the file of the linear layer that the network calls `own`, if it has another; else "".

    It is the only linear layer of the file that the network does not have.
    """
    first = next(iter(wanted))
    if not own or first not in named or any(f"{own}.{part}" in named for part in ("weight", "bias")):
        return ""
    body = first.partition(".")[0] + "."
    others = {
        key: value
        for key, value in (*named.items(), *outside.items())
        if key not in wanted and not key.startswith(body)
    }
    linear = [
        key.removesuffix(".weight")
        for key, value in others.items()
        if key.endswith(".weight")
        and value.dim() == MATRIX
        and f"{key.removesuffix('.weight')}.bias" in others
    ]
    return linear[0] if len(linear) == 1 else ""


def _refuse_strangers(strangers: Sequence[str], prefix: str, path: Path) -> None:
    """Raise ConfigError for tensors outside the network that may take part in its output."""
    if strangers:
        raise ConfigError(
            f"{path}: {len(strangers)} tensors are outside '{printable(prefix)}', the network's prefix: "
            f"{listed(strangers)}; if they do not take part in the logits, save the others alone: "
            f"torch.save({{k.removeprefix({printable(prefix)!r}): v for k, v in state_dict.items() "
            f"if k.startswith({printable(prefix)!r})}}, 'weights.pth')"
        )


def _notices(head: str, unread: Sequence[str]) -> Iterator[Notice]:
    """What was taken for the head, and what only training needs."""
    if head:
        message = "The linear layer {0} of the weights file was taken for the network's head."
        yield Notice("guess", "weights", message, (head,))
    if unread:
        message = (
            f"Tensors that only training needs were not read from the weights file ({len(unread)}): {{0}}."
        )
        yield Notice("guess", "weights", message, (listed(unread),))
