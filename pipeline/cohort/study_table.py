"""Study table: patient, view, sex, age and spacing from a CSV, where the files of the images say nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from pipeline.annotations.labels import MOST_IMAGES
from pipeline.annotations.source_files import image_key
from pipeline.annotations.spelling import plain
from pipeline.annotations.tables import Table, read_table
from pipeline.cohort.lookup import ImageLookup
from pipeline.cohort.selection import Cells, Rows, row_of
from pipeline.config import StudyTable
from pipeline.contracts import Executor
from pipeline.errors import ConfigError
from pipeline.executors.single import require
from pipeline.loaders import VIEWS, age_shown
from pipeline.records import Case, Notice

Pseudonym = Callable[..., str]
KEY: Final = "studies.table"
COLUMNS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "patient": (("patientid",), ("patient",), ("subjectid",), ("subject",), ("personid",)),
    "view": (
        ("viewposition",), ("view",), ("projection",),
        ("appa", "frontallateral"), ("appa",), ("frontallateral",),
    ),
    "sex": (("sex",), ("gender",), ("patientsex",), ("patientgender",)),
    "age": (("age",), ("patientage",), ("ageyears",)),
    "spacing": (("pixelspacing",), ("pixelspacingmm",), ("spacing",), ("spacingmm",)),
}  # fmt: skip
"""Key → the spellings of column names that are taken for it; of several together, as in CheXpert, the first
that says something counts."""
SEXES: Final = {"m": "M", "male": "M", "f": "F", "female": "F", "o": "O", "other": "O"}
UNKNOWN: Final = frozenset({"", "unknown", "u", "na", "nan", "none", "null", "-1"})
"""Cells, in lower case, that say nothing."""
YEARS: Final = re.compile(r"(\d{1,3})(?:\.\d+)?(?: ?(?:y|years?))?", re.IGNORECASE)
OLDEST: Final = 120
"""Limit of an age in years; a larger number has another unit, or is a typing error."""
MM: Final = r"""['"]?(\d*\.?\d+(?:e[-+]?\d+)?) ?(?:mm)?['"]?"""
SPACING: Final = re.compile(rf"[\[(]?{MM}(?:(?: ?[,;x×\\] ?| ){MM})?[\])]?", re.IGNORECASE)
"""One or two numbers, without unit or in mm."""
COMMA: Final = re.compile(r"\d+,\d+")
"""A number with a decimal comma, or two numbers: nobody knows."""
LARGEST_MM: Final = 10.0
"""Upper limit of a spacing; a larger number is a size or a typing error."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read of a table."""

    by_key: Mapping[str, tuple[str, ...]]
    """Key of the config → its columns; first those of the image."""
    guessed: tuple[str, ...]
    """The keys whose columns the config does not name."""
    rows: Rows = field(default_factory=dict)


def with_table(
    cases: Sequence[Case],
    folder: Path,
    table: StudyTable | None,
    *,
    pseudonym: Pseudonym,
    executor: Executor,
) -> tuple[tuple[Case, ...], tuple[Notice, ...]]:
    """The cases with what the table adds to them, and what was assumed or could not be used.

    A path of the table is relative to the study folder. Raises ConfigError if the table cannot be read, has
    no column for the images, or none of `COLUMNS`, or has contradicting rows of an image.
    """
    if table is None:
        return tuple(cases), ()
    file = folder / table.file
    read = require(executor, partial(_read, table=table), file, where=str(file))
    names = ImageLookup(cases, read.rows)
    found: Counter[str] = Counter()
    completed = [
        _completed(case, row_of(case, read.rows, names, file), read, found, pseudonym) for case in cases
    ]
    found["strangers"] = sum(not names.owners(name) for name in read.rows)
    if found["without row"] == len(cases):
        raise ConfigError(
            f"{file}: names no image of the study folder; check the column of the images, "
            f"{KEY}.image, and the folder"
        )
    return tuple(completed), tuple(_notices(read, found, len(cases)))


def _read(file: Path, *, table: StudyTable) -> _Read:
    """The rows of a table in the columns that are used."""
    content = read_table(file)
    stated = {
        key: (value,) if isinstance(value, str) else tuple(value or ())
        for key, value in table.model_dump(exclude={"file"}).items()
    }
    by_key = {"image": stated["image"] or (content.image_column(),)}
    by_plain = {plain(name): name for name in reversed(content.columns)}
    for key, spellings in COLUMNS.items():
        near = next((names for names in spellings if by_plain.keys() >= {*names}), ())
        columns = stated[key] or tuple(by_plain[spelling] for spelling in near)
        if columns:
            by_key[key] = tuple(map(content.column, columns))
    if len(by_key) == 1:
        raise ConfigError(
            f"{file}: has no column for patient, view, sex, age or spacing; call one of them so, or name "
            f"them in {KEY}, as in patient: COLUMN"
        )
    guessed = tuple(key for key in by_key if not stated[key])
    return _Read(by_key, guessed, _rows(content, by_key))


def _rows(content: Table, by_key: Mapping[str, tuple[str, ...]]) -> Rows:
    """Image key → the distinct rows of the image, without the image's column."""
    (image,), *others = by_key.values()
    columns = [column for group in others for column in group]
    rows: dict[str, frozenset[Cells]] = {}
    for row in content.select((content.column(image), *columns)):
        key = image_key(row[image])
        rows[key] = rows.get(key, frozenset()) | {tuple(row[column] for column in columns)}
        if len(rows) > MOST_IMAGES:
            raise ConfigError(f"{content.file}: names more than {MOST_IMAGES:,} images; split it")
    return rows


def _completed(
    case: Case, cells: Cells | None, read: _Read, found: Counter[str], pseudonym: Pseudonym
) -> Case:
    """The case with what its row adds to its file; `found` counts what could not be used."""
    if cells is None:
        found["without row"] += 1
        return case
    values = _by_key(cells, read)
    source = case.source
    for key in ("view", "sex", "age"):
        value, stated = values.get(key), source.attributes.get(key)
        if value and stated and value != stated:
            found[f"contradicts {key}"] += 1
        elif value:
            source = replace(source, attributes={**source.attributes, key: value})
    found.update(f"unreadable {key}" for key, value in values.items() if value is None)
    patient = values.get("patient")
    if patient and not source.has_patient_id:
        source = replace(source, patient=patient, has_patient_id=True)
        case = replace(case, patient_id=pseudonym("patient", patient))
    spacing = _spacing(values.get("spacing") or "")
    return replace(case, source=replace(source, spacing_mm=spacing, by_table=True))


def _by_key(cells: Cells, read: _Read) -> dict[str, str | None]:
    """Key → value as a report shows it, empty if the row says nothing, None if it cannot be understood."""
    found: dict[str, str | None] = {}
    left = iter(cells)
    for key, columns in list(read.by_key.items())[1:]:
        told = [cell for _ in columns if (cell := next(left).strip()).casefold() not in UNKNOWN]
        text = " ".join(told if key == "spacing" else told[:1])
        found[key] = _understood(key, text) if text else ""
    return found


def _understood(key: str, text: str) -> str | None:
    if key == "sex":
        return SEXES.get(text.casefold())
    if key == "view":
        return text.upper() if text.upper() in VIEWS else None
    if key == "age":
        years = YEARS.fullmatch(text)
        if years and int(years[1]) > OLDEST:
            return None
        return age_shown(f"{years[1]:0>3}Y" if years else text.upper()) or None
    if key == "spacing":
        return text if _spacing(text) else None
    return text


def _spacing(text: str) -> tuple[float, float] | None:
    """Row and column spacing in mm: "0.143", "0.143 0.2", "[0.143, 0.2]"; None for any other text."""
    match = None if COMMA.fullmatch(text) else SPACING.fullmatch(text.strip())
    numbers = [float(number) for number in match.groups() if number] if match else []
    if not numbers or not all(0 < number <= LARGEST_MM for number in numbers):
        return None
    return numbers[0], numbers[-1]


def _notices(read: _Read, found: Counter[str], images: int) -> Iterator[Notice]:
    columns = [column for group in read.by_key.values() for column in group]
    if read.guessed:
        places = {column: f"{{{number}}}" for number, column in enumerate(columns)}
        told = ", ".join(
            f"{key}: {' and '.join(places[column] for column in read.by_key[key])}" for key in read.guessed
        )
        pin = {
            key: group[0] if len(group) == 1 else list(group)
            for key, group in read.by_key.items()
            if key in read.guessed
        }
        message = f"Columns of the table of images are read as {told}."
        yield Notice("guess", KEY, message, tuple(columns), pin={"studies": {"table": pin}})
    said = {
        "without row": "Images without a row in the table, so that what it says is unknown of them",
        "strangers": "Names in the table that are those of no image, so that their rows are not used",
        **{
            f"contradicts {key}": f"Rows of the table that give another {key} than the file of the image, "
            "which counts"
            for key in ("view", "sex", "age")
        },
        **{
            f"unreadable {key}": f"Cells of the table in the column of {key} that are not understood"
            for key in ("view", "sex", "age", "spacing")
        },
    }
    for what, text in said.items():
        if found[what]:
            of_all = f" of {images:,}" if what == "without row" else ""
            yield Notice("warning", KEY, f"{text}: {found[what]:,}{of_all}.")
