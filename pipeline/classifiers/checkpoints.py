"""Checkpoints: a file's content → the tensors of one network under its names, and what was left off."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from pipeline.classifiers.foreign_ends import (
    End,
    find_layers,
    find_linear,
    find_power,
    find_rows,
    only_layer,
    without_unused,
)
from pipeline.classifiers.pickled import Content, printable
from pipeline.classifiers.state_dicts import HEAD, WRAPPERS, find_network, listed, notices_of
from pipeline.classifiers.weight_formats import OTHER_FRAMEWORK
from pipeline.errors import ConfigError
from pipeline.records import Notice
from pipeline.registry import did_you_mean

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
MOST_FINDINGS: Final = 1000


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
    content: Content,
    path: Path,
    *,
    wanted: Collection[str] = OF_DENSENETS,
    chosen: str | None = None,
    unused: Collection[str] = (),
) -> Checkpoint:
    """The one network in the content of a weights file; `wanted` are its tensors, or their names, in order.

    Wrapping keys ("state_dict", "model") and prefixes ("module.", "model._orig_mod.") are left off where only
    one reading is possible, with a notice; so are names of its end. `chosen` names one of several networks,
    and `unused` are beginnings of names of what takes no part in it. Raises ConfigError.
    """
    own_head = {name for name in wanted if name.startswith(HEAD_START)}
    is_densenet = {*HEAD} == own_head
    name_of = _monai_name if is_densenet else _name_before_layers if own_head else str
    found = find_network(content, path, wanted, chosen=chosen)
    every = _keyed(found.state.tensors, lambda key: WRAPPERS.sub("", key), path)
    tensors, unknown = without_unused(every, unused, found.prefix)
    _refuse_unknown(unknown, every, path)
    inside = {key.removeprefix(found.prefix): value for key, value in tensors.items() if found.holds(key)}
    outside = {
        k: v for k, v in tensors.items() if not k.startswith(found.prefix) and not found.is_of_another(k)
    }
    head = next((printable(key.removesuffix(".weight")) for key in inside if name_of(key) == HEAD[0]), "")
    end = End(wanted, inside, outside)
    find_power(end)
    own = HEAD[0].removesuffix(".weight") if is_densenet else only_layer(end)
    find_rows(end, own)
    named = end.named = _keyed(end.named, name_of, path)
    find_linear(end, own)
    find_layers(end)
    unread = [key for key in outside if METRICS.search(key) and not TRAINING.search(key)]
    unread += [key for key in (*outside, *named) if TRAINING.search(key) or key == AVERAGED]
    _refuse_strangers([key for key in outside if key not in unread], found.prefix, path)
    without = {*unread, OPERATING_POINTS}
    return Checkpoint(
        {name: value for name, value in named.items() if name not in without},
        (
            *notices_of(found, content),
            *end.notices,
            *_notices(unread, [k for k in every if k not in tensors]),
        ),
        end.head or head,
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


def _refuse_strangers(strangers: Sequence[str], prefix: str, path: Path) -> None:
    """Raise ConfigError for tensors outside the network that may take part in its output."""
    if strangers:
        raise ConfigError(
            f"{path}: {len(strangers)} tensors are outside '{printable(prefix)}', the network's prefix: "
            f"{listed(strangers)}; if they take no part in the logits, name them in the model card "
            f"(unused: [{listed(strangers[:1])}]), or remove them from the file"
        )


def _refuse_unknown(unused: Sequence[str], tensors: Mapping[str, Tensor], path: Path) -> None:
    """Raise ConfigError for entries of the card's `unused` that name no tensor."""
    if unused:
        layers = dict.fromkeys(key.rpartition(".")[0] for key in tensors)
        raise ConfigError(
            f"{path}: unused: no tensor's name is or begins with '{printable(unused[0])}', as the model card "
            f"states{did_you_mean(unused[0], [printable(layer) for layer in layers])}"
        )


def _notices(unread: Sequence[str], unused: Sequence[str]) -> Iterator[Notice]:
    """What only training needs, and what the card calls unused."""
    if unused:
        message = (
            f"What the model card calls unused was not read from the weights file ({len(unused)}): {{0}}."
        )
        yield Notice("guess", "weights", message, (listed(unused),))
    if unread:
        message = (
            f"Tensors that only training needs were not read from the weights file ({len(unread)}): {{0}}."
        )
        yield Notice("guess", "weights", message, (listed(unread),))
