"""Pickled networks: the content of a pickle as mappings, those of whole networks as their state dicts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from torch import Tensor

from pipeline.classifiers.pickle_records import Record
from pipeline.classifiers.pickled_tensors import TensorMaker

MOST_LAYERS: Final = 100_000
"""Layers and tensors of one file. A pickled network may hold one layer under any number of names."""
PARAMETERS, BUFFERS, LAYERS = "_parameters", "_buffers", "_modules"
"""Attributes that every layer and network of torch has."""
NOT_SAVED: Final = "_non_persistent_buffers_set"
"""Attribute with the names of buffers that a state dict leaves out."""


@dataclass(slots=True)
class Reading:
    """Turns the values of one pickle into mappings and tensors."""

    maker: TensorMaker
    networks: dict[int, str] = field(default_factory=dict)
    """Identity of a state dict that was collected from a network → class of the network."""
    made: dict[int, Any] = field(default_factory=dict)
    """By the identity of a value of the pickle, which outlives this."""
    count: int = 0

    def read(self, value: Any) -> Any:
        """The value: tensors, numbers, texts and mappings by text are themselves, objects their attributes.

        What lies in lists, and other values, become None.
        """
        if isinstance(value, str | int | float):
            return value
        if id(value) not in self.made:
            self.made[id(value)] = self._tensor(value)
            if self.made[id(value)] is None:
                self._read_mapping(value)
        return self.made[id(value)]

    def _tensor(self, value: Any) -> Tensor | None:
        return self.maker.tensor(value) if isinstance(value, Record) else None

    def _read_mapping(self, value: Any) -> None:
        entries = (value.entries or value.state) if isinstance(value, Record) else value
        if not isinstance(entries, dict):
            return
        named: dict[str, Any] = {}
        self.made[id(value)] = named  # before its entries, which may hold it
        if isinstance(value, Record) and is_network(value):
            self.networks[id(named)] = value.name
            self._add_layer(value.state, "", named)
        else:
            named |= {_text(key): self.read(entry) for key, entry in entries.items()}

    def _add_layer(self, state: dict[Any, Any], prefix: str, named: dict[str, Any]) -> None:
        """Add a layer's tensors under the names of its state_dict(); one inside itself is an error."""
        skipped = _not_saved(state)
        for name, value in (*state[PARAMETERS].items(), *state[BUFFERS].items()):
            tensor = self._tensor(value)
            if tensor is not None and name not in skipped:
                named[f"{prefix}{_text(name)}"] = tensor
        self.count += 1 + len(state[PARAMETERS]) + len(state[BUFFERS])
        if self.count > MOST_LAYERS:
            raise ValueError("more layers than any network has")
        for name, layer in state[LAYERS].items():
            if isinstance(layer, Record) and is_network(layer):
                self._add_layer(layer.state, f"{prefix}{_text(name)}.", named)


def is_network(record: Record) -> bool:
    """Whether the record is of a layer or network of torch."""
    state = record.state
    return isinstance(state, dict) and all(
        isinstance(state.get(name), dict) for name in (PARAMETERS, BUFFERS, LAYERS)
    )


def _not_saved(state: dict[Any, Any]) -> set[str]:
    """Names of a layer's buffers that its state dict leaves out."""
    names = state.get(NOT_SAVED) or []
    if len(names) > len(state[BUFFERS]):
        raise ValueError("more names of buffers than buffers")
    return {name for name in names if isinstance(name, str) and name not in state[PARAMETERS]}


def _text(key: object) -> str:
    return key.name if isinstance(key, Record) else str(key)
