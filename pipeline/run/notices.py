"""Notices of a run: what was guessed or is suspicious, for terminal, manifest and crosswalk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pipeline.cohort.index import Pseudonym
from pipeline.records import Notice, NoticeKind

ShowNotices = Callable[[Sequence[Notice]], None]
"""A callback that shows notices, each once, and those of a run before its first image."""
ORDER: Mapping[NoticeKind, int] = {"error": 0, "warning": 1, "guess": 2}


def collected(*parts: Iterable[Notice]) -> tuple[Notice, ...]:
    """The distinct notices of all parts: errors first, then warnings, then guesses, else in their order."""
    distinct: list[Notice] = []
    for part in parts:
        distinct += [notice for notice in part if notice not in distinct]
    return tuple(sorted(distinct, key=lambda notice: ORDER[notice.kind]))


def counted(notices: Iterable[Notice], of: int) -> Iterator[Notice]:
    """One of all equal notices, with the number of annotations, of `of`, that gave it."""
    counts: Counter[str] = Counter()
    first: dict[str, Notice] = {}
    for notice in notices:
        key = repr((notice.kind, notice.about, notice.message, notice.pin))
        counts[key] += 1
        first.setdefault(key, notice)
    for key, notice in first.items():
        share = f"(in {counts[key]:,} of {of:,} annotation{'s'[: of > 1]})"
        yield replace(notice, message=f"{notice.message.rstrip('.')} {share}.")


def stated(notices: Iterable[Notice]) -> dict[str, Any]:
    """The part of a config that states all guesses."""
    config: dict[str, Any] = {}
    for notice in notices:
        if notice.kind == "guess":
            _merge(notice.pin, config)
    return config


def _merge(pin: Mapping[str, Any], into: dict[str, Any]) -> None:
    for key, value in pin.items():
        if isinstance(value, Mapping):
            _merge(value, into.setdefault(key, {}))
        else:
            into[key] = value


def entries(notices: Iterable[Notice], pseudonym: Pseudonym) -> list[dict[str, str]]:
    """The notices for the manifest: kind, about, message and pin, with pseudonyms for names of the input."""

    def shown(name: str) -> str:
        return pseudonym("name", name)

    return [
        {
            "kind": notice.kind,
            "about": notice.about,
            "message": notice.text(shown),
            "pin": notice.line(shown),
        }
        for notice in notices
    ]


def names_of(notices: Iterable[Notice], pseudonym: Pseudonym) -> dict[str, str]:
    """Pseudonym → name, for the crosswalk."""
    return {pseudonym("name", name): name for notice in notices for name in notice.names}
