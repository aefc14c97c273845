"""Registry: a name in a config → an implementation, loaded when it is first asked for.

Names are known without importing what they stand for, so that a config is checked without loading torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import TypeVar

from pipeline.errors import ConfigError

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """Name → plug-in, from a table of name → "module:attribute". To add one: its file and its line there."""

    def __init__(self, kind: str, places: Mapping[str, str]) -> None:
        self.kind = kind
        self._places = dict(places)
        self._loaded: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        """The plug-in of that name; an unknown one is a `ConfigError` that lists what there is."""
        if name not in self._loaded:
            self.check(name)
            module, _, attribute = self._places[name].partition(":")
            self._loaded[name] = getattr(import_module(module), attribute)
        return self._loaded[name]

    def check(self, name: str) -> None:
        """Refuse an unknown name, without loading what a known one stands for."""
        if name not in self._places:
            raise ConfigError(f"unknown {self.kind} '{name}'{did_you_mean(name, self._places)}")

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def did_you_mean(name: str, known: Mapping[str, object] | list[str]) -> str:
    """The end of a complaint about a name: the nearest known one, or all of them."""
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; there are: {', '.join(sorted(known)) or 'none'}"
