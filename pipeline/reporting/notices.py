"""Notices: warnings and guesses of a manifest, as the overview and the validation page show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def warnings(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The errors and warnings: a sentence, and the line of the config that answers it, empty without one."""
    return [
        (_sentence(entry["message"]), entry["pin"])
        for entry in _notices(manifest)
        if entry["kind"] != "guess"
    ]


def guesses(manifest: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Config key, sentence, and the line of the config that states the guess."""
    return [
        (entry["about"], _sentence(entry["message"]), entry["pin"])
        for entry in _notices(manifest)
        if entry["kind"] == "guess"
    ]


def _notices(manifest: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    """The notices; none for runs of older versions."""
    found: Sequence[Mapping[str, str]] = manifest.get("notices", [])
    return found


def _sentence(text: str) -> str:
    """A message with a capital letter, unless it starts with a pseudonym, and a full stop."""
    start = text[:1] if text.startswith("name-") else text[:1].upper()
    return start + text[1:].rstrip(".") + "."
