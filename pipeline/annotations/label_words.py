"""Label words: image-level labels from one column that lists the findings of each image, as in Mass|Edema."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.annotations.label_tables import tables_of_images
from pipeline.annotations.labels import MOST_IMAGES
from pipeline.annotations.source_files import image_key
from pipeline.annotations.spelling import plain, same, words_in
from pipeline.annotations.tables import Table, read_table
from pipeline.errors import ConfigError

SEPARATOR = re.compile(r"[|;]")
"""What stands between the words of a cell that is no list."""
OTHER_SEPARATORS = re.compile(r"[,/+&\n]|\band\b")
"""What may stand between two findings, or inside the name of one."""
COLUMNS = frozenset({"findinglabels", "labels"})
"""Spellings of columns that are known to list findings: those of ChestX-ray14 and PadChest."""
MOST_WORDS = 10_000
"""Different words of a column; more are free text."""


@dataclass(frozen=True, slots=True)
class WordTable:
    """A table with a column of words that nothing but its name and words told."""

    table: Table
    image: str
    column: str


def word_tables(path: Path, findings: Sequence[str], names: Mapping[str, str | None]) -> list[WordTable]:
    """The tables with such a column in the folder `path` or next to the file `path`."""
    found = []
    for table, image in tables_of_images(path):
        for column in table.columns:
            if plain(column) in COLUMNS and table.columns.count(column) == 1:
                words = {word for row in table.first_rows for word in listed(row[column])}
                if any(_finding(word, findings, names) for word in words):
                    found.append(WordTable(table, image, column))
                    break
    return found


def listed(cell: str) -> tuple[str, ...]:
    """The words of a cell: Mass|Edema, Mass;Edema or ['Mass', 'Edema']."""
    words = words_in(cell)
    parts = words if words != (cell,) else tuple(SEPARATOR.split(cell))
    return tuple(word for part in parts if (word := part.strip()))


def read_label_words(
    file: Path, *, image: str, column: str, findings: Sequence[str], names: Mapping[str, str | None]
) -> Mapping[str, Mapping[str, int | None]]:
    """SOP instance UID or file stem → finding → label.

    A finding is present if one of the image's rows lists it, else absent. It is unknown for all images if no
    row of the table lists it, and for an image whose cells are empty. Raises ConfigError for a missing
    column, findings that something else than | or ; separates, or more than `MOST_IMAGES` images or
    `MOST_WORDS` words.
    """
    table = read_table(file)
    table.refuse_shared_names(table.column(image))
    of_word: dict[str, str | None] = {}
    present: dict[str, frozenset[str] | None] = {}
    shared: dict[frozenset[str], frozenset[str]] = {}
    for line, row in table.numbered((image, table.column(column))):
        key, words = image_key(row[image]), listed(row[column])
        new = [word for word in words if word not in of_word]
        _refuse_joined(new, f"{file}, row {line}, column '{column}'", findings, names)
        of_word |= {word: _finding(word, findings, names) for word in new}
        if len(of_word) > MOST_WORDS or (key not in present and len(present) >= MOST_IMAGES):
            raise ConfigError(
                f"{file}: has more than {MOST_IMAGES:,} images, or its column '{column}' more than "
                f"{MOST_WORDS:,} different words; name another column, or leave out what is not in use"
            )
        seen = present.get(key)
        if words:
            now = frozenset(name for word in words if (name := of_word[word]))
            seen = now if seen is None else seen | now
        present[key] = seen if seen is None else shared.setdefault(seen, seen)
    known = {*of_word.values()}
    return _rows(present, [name for name in findings if name in known], findings)


def listed_findings(
    table: Table, column: str, findings: Sequence[str], names: Mapping[str, str | None]
) -> tuple[str, ...]:
    """The findings that a column of words lists for any image. Raises ConfigError without such a column."""
    cells = table.cells(table.column(column))
    known = {_finding(word, findings, names) for cell in cells for word in listed(cell)}
    return tuple(name for name in findings if name in known)


def _refuse_joined(
    words: Sequence[str], where: str, findings: Sequence[str], names: Mapping[str, str | None]
) -> None:
    """Raise ConfigError for a word that means no finding, but has one as a part, as in "Mass, Edema"."""
    for word in words:
        if same(word, [*findings, *names]) is None:
            parts = [part.strip() for part in OTHER_SEPARATORS.split(word)]
            found = next((name for part in parts if (name := _finding(part, findings, names))), None)
            if found:
                raise ConfigError(
                    f"{where}: names '{found}' beside other words, without | or ; between them; separate "
                    "them by |, or say what the whole cell means in annotations.findings"
                )


def _rows(
    present: Mapping[str, frozenset[str] | None], known: Sequence[str], findings: Sequence[str]
) -> Mapping[str, Mapping[str, int | None]]:
    """Image → labels; images with the same findings share one mapping."""
    unknown: dict[str, int | None] = dict.fromkeys(findings)
    labels = {
        seen: unknown | {name: int(name in seen) for name in known}
        for seen in {*present.values()}
        if seen is not None
    }
    return {image: unknown if seen is None else labels[seen] for image, seen in present.items()}


def _finding(word: str, findings: Sequence[str], names: Mapping[str, str | None]) -> str | None:
    """The finding that a word means; None if it means none, or is left out."""
    known = {**{finding: finding for finding in findings}, **names}
    meant = same(word, known)
    return known[meant] if meant is not None else None
