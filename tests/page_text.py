"""Page text: a page without the links of its terms, so that sentences can be looked for."""

from __future__ import annotations

import re
from pathlib import Path


def page_text(page: Path) -> str:
    """The HTML of a page without the tags of links."""
    return re.sub(r"</?a\b[^>]*>", "", page.read_text(encoding="utf-8"))
