"""Form: a table of items, each of which asks for questions that `facts` may answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pipeline.dossier.answers import Answer
from pipeline.dossier.facts import QUESTIONS

State: TypeAlias = Literal["filled", "partly", "open"]
STATES: tuple[State, ...] = ("filled", "partly", "open")


@dataclass(frozen=True, slots=True)
class Item:
    """A field of a form."""

    number: str
    """Number, or path of the element, in the form's own counting."""
    asks: str
    """What it asks for, in short and in our own words."""
    parts: tuple[str, ...]
    """Names of the questions that answer it together; names with a dot are in `facts.QUESTIONS`."""
    also: tuple[str, ...] = ()
    """Questions that say more than the form asks for: shown where they have an answer, never open."""
    optional: bool = False
    """Whether the form does without it: an element that is left out where nothing answers it."""


@dataclass(frozen=True, slots=True)
class Section:
    """Items under one heading."""

    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """A form of a regulator, a journal or the field."""

    name: str
    """Name of its files."""
    title: str
    source: str
    """Where the form is from."""
    sections: tuple[Section, ...]
    note: str = ""
    """What a reader of the filled form has to know."""


@dataclass(frozen=True, slots=True)
class Part:
    """One question of an item, with its answers."""

    name: str
    answers: tuple[Answer, ...]

    @property
    def asks(self) -> str:
        """What it asks for; the name of the blank if nothing answers it."""
        return QUESTIONS[self.name].name


@dataclass(frozen=True, slots=True)
class FilledItem:
    """An item with the answers of a run."""

    item: Item
    parts: tuple[Part, ...]

    @property
    def answers(self) -> tuple[Answer, ...]:
        """All answers, in the order of the parts."""
        return tuple(answer for part in self.parts for answer in part.answers)

    @property
    def open(self) -> tuple[str, ...]:
        """Names of what nothing answers."""
        return tuple(part.asks for part in self.parts if not part.answers)

    @property
    def state(self) -> State:
        """Filled: every part has an answer; partly: some have."""
        return "filled" if not self.open else "partly" if self.answers else "open"


@dataclass(frozen=True, slots=True)
class FilledForm:
    """A form with the answers of a run."""

    form: Form
    sections: tuple[tuple[str, tuple[FilledItem, ...]], ...]

    @property
    def items(self) -> tuple[FilledItem, ...]:
        """All items, in order."""
        return tuple(item for _, items in self.sections for item in items)

    @property
    def counts(self) -> Counter[State]:
        """Number of items in each state."""
        return Counter(item.state for item in self.items)

    @property
    def counted(self) -> str:
        """Fields filled of fields asked: "17 of 44 filled, 9 partly, 18 open"."""
        filled, partly, is_open = (self.counts[state] for state in STATES)
        return f"{filled} of {len(self.items)} filled, {partly} partly, {is_open} open"


def fill(form: Form, answers: Mapping[str, tuple[Answer, ...]]) -> FilledForm:
    """The form with the answers of a run, by the names of the questions."""
    return FilledForm(
        form,
        tuple(
            (
                section.title,
                tuple(FilledItem(item, tuple(_parts(item, answers))) for item in section.items),
            )
            for section in form.sections
        ),
    )


def _parts(item: Item, answers: Mapping[str, tuple[Answer, ...]]) -> Iterator[Part]:
    yield from (Part(name, answers[name]) for name in item.parts)
    yield from (Part(name, answers[name]) for name in item.also if answers.get(name))
