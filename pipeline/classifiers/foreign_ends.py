"""Foreign ends: the end of a network whose tensors a weights file names, or divides, in another way.

Only what can be read in one way is taken, and each reading is a notice. What is left over is refused later.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final

import torch
from torch import Tensor

from pipeline.classifiers.pickled import printable
from pipeline.classifiers.state_dicts import is_dense_real, listed
from pipeline.records import Notice

COUNTER: Final = "num_batches_tracked"
"""Batch norm's count of training steps, unused in evaluation mode and missing from older files."""
POWER: Final = re.compile(r"(^|\.)p$")
"""Names of the trained power of a generalised mean."""
NUMBERED: Final = re.compile(r"(?P<start>.*?)(?P<number>\d+)(?P<rest>(\.\d+)?)\.(?P<part>weight|bias)")
"""Names of the tensors of one layer per finding, such as fc_3.weight or heads.3.1.bias."""
PARTS: Final = ("weight", "bias")
MATRIX: Final = 2
"""Dimensions of a linear layer's weight."""
MOST_BEGINNINGS: Final = 100
"""Names in a file that are compared with the head's."""
Tensors = dict[str, Tensor]


@dataclass(slots=True)
class End:
    """The tensors of a file while its end is brought to the network's names."""

    wanted: Collection[str]
    """Names of the network's tensors, in order; a mapping to the tensors where these are known."""
    named: Tensors
    """Tensors at the network's prefix, under its names."""
    outside: Tensors
    """Tensors outside the prefix that are of no other network."""
    notices: list[Notice] = field(default_factory=list)
    head: str = ""
    """Name of the head in the file, if it is another than the network's."""

    def missing(self) -> list[str]:
        """The network's tensors that the file does not have under their names."""
        return [name for name in self.wanted if name not in self.named and not name.endswith(COUNTER)]

    def strangers(self) -> Tensors:
        """Tensors of the file that the network does not have."""
        own = {key: value for key, value in self.named.items() if key not in self.wanted}
        return {**own, **self.outside}

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor of the network; empty if it is not known."""
        return tuple(self.wanted[name].shape) if isinstance(self.wanted, Mapping) else ()

    def take(self, key: str) -> Tensor:
        """Remove a tensor from the file's."""
        return self.outside.pop(key) if key in self.outside else self.named.pop(key)

    def say(self, message: str, name: str) -> None:
        """Add a notice about what was taken for something."""
        self.notices.append(Notice("guess", "weights", message, (name,)))


def find_power(end: End) -> None:
    """The trained power of the pooling, if the file has one number p under another name."""
    wanted = [name for name in end.missing() if POWER.search(name)]
    found = [key for key, value in end.strangers().items() if POWER.search(key) and _is_number(value)]
    if len(wanted) == len(found) == 1:
        end.named[wanted[0]] = end.take(found[0]).reshape(end.shape(wanted[0]) or (1,))
        end.say("The number {0} of the weights file was taken for the pooling's power.", printable(found[0]))


def _is_number(value: Tensor) -> bool:
    return is_dense_real(value) and value.numel() == 1 and value.is_floating_point()


def find_rows(end: End, own: str) -> None:
    """The head, named `own`, if the file has one layer per finding, such as fc_0 to fc_4.

    Each has one output, and may be a convolution of 1 x 1, which is the same at a single cell.
    """
    wanted = {part: end.shape(f"{own}.{part}") for part in PARTS if f"{own}.{part}" in end.wanted}
    if not own or not all(wanted.values()) or len(wanted) < len(PARTS):
        return
    if any(f"{own}.{part}" in end.named for part in PARTS):
        return
    count, channels = wanted["weight"]
    groups: dict[tuple[str, str], dict[tuple[int, str], str]] = {}
    for key, value in end.strangers().items():
        match = NUMBERED.fullmatch(key)
        if match and tuple(value.shape) in _of_row(match["part"], channels) and is_dense_real(value):
            group = groups.setdefault((match["start"], match["rest"]), {})
            group[int(match["number"]), match["part"]] = key
    complete = {(number, part) for number in range(count) for part in PARTS}
    fitting = [group for group in groups.values() if group.keys() == complete]
    if len(fitting) != 1 or (count == 1 and end.strangers()[fitting[0][0, "weight"]].dim() == MATRIX):
        return
    (found,) = fitting
    for part, shape in wanted.items():
        rows = [end.take(found[number, part]) for number in range(count)]
        end.named[f"{own}.{part}"] = torch.stack([row.flatten() for row in rows]).reshape(shape)
    names = [found[number, "weight"].removesuffix(".weight") for number in range(count)]
    end.head = names[0]
    end.say(
        f"The {count} layers {{0}} of the weights file, one per output, were taken for the network's head, "
        "in the order of their numbers.",
        listed(names),
    )


def _of_row(part: str, channels: int) -> tuple[tuple[int, ...], ...]:
    """The shapes that a layer with one output may have."""
    return ((1,),) if part == "bias" else ((1, channels), (1, channels, 1, 1))


def find_linear(end: End, own: str) -> None:
    """The linear head, named `own`, if it is the only linear layer that the network does not have."""
    own = own or only_layer(end)
    first = next(iter(end.wanted))
    if not own or first not in end.named or any(f"{own}.{part}" in end.named for part in PARTS):
        return
    body = first.partition(".")[0] + "."
    others = {key: value for key, value in end.strangers().items() if not key.startswith(body)}
    linear = [
        key.removesuffix(".weight")
        for key, value in others.items()
        if key.endswith(".weight")
        and value.dim() == MATRIX
        and f"{key.removesuffix('.weight')}.bias" in others
    ]
    if len(linear) == 1:
        (end.head,) = linear
        end.named |= {f"{own}.{part}": end.take(f"{end.head}.{part}") for part in PARTS}
        end.say("The linear layer {0} of the weights file was taken for the network's head.", end.head)


def only_layer(end: End) -> str:
    """The only layer of the network whose tensors, weight and bias, are not in the file; else ""."""
    missing = set(end.missing())
    layer = next(iter(missing), "").rpartition(".")[0]
    return layer if missing == {f"{layer}.{part}" for part in PARTS} else ""


def find_layers(end: End) -> None:
    """The layers of a head that the card states, if the file has them under another name.

    Either all names are the same after another beginning, or each layer is the only one of its shapes.
    """
    missing = end.missing()
    layers = _layers(missing)
    if len(layers) < 2 or not isinstance(end.wanted, Mapping):  # noqa: PLR2004  # one layer is no sequence
        return
    strangers = end.strangers()
    found = _by_beginning(end, missing, strangers) or _by_shapes(end, layers, strangers)
    if not found:
        return
    for own, theirs in found.items():
        for key in [key for key in strangers if key.rpartition(".")[0] == theirs]:
            end.named[f"{own}.{key.rpartition('.')[2]}"] = end.take(key)
    end.head = next(iter(found.values()))
    end.say(
        "The layers {0} of the weights file were taken for the network's head.", listed([*found.values()])
    )


def _layers(names: Collection[str]) -> dict[str, list[str]]:
    """Layer → names of its tensors."""
    found: dict[str, list[str]] = {}
    for name in names:
        if not name.endswith(COUNTER):
            found.setdefault(name.rpartition(".")[0], []).append(name)
    return found


def _by_beginning(end: End, missing: list[str], strangers: Tensors) -> dict[str, str]:
    """The network's layer → the file's, where all differ in the same beginning; else nothing."""
    parent = _parent(missing)
    ends = [name.removeprefix(parent) for name in missing]
    starts = [key.removesuffix(ends[0]) for key in strangers if key.endswith(ends[0])][:MOST_BEGINNINGS]
    fitting = [
        start
        for start in starts
        if {start + last for last in ends}
        == {key for key in strangers if key.startswith(f"{start}.") and not key.endswith(COUNTER)}
        and all(tuple(strangers[start + last].shape) == end.shape(parent + last) for last in ends)
    ]
    if not parent or len(fitting) != 1:
        return {}
    return {layer: fitting[0] + layer.removeprefix(parent) for layer in _layers(missing)}


def _parent(names: list[str]) -> str:
    """The module in which all tensors are."""
    levels = zip(*(name.split(".")[:-1] for name in names), strict=False)
    return ".".join(level[0] for level in takewhile(lambda level: len(set(level)) == 1, levels))


def _by_shapes(end: End, layers: dict[str, list[str]], strangers: Tensors) -> dict[str, str]:
    """The network's layer → the file's, where each has one of the same shapes; else nothing."""
    wanted = {layer: _signature({n: end.shape(n) for n in names}) for layer, names in layers.items()}
    theirs = {
        layer: _signature({name: tuple(strangers[name].shape) for name in names})
        for layer, names in _layers(strangers).items()
    }
    found = {own: [layer for layer, shapes in theirs.items() if shapes == wanted[own]] for own in wanted}
    taken = [layer for fitting in found.values() for layer in fitting]
    if any(len(fitting) != 1 for fitting in found.values()) or len(set(taken)) != len(taken):
        return {}
    return {own: fitting[0] for own, fitting in found.items()}


def _signature(shapes: Mapping[str, tuple[int, ...]]) -> frozenset[tuple[str, tuple[int, ...]]]:
    return frozenset((name.rpartition(".")[2], shape) for name, shape in shapes.items())


def without_unused(tensors: Tensors, unused: Collection[str], prefix: str) -> tuple[Tensors, list[str]]:
    """The tensors without those that the card calls unused, and the entries that begin no name."""

    def names(key: str) -> Iterator[str]:
        yield from (key, key.removeprefix(prefix))

    def is_of(key: str, entry: str) -> bool:
        return any(name == entry or name.startswith(f"{entry.rstrip('.')}.") for name in names(key))

    kept = {key: value for key, value in tensors.items() if not any(is_of(key, entry) for entry in unused)}
    return kept, [entry for entry in unused if not any(is_of(key, entry) for key in tensors)]
