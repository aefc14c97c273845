"""CSV injection: escape text so that no spreadsheet evaluates a cell as a formula (OWASP)."""

from __future__ import annotations

import re
from functools import lru_cache

FORMULA = r"""[ "']*[=+\-@＝＋－＠]"""
"""How a formula begins; some spreadsheets also accept full-width signs."""
STARTS = re.compile(rf"^(?={FORMULA}|'*[\t\r])|(?<=[;\t\r\n])(?={FORMULA})")
"""Positions where a spreadsheet may see the start of a formula, also behind other cell separators: quotes do
not protect those, because they count only at the start of a cell."""
GUARDS = re.compile(rf"^'(?={FORMULA}|'*[\t\r])|(?<=[;\t\r\n])'(?={FORMULA})")
"""The apostrophes that `escape_formulas` inserts."""
CACHED_TEXTS = 1024
"""Score tables repeat the same few texts millions of times."""


@lru_cache(CACHED_TEXTS)
def escape_formulas(text: str) -> str:
    """The text with an apostrophe before every possible start of a formula."""
    return STARTS.sub("'", text)


@lru_cache(CACHED_TEXTS)
def unescape_formulas(cell: str) -> str:
    """The original text; the inverse of `escape_formulas`."""
    return GUARDS.sub("", cell)
