"""Checkpoints: a file's content → the tensors of one network under its names, and what was left off."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from pipeline.classifiers.pickled import printable
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
HEAD: Final = ("class_layers.out.weight", "class_layers.out.bias")
OF_DENSENETS: Final = (FIRST, *HEAD)
"""Names by which MONAI's DenseNets are known."""
COMPILED: Final = "_orig_mod."
"""What torch.compile writes before, or between, the names of a module."""
OPERATING_POINTS: Final = "op_threshs"
"""torchxrayvision's operating points, which are not loaded; the model card states its own thresholds."""
TRAINING: Final = re.compile(
    r"(^|[._])(loss\w*|criterion\w*|metrics?|pos_weight|class_weights?)([._]|$)|loss\b"
)
"""Names of tensors that only training needs."""
AVERAGED: Final = "n_averaged"
"""Counter of torch.optim.swa_utils.AveragedModel."""
DEEPEST: Final = 3
"""Levels of mappings that are searched for tensors."""
COUNTER: Final = "num_batches_tracked"
"""Batch norm's count of training steps, unused in evaluation mode and missing from older files."""
LARGEST_COMPARED: Final = 2**28
"""Elements of tensors that are compared."""
MOST_FINDINGS: Final = 1000
MATRIX: Final = 2
"""Dimensions of a linear layer's weight."""
MOST_NAMED: Final = 3
"""Number of names that a message lists; the others are only counted."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tensors of one network under its own names, those of MONAI for a DenseNet."""

    tensors: Mapping[str, Tensor]
    notices: tuple[Notice, ...] = ()
    head: str = ""
    """The name of the linear head in the file."""
    operating_points: tuple[float, ...] = ()
    """torchxrayvision's operating points, one per output; NaN where an output has none."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A state dict in a checkpoint."""

    keys: tuple[str, ...]
    """The keys that lead to it."""
    tensors: Mapping[str, Tensor]


def read_checkpoint(content: object, path: Path, *, wanted: Collection[str] = OF_DENSENETS) -> Checkpoint:
    """The one network in the content of a weights file; `wanted` are the names of its tensors, in order.

    Wrapping keys ("state_dict", "model") and prefixes ("module.", "model._orig_mod.") are left off where only
    one reading is possible, with a notice. Raises ConfigError where several are.
    """
    is_densenet = {*OF_DENSENETS} <= {*wanted}
    name_of = _monai_name if is_densenet else str
    found = _state_dict(content, path, wanted)
    tensors = _keyed(found.tensors, lambda key: key.replace(COMPILED, ""), path)
    prefix = _prefix(tensors, path, wanted)
    inside = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
    outside = {key: value for key, value in tensors.items() if not key.startswith(prefix)}
    named = _keyed(inside, name_of, path)
    own = HEAD[0].removesuffix(".weight") if is_densenet else _missing_layer(named, wanted)
    head = _foreign_head(named, outside, own, wanted)
    if head:
        source = outside if f"{head}.weight" in outside else named
        named |= {f"{own}.{part}": source.pop(f"{head}.{part}") for part in ("weight", "bias")}
    unread = [key for key in (*outside, *named) if TRAINING.search(key) or key == AVERAGED]
    _refuse_strangers([key for key in outside if key not in unread], prefix, path)
    compiled = any(COMPILED in key for key in found.tensors)
    notices = _notices(found.keys, prefix, compiled=compiled, head=head, unread=unread)
    without = {*unread, OPERATING_POINTS}
    return Checkpoint(
        {name: value for name, value in named.items() if name not in without},
        tuple(notices),
        head
        or next((printable(key.removesuffix(".weight")) for key in inside if name_of(key) == HEAD[0]), ""),
        _numbers(named.get(OPERATING_POINTS)),
    )


def _numbers(tensor: Tensor | None) -> tuple[float, ...]:
    """The numbers of a short vector; none if it is something else."""
    if tensor is None or tensor.layout != torch.strided or tensor.dim() != 1 or len(tensor) > MOST_FINDINGS:
        return ()
    return tuple(map(float, tensor.tolist())) if tensor.is_floating_point() else ()


def _state_dict(content: object, path: Path, wanted: Collection[str]) -> _Found:
    """The state dict in a checkpoint that holds the network, if there is exactly one."""
    found = list(_state_dicts(content, (), set()))
    if not found:
        raise ConfigError(
            f"{path}: is not a state dict, wanted tensors by name (or under 'state_dict'); "
            "save model.state_dict()"
        )
    fitting = [state for state in found if _prefixes(state.tensors, wanted)] or found[:1]
    if any(_differ(fitting[0].tensors, other.tensors) for other in fitting[1:]):
        places = ["".join(f"[{key!r}]" for key in state.keys) or "the top level" for state in fitting]
        raise ConfigError(
            f"{path}: holds {len(fitting)} different state dicts, under {' and '.join(places)}; save the one "
            f"that was evaluated: torch.save(torch.load({printable(path.name)!r}){places[-1]}, 'weights.pth')"
        )
    return fitting[0]


def _state_dicts(content: object, keys: tuple[str, ...], seen: set[int]) -> Iterator[_Found]:
    """All mappings that hold tensors, outer ones first; each once, for a pickle may repeat one."""
    if not isinstance(content, Mapping) or id(content) in seen:
        return
    seen.add(id(content))
    tensors = {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
    if tensors:
        yield _Found(keys, tensors)
    if len(keys) < DEEPEST:
        for key, value in content.items():
            yield from _state_dicts(value, (*keys, printable(str(key))), seen)


def _differ(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Whether two state dicts hold different tensors."""
    return one.keys() != other.keys() or any(
        value.shape != other[key].shape or not _equal(value, other[key]) for key, value in one.items()
    )


def _equal(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors of one shape are equal; False for a view larger than any network."""
    try:
        return one.numel() <= LARGEST_COMPARED and torch.equal(one, other)
    except (NotImplementedError, RuntimeError):  # sparse, quantised or without values
        return False


def _prefixes(tensors: Mapping[str, Tensor], wanted: Collection[str]) -> list[str]:
    """What precedes the names of the network's tensors, for each network.

    The name of its first tensor may also end the names of others, as conv1.weight does in a ResNet.
    """
    first = next(iter(wanted))
    keys = dict.fromkeys(key.replace(COMPILED, "") for key in tensors)
    found = [key.removesuffix(first) for key in keys if key == first or key.endswith(f".{first}")]
    fitting = [sum(prefix + name in keys for name in wanted if name not in HEAD) for prefix in found]
    return [prefix for prefix, fits in zip(found, fitting, strict=True) if fits > max(fitting) / 2]


def _prefix(tensors: Mapping[str, Tensor], path: Path, wanted: Collection[str]) -> str:
    """The prefix of the network's names. Raises ConfigError if the tensors are those of several networks."""
    prefixes = _prefixes(tensors, wanted)
    if len(prefixes) > 1:
        shown = " and ".join(f"'{printable(prefix)}'" for prefix in sorted(prefixes))
        one = printable(max(prefixes))
        raise ConfigError(
            f"{path}: holds {len(prefixes)} networks, whose names begin with {shown}; keep one and strip its "
            f"prefix: torch.save({{k.removeprefix({one!r}): v for k, v in state_dict.items() "
            f"if k.startswith({one!r})}}, 'weights.pth')"
        )
    return prefixes[0] if prefixes else ""


def _monai_name(key: str) -> str:
    for layout, replacement in KEY_LAYOUTS:
        key = layout.sub(replacement, key)
    return key


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


def _notices(
    keys: Sequence[str], prefix: str, *, compiled: bool, head: str, unread: Sequence[str]
) -> Iterator[Notice]:
    """What was left off a checkpoint, or taken for something."""
    if keys:
        yield Notice(
            "guess", "weights", "The weights are the tensors under {0} in the file.", ("/".join(keys),)
        )
    if prefix:
        yield Notice("guess", "weights", "The prefix {0} was left off the names of the weights.", (prefix,))
    if compiled:
        yield Notice("guess", "weights", "{0} was left off the names of the weights.", (COMPILED,))
    if head:
        message = "The linear layer {0} of the weights file was taken for the network's head."
        yield Notice("guess", "weights", message, (head,))
    if unread:
        message = (
            f"Tensors that only training needs were not read from the weights file ({len(unread)}): {{0}}."
        )
        yield Notice("guess", "weights", message, (listed(unread),))


def listed(names: Sequence[str]) -> str:
    """The first names and the number of the others, without control characters."""
    more = len(names) - MOST_NAMED
    return printable(", ".join(names[:MOST_NAMED])) + (f" and {more} more" if more > 0 else "")
