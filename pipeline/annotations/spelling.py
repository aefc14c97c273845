"""Spelling: words that differ only in case, spaces and punctuation, and words that are nearly the same."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

QUOTED = re.compile(r"""'([^']*)'|"([^"]*)\"""")
LIST = re.compile(r"""\[\s*(?:'[^']*'|"[^"]*")(?:\s*,\s*(?:'[^']*'|"[^"]*"))*\s*\]""")
"""A list as Python writes it."""
NEARLY = 0.6
"""Least similarity (ratio of difflib) of a word to the one that it may be meant to be."""


def plain(text: str) -> str:
    """The text reduced to lower-case letters and digits."""
    return re.sub(r"[\W_]+", "", text.casefold())


def words_in(cell: str) -> tuple[str, ...]:
    """The words of a cell: those of a list such as ['Mass', "Nodule"], else the cell itself."""
    if not LIST.fullmatch(cell):
        return (cell,)
    return tuple(dict.fromkeys(single or double for single, double in QUOTED.findall(cell)))


def same(word: str, known: Iterable[str]) -> str | None:
    """`word` if it is known, else the only known word that differs just in case, spaces and punctuation."""
    known = tuple(dict.fromkeys(known))
    if word in known:
        return word
    alike = [other for other in known if plain(other) == plain(word) and plain(word)]
    return alike[0] if len(alike) == 1 else None


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like `word`, or that contains it; empty if none is."""
    by_plain = {plain(other): other for other in known}
    close = get_close_matches(plain(word), by_plain, n=1, cutoff=NEARLY)
    parts = {plain(part) for part in re.split(r"[\W_]+", word)} - {""}
    inside = [other for key, other in by_plain.items() if key in parts]
    return inside[0] if inside else by_plain[close[0]] if close else ""
