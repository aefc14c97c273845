"""Command line: the words of a command, in which what may name somebody becomes a pseudonym."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:  # loads the libraries of images
    from pipeline.cohort.index import Pseudonym

OF_INPUTS = frozenset(
    {
        "studies", "annotations", "heatmaps", "splits", "tuning", "tuned", "select", "model", "weights",
        "baselines", "readers", "subgroups", "out",
    }
)  # fmt: skip
"""Sections of a config in which texts are names of files, folders, columns or people."""
PLAIN = re.compile(r"[\w@.,:+-]{1,60}")
"""A text that is neither a path nor a sentence."""


class Word(NamedTuple):
    """A word of a command."""

    text: str
    kind: str = ""
    """Kind of the pseudonym that replaces the text; empty: the text is shown as it is."""


def words_of_setting(key: str, value: Any, text: str) -> Iterator[Word]:
    """The words of `--set key=value`; `text` is the value as it was typed.

    Numbers and switches are shown. Texts are shown where no config takes a path or a name.
    """
    shown = _is_plain(value, with_texts=key.partition(".")[0] not in OF_INPUTS)
    yield Word("--set")
    yield Word(f"{key}={text}") if shown else Word(f"{key}={text}", "value")


def shown_words(words: Sequence[Word], pseudonym: Pseudonym) -> list[str]:
    """The words with pseudonyms: "--studies folder" → "--studies path-3f0c9a1b2c3d"."""
    return [_shown(word, pseudonym) for word in words]


def _shown(word: Word, pseudonym: Pseudonym) -> str:
    if not word.kind:
        return word.text
    if word.kind != "value":
        return pseudonym(word.kind, word.text)
    key, _, text = word.text.partition("=")
    return f"{key}={pseudonym(word.kind, text)}"


def _is_plain(value: Any, *, with_texts: bool) -> bool:
    if isinstance(value, Mapping):
        return all(_is_plain(part, with_texts=with_texts) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return all(_is_plain(part, with_texts=with_texts) for part in value)
    if isinstance(value, str):
        return with_texts and PLAIN.fullmatch(value) is not None
    return value is None or isinstance(value, bool | int | float)
