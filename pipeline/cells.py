"""Cells: text in a CSV that no spreadsheet takes for a formula (OWASP, CSV injection)."""

from __future__ import annotations

import re
from functools import lru_cache

FORMULA = r"""[ "']*[=+\-@＝＋－＠]"""
"""How a formula begins; some spreadsheets read wide signs, too."""
STARTS = re.compile(rf"^(?={FORMULA}|'*[\t\r])|(?<=[;\t\r\n])(?={FORMULA})")
"""Where a spreadsheet may see the start of a formula: also behind what others split cells at, for which the
quotes of a CSV count only where a cell begins with them."""
GUARDS = re.compile(rf"^'(?={FORMULA}|'*[\t\r])|(?<=[;\t\r\n])'(?={FORMULA})")
"""The apostrophes that `defused` put there."""
REMEMBERED = 1024
"""Texts: tables of scores say the same few millions of times."""


@lru_cache(REMEMBERED)
def defused(text: str) -> str:
    """The text with an apostrophe before whatever begins like a formula."""
    return STARTS.sub("'", text)


@lru_cache(REMEMBERED)
def as_meant(cell: str) -> str:
    """`defused` undone."""
    return GUARDS.sub("", cell)
