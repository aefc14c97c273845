"""Glossary: links from the report's terms to what they mean, where each first appears in a section."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import resources
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

PAGE = "glossary.html"
"""The page of the run folder that explains the terms."""
ANCHOR = "term-"
"""Start of the ids of its entries."""
UNLINKED = frozenset(
    {
        *("a", "button", "caption", "select", "option", "summary", "label", "output", "nav", "dialog"),
        *("h1", "h2", "h3", "h4", "dt", "svg", "code", "head", "title", "script", "template"),
    }
)
"""Elements whose text gets no links."""


@dataclass(frozen=True, slots=True)
class Term:
    """A term of the report."""

    slug: str
    """Its id: lower case, words joined by hyphens."""
    name: str
    what: str
    """What it is, in a sentence or two."""
    values: str = ""
    """Range and unit; empty if it is not a number."""
    better: str = ""
    """"higher", "lower", or in words; empty if neither is."""
    reference: str = ""
    written: tuple[str, ...] = ()
    """How pages write it, if not by its name; a first letter may be a capital, a plural s may follow."""


OWN = re.compile(rf'<a class="term" href="[^"]*#{ANCHOR}([^"]*)"')
"""A link to an entry."""


def link_to(term: Term, text: str, root: str) -> Markup:
    """A link from `text` to the entry of a term; `root` is the path to the run's folder."""
    return Markup('<a class="term" href="{}{}#{}{}" title="{}">{}</a>').format(
        root, PAGE, ANCHOR, term.slug, term.what, text
    )


@pass_context
def term(context: Context, slug: str, text: str = "") -> Markup:
    """For templates, a link to a term, with its name or another text.

    Raises KeyError if there is no such term. Text outside of links and controls needs no call: `with_links`
    finds it.
    """
    found = by_slug()[slug]
    return link_to(found, text or found.name, context.get("root", ""))


@cache
def groups() -> Mapping[str, tuple[Term, ...]]:
    """Subject → its terms, in the order of the page, from glossary.toml."""
    text = resources.files("pipeline.reporting").joinpath("glossary.toml").read_text(encoding="utf-8")
    return {
        group: tuple(Term(**entry | {"written": tuple(entry.get("written", ()))}) for entry in entries)
        for group, entries in tomllib.loads(text).items()
    }


def by_slug() -> Mapping[str, Term]:
    """Slug → term."""
    return {entry.slug: entry for group in groups().values() for entry in group}


def term_of(text: str) -> Term | None:
    """The term that a text is, in any way to write it; None if it is none."""
    return by_slug().get(_pattern()[1].get(_key(escape(text)), ""))


def with_links(page: str, root: str) -> str:
    """A page in HTML in which each term is linked where it first appears in a section.

    Links, controls, headings and drawings stay as they are. A section within a section starts anew.
    """
    pattern, slugs = _pattern()
    terms = by_slug()
    linked: list[set[str]] = [set()]
    closed = 0
    parts = re.split(r"(<!--.*?-->|<[^>]*>)", page, flags=re.DOTALL)

    def link(match: re.Match[str]) -> str:
        slug = slugs[_key(match[0])]
        if slug in linked[-1]:
            return match[0]
        linked[-1].add(slug)
        return str(link_to(terms[slug], "\0", root)).replace("\0", match[0])

    for place, part in enumerate(parts):
        tag = re.match(r"<(/?)([a-zA-Z][\w-]*)", part) if part.startswith("<") else None
        if tag is None:
            if not closed and not part.startswith("<"):
                parts[place] = pattern.sub(link, part)
            continue
        name, ends = tag[2].lower(), tag[1] == "/"
        if is_link := OWN.match(part):
            linked[-1].add(is_link[1])
        if name in UNLINKED:
            closed += -1 if ends else 1
        elif name == "section" and ends and len(linked) > 1:
            linked.pop()
        elif name == "section" and not ends:
            linked.append(set())
    return "".join(parts)


@cache
def _pattern() -> tuple[re.Pattern[str], Mapping[str, str]]:
    """What finds any term in escaped text, longest first, and the slug of each way to write one."""
    slugs = {_key(escape(text)): entry.slug for entry in by_slug().values() for text in _texts(entry)}
    texts = {escape(text) for entry in by_slug().values() for text in _texts(entry)}
    either = (_either_case(text) for text in sorted(texts, key=lambda text: (-len(text), text)))
    return re.compile(rf"(?<![\w&#./-])(?:{'|'.join(either)})s?(?![\w./=-]*[\w=/-])"), slugs


def _texts(entry: Term) -> tuple[str, ...]:
    return entry.written or (entry.name,)


def _either_case(text: str) -> str:
    first = text[0]
    pair = f"[{first.upper()}{first}]" if first.islower() else re.escape(first)
    return pair + re.escape(text[1:])


def _key(text: str) -> str:
    """Equal for singular and plural, and for a capital first letter."""
    return (text[:1].lower() + text[1:]).removesuffix("s")


def glossary_variables() -> Mapping[str, Any]:
    """The variables of glossary.html."""
    return {"groups": groups(), "anchor": ANCHOR}
