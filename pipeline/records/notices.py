"""Notices: what a run decided without being told, and what it warns of, before its first image."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import yaml

NoticeKind: TypeAlias = Literal["guess", "warning", "error"]
"""guess: the input did not say it. warning: the results may mislead. error: the results would be wrong."""
KEYED_BY_WORDS = frozenset({"findings", "columns"})
"""Keys of the config below which keys, too, may be names of the input; all other keys are never renamed."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the reader of a run's numbers has to know. Without identifiers except in `names`."""

    kind: NoticeKind
    about: str
    """The config key or input that it is about: "annotations.sources"."""
    message: str
    """One sentence or two, in which {0}, {1}, … stand for `names`."""
    names: tuple[str, ...] = ()
    """File names, columns and words of the input. The terminal shows them; run folders hold pseudonyms."""
    pin: Mapping[str, object] = field(default_factory=dict)
    """The part of the config that states a guess, so that it is no longer one; empty if there is none."""

    def text(self, shown: Callable[[str], str] = str) -> str:
        """The message, with `shown(name)` for each name."""
        return self.message.format(*map(shown, self.names))

    def line(self, shown: Callable[[str], str] = str) -> str:
        """The pin as one line of YAML, with `shown(name)` for each name in it; empty without a pin."""
        if not self.pin:
            return ""
        known = {name: shown(name) for name in self.names}
        text = yaml.safe_dump(
            _renamed(self.pin, known), default_flow_style=True, sort_keys=False, width=10**6
        )
        return text.strip().removeprefix("{").removesuffix("}")


def _renamed(value: object, known: Mapping[str, str], *, by_words: bool = False) -> object:
    """The value with other names; `by_words`: its own keys are names, too."""
    if isinstance(value, str):
        return known.get(value, value)
    if isinstance(value, Mapping):
        return {
            known.get(key, key) if by_words else key: _renamed(entry, known, by_words=key in KEYED_BY_WORDS)
            for key, entry in value.items()
        }
    if isinstance(value, list | tuple):
        return [_renamed(entry, known) for entry in value]
    return value
