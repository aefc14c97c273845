"""Operation: one call of an operation of torch, and what a rule makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from torch import Tensor

from pipeline.attribution.receptive_field.layout import Layout, Lost


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of an operation of torch."""

    arguments: Mapping[str, Any]
    """Name in its schema → value."""
    layout_of: Callable[[Tensor], Layout | Lost]
    result: Any

    @property
    def tensors(self) -> list[Tensor]:
        """All tensors among the arguments, also those in lists."""
        return list(_tensors(self.arguments.values()))

    @property
    def known(self) -> Layout | None:
        """The layout of the first tensor; None if its positions are lost."""
        layout = self.layout_of(self.tensors[0])
        return layout if isinstance(layout, tuple) else None

    def layout(self, name: str) -> Layout | Lost:
        """The layout of the tensor argument `name`."""
        return self.layout_of(self.arguments[name])


Rule: TypeAlias = "Callable[[Operation], Layout | list[Layout | None] | None]"
"""The layout of the result; a list of layouts if the result is a list; None: positions are lost."""


def _tensors(values: Any) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)
