"""Registry: a name in a config → a plug-in, loaded on first use.

Names are known without importing the plug-ins, so a config is checked without loading torch. Plug-ins of
other packages are found through their entry points.
"""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

from pipeline.errors import ConfigError

T = TypeVar("T")


class Registry(Mapping[str, T]):
    """Name → plug-in, from a table of name → "module:attribute" and from the entry points of a group.

    To add a plug-in to Heatproof, write its file and add a line to the table. To add one from your own
    package, declare an entry point in the group, for example `[project.entry-points."heatproof.metrics"]`.
    """

    def __init__(
        self, kind: str, table: Mapping[str, str], *, group: str, wanted: type | None = None
    ) -> None:
        """`kind` names the plug-ins in messages; `wanted` is their required type, None for any type."""
        self.kind = kind
        self.group = group
        self._own = dict(table)
        self._wanted = wanted
        self._loaded: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        """The plug-in of that name. Raises ConfigError if it is unknown or cannot be loaded."""
        if name not in self._loaded:
            self.check(name)
            self._loaded[name] = self._own_plugin(name) if name in self._own else self._foreign(name)
        return self._loaded[name]

    def check(self, name: str) -> None:
        """Raise ConfigError if the name is unknown or provided twice; loads nothing."""
        if name not in self:
            raise ConfigError(f"unknown {self.kind} '{name}'{did_you_mean(name, list(self))}")
        sources = [*(["Heatproof"] if name in self._own else []), *map(_package, self._others.get(name, ()))]
        if len(sources) > 1:
            raise ConfigError(
                f"the {self.kind} '{name}' is provided by {' and by '.join(sources)}; uninstall a package, "
                "or rename its entry point"
            )

    def packages(self, names: Iterable[str]) -> dict[str, str]:
        """Package → version of the named plug-ins that come from other packages."""
        distributions = (self._others[name][0].dist for name in names if name not in self._own)
        return {package.name: package.version for package in distributions if package is not None}

    @property
    def own(self) -> tuple[str, ...]:
        """Names of Heatproof's own plug-ins."""
        return tuple(self._own)

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in self._others

    def __iter__(self) -> Iterator[str]:
        yield from self._own
        yield from (name for name in self._others if name not in self._own)

    def __len__(self) -> int:
        return len({*self._own, *self._others})

    @cached_property
    def _others(self) -> Mapping[str, Sequence[EntryPoint]]:
        """Entry points of other packages by name."""
        found: dict[str, list[EntryPoint]] = {}
        for point in sorted(entry_points(group=self.group), key=lambda point: (point.name, point.value)):
            found.setdefault(point.name, []).append(point)
        return found

    def _own_plugin(self, name: str) -> T:
        module, _, attribute = self._own[name].partition(":")
        plugin: T = getattr(import_module(module), attribute)
        return plugin

    def _foreign(self, name: str) -> T:
        (point,) = self._others[name]
        try:
            plugin: T = point.load()
        except Exception as error:  # a third-party module may raise anything
            raise ConfigError(
                f"the {self.kind} '{name}' from {_package(point)} cannot be loaded "
                f"({type(error).__name__}: {error}); reinstall the package, or uninstall it"
            ) from error
        problem = _problem(plugin, name, self._wanted)
        if problem:
            raise ConfigError(
                f"the {self.kind} '{name}' from {_package(point)} {problem}; "
                "correct the package, or uninstall it"
            )
        return plugin


def did_you_mean(name: str, known: Collection[str]) -> str:
    """The remedy for an unknown name: the nearest known name, else all known names."""
    close = get_close_matches(name, list(known), n=1)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; choose one of: {', '.join(sorted(known))}" if known else "; remove it, there are none"


def _problem(plugin: object, name: str, wanted: type | None) -> str:
    """Why an object cannot be the plug-in of that name; empty if it can."""
    if wanted is not None and not isinstance(plugin, wanted):
        return f"has the type {type(plugin).__name__}, wanted {wanted.__module__}.{wanted.__name__}"
    if not is_dataclass(plugin):
        return ""
    values = {field.name: getattr(plugin, field.name) for field in fields(plugin)}
    if values.get("name", name) != name:
        return f"calls itself '{values['name']}', wanted its entry point's name"
    for field in fields(plugin):
        if isinstance(field.type, str) and field.type.startswith("Literal["):
            choices = literal_eval(field.type.removeprefix("Literal"))
            if values[field.name] not in choices:
                return (
                    f"has {field.name} {values[field.name]!r}, wanted one of {', '.join(map(repr, choices))}"
                )
    return ""


def _package(point: EntryPoint) -> str:
    return f"the package {point.dist.name}" if point.dist is not None else "an installed package"
