"""State dicts: find the network's tensors in a weights file, and say what lies beside them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from pipeline.classifiers.pickled import Content, printable
from pipeline.errors import ConfigError
from pipeline.records import Notice

WRAPPERS: Final = re.compile(r"(_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|_forward_module)\.")
"""What torch.compile, FSDP and DeepSpeed write before, or between, the names of a module."""
HEAD: Final = ("class_layers.out.weight", "class_layers.out.bias")
"""The head of MONAI's DenseNets, which other layouts name otherwise."""
DEEPEST: Final = 3
"""Levels of mappings that are searched for tensors."""
LARGEST_COMPARED: Final = 2**28
"""Elements of tensors that are compared."""
MOST_NETWORKS: Final = 100
"""Networks of one state dict that are compared."""
MOST_NAMED: Final = 3
"""Number of names that a message lists; the others are only counted."""
TOP: Final = "."
"""Name of the tensors at the top level of a file, without a prefix."""


@dataclass(frozen=True, slots=True)
class StateDict:
    """A mapping in a file that holds tensors."""

    keys: tuple[str, ...]
    """The keys that lead to it."""
    tensors: Mapping[str, Tensor]
    network: str = ""
    """Class of the whole pickled network whose tensors these are."""


@dataclass(frozen=True, slots=True)
class FoundNetwork:
    """The tensors of one network in a state dict: those whose names begin with the prefix."""

    state: StateDict
    prefix: str = ""
    others: tuple[str, ...] = ()
    """Prefixes of other networks in the state dict."""

    @property
    def name(self) -> str:
        """The keys and the prefix, as `state_dict` of a model card names them."""
        return printable("/".join((*self.state.keys, *filter(None, (self.prefix.rstrip("."),))))) or TOP

    def holds(self, key: str) -> bool:
        """Whether a tensor of the state dict belongs to this network."""
        return key.startswith(self.prefix) and not self.is_of_another(key)

    def is_of_another(self, key: str) -> bool:
        """Whether a tensor of the state dict belongs to another network beside or within this one."""
        is_inside = key.startswith(self.prefix)
        return any(
            key.startswith(other) and not (is_inside and self.prefix.startswith(other))
            for other in self.others
        )


def find_network(
    content: Content, path: Path, wanted: Collection[str], *, chosen: str | None = None
) -> FoundNetwork:
    """The one network in a file; `wanted` are the names of its tensors, in order.

    If there are several that differ, `chosen` names one. Without any, what looks most like a state dict.
    Raises ConfigError.
    """
    states = state_dicts(content, path)
    found = [
        FoundNetwork(state, prefix, tuple(other for other in prefixes if other != prefix))
        for state in states
        for prefixes in (sorted(prefixes_in(state.tensors, wanted)),)
        for prefix in prefixes
    ] or [FoundNetwork(max(states, key=lambda state: len(state.tensors)))]
    return one_of(found, path, chosen=chosen)


def one_of(found: Sequence[FoundNetwork], path: Path, *, chosen: str | None = None) -> FoundNetwork:
    """The network that is chosen, or the first if all are equal. Raises ConfigError."""
    named = [network for network in found if chosen in {None, network.name}]
    places = list(dict.fromkeys(network.name for network in found))
    shown = " and ".join(f"'{place}'" for place in places[:MOST_NAMED])
    more = f" and {len(places) - MOST_NAMED} more" if len(places) > MOST_NAMED else ""
    if not named:
        raise ConfigError(
            f"{path}: holds no network under '{printable(str(chosen))}', as state_dict states, but under "
            f"{shown}{more}; name one of these, or leave state_dict out of the model card"
        )
    first = _tensors(named[0])
    if any(_differ(first, _tensors(other)) for other in named[1:]):
        raise ConfigError(
            f"{path}: holds {len(named)} different networks, under {shown}{more}; state the one that was "
            f"evaluated in the model card, as state_dict: '{places[-1]}', or write it alone: "
            f"heatproof convert {printable(path.name)} weights.safetensors --state-dict {places[-1]}"
        )
    return named[0]


def state_dicts(content: Content, path: Path) -> list[StateDict]:
    """All mappings of the file that hold tensors, outer ones first. Raises ConfigError if there are none."""
    found = list(_state_dicts(content, content.value, (), set()))
    if content.calls:
        raise ConfigError(
            f"{path}: contains more than tensors ({listed(content.calls)}), which can run code when it is "
            "read, and is not loaded; if you trust its origin, save its tensors alone, as a state_dict"
            f"{_in_one_line(found, content)}"
        )
    if not found and content.has_arrays:
        raise ConfigError(
            f"{path}: holds arrays of NumPy, wanted tensors by name; save them as tensors: torch.save("
            f"{{name: torch.as_tensor(array) for name, array in {content.in_python}.items()}}, "
            "'state_dict.pth')"
        )
    if not found:
        raise ConfigError(
            f"{path}: is not a state dict, wanted tensors by name (or under 'state_dict'); "
            "save model.state_dict()"
        )
    return found


def _in_one_line(found: Sequence[StateDict], content: Content) -> str:
    """A line of Python that saves the tensors alone; empty if there are none."""
    if not found:
        return ""
    largest = max(found, key=lambda state: len(state.tensors))
    place = "".join(f"[{printable(key)!r}]" for key in largest.keys)
    call = ".state_dict()" if largest.network else ""
    return f": torch.save({content.in_python}{place}{call}, 'state_dict.pth')"


def _state_dicts(
    content: Content, value: object, keys: tuple[str, ...], seen: set[int]
) -> Iterator[StateDict]:
    """Mappings that hold tensors; each once, for a pickle may repeat one."""
    if not isinstance(value, Mapping) or id(value) in seen:
        return
    seen.add(id(value))
    tensors = {str(key): entry for key, entry in value.items() if isinstance(entry, Tensor)}
    if tensors:
        yield StateDict(keys, tensors, content.networks.get(id(value), ""))
    if len(keys) < DEEPEST:
        for key, entry in value.items():
            yield from _state_dicts(content, entry, (*keys, str(key)), seen)


def _beside(state: StateDict, content: Content) -> list[str]:
    """Names of what lies beside a state dict in the file, or beside the tensors in it."""
    value, names = content.value, list[str]()
    for key in state.keys:
        if isinstance(value, Mapping):
            names += [str(other) for other in value if other != key]
            value = value[key]
    own = value.items() if isinstance(value, Mapping) else ()
    return [*names, *(str(key) for key, entry in own if not isinstance(entry, Tensor))]


def _tensors(network: FoundNetwork) -> dict[str, Tensor]:
    """The network's tensors without its prefix."""
    tensors = {WRAPPERS.sub("", key): tensor for key, tensor in network.state.tensors.items()}
    return {k.removeprefix(network.prefix): value for k, value in tensors.items() if network.holds(k)}


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


def prefixes_in(tensors: Mapping[str, Tensor], wanted: Collection[str]) -> list[str]:
    """What precedes the names of the network's tensors, for each network.

    The name of its first tensor may also end the names of others, as conv1.weight does in a ResNet.
    """
    first = next(iter(wanted))
    keys = dict.fromkeys(WRAPPERS.sub("", key) for key in tensors)
    found = [key.removesuffix(first) for key in keys if key == first or key.endswith(f".{first}")]
    found = found[:MOST_NETWORKS]
    fitting = [sum(prefix + name in keys for name in wanted if name not in HEAD) for prefix in found]
    return [prefix for prefix, fits in zip(found, fitting, strict=True) if fits > max(fitting) / 2]


def notices_of(network: FoundNetwork, content: Content) -> Iterator[Notice]:
    """What was left off the names of a network's tensors, and what lies beside them and was not read."""
    state = network.state
    if state.keys:
        yield _guess("The weights are the tensors under {0} in the file.", printable("/".join(state.keys)))
    if state.network:
        yield _guess(
            "The weights are those of a whole pickled network, {0}, of which no code was run.", state.network
        )
    if network.prefix:
        yield _guess("The prefix {0} was left off the names of the weights.", printable(network.prefix))
    if wrapper := next((match[0] for key in state.tensors if (match := WRAPPERS.search(key))), ""):
        yield _guess("{0} was left off the names of the weights.", wrapper)
    if network.others:
        others = [other.rstrip(".") or TOP for other in network.others]
        yield _guess("Other networks in the weights file were not read: {0}.", listed(others))
    if beside := _beside(state, content):
        yield _guess("Beside the weights, the file holds what was not read: {0}.", listed(beside))
    if content.objects and not state.network:
        message = "Objects in the weights file were not loaded, and no code of theirs was run: {0}."
        yield _guess(message, listed(content.objects))


def _guess(message: str, name: str) -> Notice:
    return Notice("guess", "weights", message, (name,))


def is_dense_real(tensor: Tensor) -> bool:
    """Whether it is a dense tensor of real numbers in CPU memory."""
    return (
        type(tensor) in {Tensor, nn.Parameter}
        and tensor.layout == torch.strided
        and tensor.device.type == "cpu"
        and not (tensor.is_quantized or tensor.is_nested or tensor.is_complex())
        and tensor.dtype != torch.bool
    )


def listed(names: Sequence[str]) -> str:
    """The first names and the number of the others, without control characters."""
    more = len(names) - MOST_NAMED
    return printable(", ".join(names[:MOST_NAMED])) + (f" and {more} more" if more > 0 else "")
