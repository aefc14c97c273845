"""Markdown: a filled form as text that renders everywhere, and that no word of a run can format."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.dossier.form import FilledForm, FilledItem

SPECIAL = re.compile(r"[\\`*|~]|(?<!\w)_|_(?!\w)|\](?=[(\[:])|^[#>+=-]|(?<=^\d)[.)]|(?<=^\d\d)[.)]")
"""Characters that Markdown may read as something else than themselves, where they stand."""
HTML = ((re.compile(r"&(?=#?\w+;)"), "&amp;"), (re.compile(r"<(?=[A-Za-z/!?])"), "&lt;"))
"""What Markdown passes on as HTML."""
STATES = {"filled": "filled", "partly": "partly filled", "open": "open"}
OPEN = "OPEN"
"""Word that marks what nothing answers."""


def escaped(text: str) -> str:
    """The text on one line, in which nothing is Markdown or HTML."""
    line = SPECIAL.sub(r"\\\g<0>", " ".join(text.split()))
    for pattern, entity in HTML:
        line = pattern.sub(entity, line)
    return line


def markdown(filled: FilledForm) -> str:
    """The filled form."""
    return "\n".join(_lines(filled)) + "\n"


def _lines(filled: FilledForm) -> Iterator[str]:
    form = filled.form
    yield f"# {escaped(form.title)}"
    yield f"\nFields: {filled.counted}.\n\nSource: {escaped(form.source)}"
    if form.note:
        yield f"\n{escaped(form.note)}"
    for title, items in filled.sections:
        yield f"\n## {escaped(title)}"
        for item in items:
            yield from _item(item)


def _item(item: FilledItem) -> Iterator[str]:
    yield f"\n### {escaped(item.item.number)} {escaped(item.item.asks)} ({STATES[item.state]})\n"
    for answer in item.answers:
        yield f"* {escaped(answer.text)} ({escaped(answer.source.place)})"
    for name in item.open:
        yield f"* **{OPEN}:** {escaped(name)}"
